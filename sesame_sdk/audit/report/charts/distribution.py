"""Charts of scores: their distribution, and how a typical score is made up."""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from markupsafe import Markup

from sesame_sdk.audit.report.charts.bar_rows import (
    BASELINE,
    MIDDLE,
    PITCH,
    THICKNESS,
    TOP,
    BarRow,
    bar_scale,
    draw_axis,
    draw_bar,
    draw_bar_rows,
    rows_height,
)
from sesame_sdk.audit.report.charts.figure import Figure, Table, make_figure
from sesame_sdk.audit.report.charts.scales import (
    NONE,
    Scale,
    format_points,
    format_share,
    format_signed,
    quote,
)
from sesame_sdk.audit.report.charts.svg import WIDTH, diamond, element, join, label, line, path, text
from sesame_sdk.audit.report.model import ScoreDistribution
from sesame_sdk.model.policy import Band
from sesame_sdk.model.score import Contribution, Score

#: Contributions drawn one by one; the smallest of more are drawn as one.
MAX_STEPS = 12
_HEAD, _FOOT, _GAP = 42.0, 24.0, 14.0
_LEVELS, _MIN_LABEL_WIDTH = (14.0, 32.0), 40.0


def draw_distribution(distribution: ScoreDistribution, bands: Sequence[Band]) -> Figure:
    """Draw a histogram for each group on one scale, with its median."""
    shares = distribution.shares
    height = 40.0 if len(shares) <= 8 else 22.0
    pitch = TOP + height + _GAP
    bottom = _HEAD + pitch * len(shares)
    scale = Scale(distribution.edges[0], distribution.edges[-1], 6, WIDTH - 6)
    peak = max((max(bins) for bins in shares.values()), default=0) or 1.0
    histograms = join(
        element(
            "g",
            _draw_histogram(distribution, group, scale, height, peak),
            transform=f"translate(0 {_HEAD + at * pitch:g})",
        )
        for at, group in enumerate(shares)
    )
    rows = [("median", *(_format_median(distribution.medians.get(group)) for group in shares))]
    for at, (left, right) in enumerate(pairwise(distribution.edges)):
        cells = (format_share(bins[at]) for bins in shares.values())
        rows.append((f"{format_points(left)} to {format_points(right)}", *cells))
    return make_figure(
        "spread",
        "Distribution of scores",
        _summarize_medians(distribution.medians),
        "The higher the area, the more people of the group have such a score. "
        "The vertical line is the group's median; dotted lines mark where bands begin.",
        bottom + _FOOT,
        (_draw_bands(bands, scale, bottom), draw_axis(scale, _HEAD, bottom), histograms),
        Table("Share of the people of each group by points", ("points", *shares), tuple(rows)),
    )


def _draw_histogram(
    distribution: ScoreDistribution, group: str, scale: Scale, height: float, peak: float
) -> Markup:
    ground = TOP + height
    edges = distribution.edges
    steps = [(scale(edges[0]), ground)]
    for (left, right), share in zip(pairwise(edges), distribution.shares[group], strict=True):
        top = ground - share / peak * height
        steps += [(scale(left), top), (scale(right), top)]
    hill = path([*steps, (scale(edges[-1]), ground)], "hill", closed=True)
    name = label(6, BASELINE, group, WIDTH - 170, "label")
    median = distribution.medians.get(group, math.nan)
    if not math.isfinite(median):
        return hill + name + text(WIDTH - 6, BASELINE, "no scores", "value", "end")
    mark = line(scale(median), TOP, scale(median), ground + 4, "median")
    value = text(WIDTH - 6, BASELINE, f"median {format_points(median)}", "value", "end")
    return hill + mark + name + value


def _draw_bands(bands: Sequence[Band], scale: Scale, bottom: float) -> Markup:
    """Draw where each band begins. Names are on two levels, so that each has the width of two bands."""
    bands = [band for band in bands if band.start < scale.high]
    starts = [*(scale(band.start) for band in bands), WIDTH, WIDTH]
    lines, names = [], []
    for at, band in enumerate(bands):
        x, width, level = starts[at], starts[at + 2] - starts[at] - 8, _LEVELS[at % 2]
        lines.append(line(x, level - 10, x, bottom, "band"))
        if width > _MIN_LABEL_WIDTH:
            names.append(label(x + 4, level, band.name, width, "note"))
    return join([*lines, *names])


def _summarize_medians(medians: dict[str, float]) -> str:
    ordered = sorted((value, group) for group, value in medians.items() if math.isfinite(value))
    if not ordered:
        return "No simulated person has a score."
    (low, lowest), (high, highest) = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return f"The median score of {quote(lowest)} is {format_points(low)} points."
    if low == high:
        return f"All groups have the same median score, {format_points(low)} points."
    return (
        f"Medians range from {format_points(low)} points ({quote(lowest)}) "
        f"to {format_points(high)} ({quote(highest)}): a difference of {format_points(high - low)} points."
    )


def _format_median(value: float | None) -> str:
    return NONE if value is None or not math.isfinite(value) else format_points(value)


def draw_typical_score(score: Score) -> Figure:
    """Draw the steps from the base to the median person's score."""
    steps = _largest_steps(score.contributions)
    ends = tuple(accumulate((step.points for step in steps), initial=score.base))
    scale = bar_scale((*ends, score.points), margin=0.06, end=WIDTH - 70)
    rows = [BarRow("base", format_points(score.base), _mark(scale, score.base), strong=True)]
    rows += [
        BarRow(
            step.reason,
            format_signed(step.points),
            _joint(scale(start)) + draw_bar(scale, start, end, "typical", striped=end < start),
        )
        for step, (start, end) in zip(steps, pairwise(ends), strict=True)
    ]
    total = _joint(scale(score.points)) + _mark(scale, score.points)
    rows.append(BarRow(f"score, in band {score.band}", format_points(score.points), total, strong=True))
    return make_figure(
        "typical",
        "A typical score",
        _summarize_score(score, steps),
        "The score of the median person. Each bar begins where the one above it ends; "
        "a solid bar adds points, a striped bar subtracts them.",
        rows_height(len(rows)),
        (draw_bar_rows(rows, scale),),
        Table(
            "From the base to the score", ("reason", "points"), tuple((row.label, row.value) for row in rows)
        ),
    )


def _largest_steps(parts: Sequence[Contribution]) -> list[Contribution]:
    """Largest first, additions before subtractions; beyond `MAX_STEPS` they are one step."""
    ranked = sorted((part for part in parts if part.hundredths), key=lambda part: -abs(part.hundredths))
    steps, rest = ranked[:MAX_STEPS], ranked[MAX_STEPS:]
    if rest:
        steps.append(Contribution("", sum(part.hundredths for part in rest), f"{len(rest)} smaller reasons"))
    return sorted(steps, key=lambda part: -part.hundredths)


def _joint(x: float) -> Markup:
    return line(x, TOP + THICKNESS - PITCH, x, TOP, "joint")


def _mark(scale: Scale, value: float) -> Markup:
    return diamond(scale(value), MIDDLE, 7, "mark")


def _summarize_score(score: Score, steps: Sequence[Contribution]) -> str:
    median = f"The median person has {format_points(score.points)} points"
    if not steps:
        return f"{median}: the base, and nothing else."
    largest = max(steps, key=lambda step: abs(step.hundredths))
    reason = f"the largest part is {quote(largest.reason)} ({format_signed(largest.points)})"
    return f"{median}, from a base of {format_points(score.base)}; {reason}."
