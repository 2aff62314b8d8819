"""How scores are spread, who is seen in a ranking, and how a typical score came about."""

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from markupsafe import Markup

from sesame_sdk.audit.report.charts.bar_rows import (
    LETTERS,
    PITCH,
    THICK,
    TOP,
    Lane,
    across,
    axis,
    height,
    lanes,
)
from sesame_sdk.audit.report.charts.figure import Figure, Table
from sesame_sdk.audit.report.charts.scales import NONE, Scale, points, quoted, share, signed
from sesame_sdk.audit.report.charts.svg import (
    WIDTH,
    bar,
    diamond,
    el,
    frame,
    hatched,
    join,
    line,
    name,
    path,
    text,
)
from sesame_sdk.audit.report.model import Spread
from sesame_sdk.model.policy import Band
from sesame_sdk.model.score import Contribution, Score

#: Contributions drawn one by one; the smallest of more are drawn as one.
MOST_STEPS = 12
_HEAD, _FOOT, _GAP = 42.0, 24.0, 14.0
_LEVELS, _ROOM_FOR_A_NAME = (14.0, 32.0), 40.0


def spread(found: Spread, bands: Sequence[Band]) -> Figure:
    """A hill for each group on one scale, with its median."""
    tall = 40.0 if len(found.shares) <= 8 else 22.0
    pitch = TOP + tall + _GAP
    foot = _HEAD + pitch * len(found.shares)
    scale = Scale(found.edges[0], found.edges[-1], 6, WIDTH - 6)
    peak = max((max(bins) for bins in found.shares.values()), default=0) or 1.0
    hills = join(
        el("g", _hill(found, group, scale, tall, peak), transform=f"translate(0 {_HEAD + at * pitch:g})")
        for at, group in enumerate(found.shares)
    )
    says = _said_of_medians(found.medians)
    title = "How scores are spread"
    drawn = (_bands(bands, scale, foot), axis(scale, _HEAD, foot), hills)
    return Figure(
        id="spread",
        title=title,
        says=says,
        key="The higher the hill, the more people of the group have such a score. "
        "The upright line is the median of the group; dotted lines are where bands begin.",
        picture=frame("spread", title, says, foot + _FOOT, *drawn),
        table=_table_of_spread(found),
    )


def _hill(found: Spread, group: str, scale: Scale, tall: float, peak: float) -> Markup:
    ground = TOP + tall
    steps = [(scale(found.edges[0]), ground)]
    for (left, right), part in zip(pairwise(found.edges), found.shares[group], strict=True):
        top = ground - part / peak * tall
        steps += [(scale(left), top), (scale(right), top)]
    hill = path([*steps, (scale(found.edges[-1]), ground)], "hill", closed=True)
    label = name(6, LETTERS, group, WIDTH - 170, "label")
    median = found.medians.get(group, math.nan)
    if not math.isfinite(median):
        return hill + label + text(WIDTH - 6, LETTERS, "nobody has a score", "value", "end")
    mark = line(scale(median), TOP, scale(median), ground + 4, "median")
    return hill + mark + label + text(WIDTH - 6, LETTERS, f"median {points(median)}", "value", "end")


def _bands(bands: Sequence[Band], scale: Scale, foot: float) -> Markup:
    """Where each begins. Names stand on two levels, so that each has the room of two bands."""
    begun = [band for band in bands if band.start < scale.high]
    places = [*(scale(band.start) for band in begun), WIDTH, WIDTH]
    lines, names = [], []
    for at, band in enumerate(begun):
        x, room, level = places[at], places[at + 2] - places[at] - 8, _LEVELS[at % 2]
        lines.append(line(x, level - 10, x, foot, "band"))
        if room > _ROOM_FOR_A_NAME:
            names.append(name(x + 4, level, band.name, room, "said"))
    return join([*lines, *names])


def _said_of_medians(medians: dict[str, float]) -> str:
    known = sorted((value, group) for group, value in medians.items() if math.isfinite(value))
    if not known:
        return "Nobody has a score."
    (low, lowest), (high, highest) = known[0], known[-1]
    if len(known) == 1:
        return f"The median score of {quoted(lowest)} is {points(low)} points."
    if low == high:
        return f"Every group has the same median score, {points(low)} points."
    ends = f"{points(low)} points, of {quoted(lowest)}, to {points(high)}, of {quoted(highest)}"
    return f"Medians run from {ends}: {points(high - low)} points apart."


def _table_of_spread(found: Spread) -> Table:
    groups = tuple(found.shares)
    rows = [("median", *(_median(found.medians.get(group)) for group in groups))]
    for at, (left, right) in enumerate(pairwise(found.edges)):
        parts = (share(found.shares[group][at]) for group in groups)
        rows.append((f"{points(left)} to {points(right)}", *parts))
    return Table(
        "Share of the people of each group by points",
        ("points", *groups),
        tuple(rows),
    )


def _median(value: float | None) -> str:
    return NONE if value is None or not math.isfinite(value) else points(value)


def typical(score: Score) -> Figure:
    """From what everybody starts with to what the person in the middle has, step by step."""
    steps = _steps(score.contributions)
    ends = tuple(accumulate((step.points for step in steps), initial=score.base))
    scale = across((*ends, score.points), margin=0.06, end=WIDTH - 70)
    rows = [Lane("to begin with", points(score.base), _mark(scale, score.base), strong=True)]
    rows += [
        Lane(step.reason, signed(step.points), _step(scale, start, end))
        for step, (start, end) in zip(steps, pairwise(ends), strict=True)
    ]
    total = _joint(scale(score.points)) + _mark(scale, score.points)
    rows.append(Lane(f"score, in band {score.band}", points(score.points), total, strong=True))
    title, says = "How a typical score came about", _said_of_score(score, steps)
    return Figure(
        id="typical",
        title=title,
        says=says,
        key="Of the person in the middle. Each bar begins where the one above it ends; "
        "a solid bar adds points, a striped one takes them.",
        picture=frame("typical", title, says, height(len(rows)), lanes(rows, scale)),
        table=Table(
            "From the start to the score", ("reason", "points"), tuple((row.label, row.value) for row in rows)
        ),
    )


def _steps(parts: Sequence[Contribution]) -> list[Contribution]:
    """Biggest first, what adds before what takes; beyond `MOST_STEPS` they are one step."""
    ranked = sorted((part for part in parts if part.hundredths), key=lambda part: -abs(part.hundredths))
    kept, rest = ranked[:MOST_STEPS], ranked[MOST_STEPS:]
    if rest:
        kept.append(Contribution("", sum(part.hundredths for part in rest), f"{len(rest)} smaller reasons"))
    return sorted(kept, key=lambda part: -part.hundredths)


def _step(scale: Scale, start: float, end: float) -> Markup:
    down = end < start
    solid = bar(
        scale(start), scale(end), TOP, THICK, "down" if down else "up", hatched("typical") if down else None
    )
    return _joint(scale(start)) + solid


def _joint(x: float) -> Markup:
    return line(x, TOP + THICK - PITCH, x, TOP, "joint")


def _mark(scale: Scale, value: float) -> Markup:
    return diamond(scale(value), TOP + THICK / 2, 7, "mark")


def _said_of_score(score: Score, steps: Sequence[Contribution]) -> str:
    said = f"Whoever stands in the middle has {points(score.points)} points"
    if not steps:
        return f"{said}, what everybody begins with."
    most = max(steps, key=lambda step: abs(step.hundredths))
    came = f"most came of {quoted(most.reason)} ({signed(most.points)})"
    return f"{said}, having begun with {points(score.base)}; {came}."
