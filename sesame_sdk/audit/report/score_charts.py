"""Charts of scores: distribution, attention in a ranking, and how a new policy changes points and bands."""

import math
from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from sesame_sdk.audit.report.bar_charts import BASELINE, TOP, draw_axis
from sesame_sdk.audit.report.model import ExposureByRank, PolicyChange, ScoreDistribution
from sesame_sdk.audit.report.svg import (
    WIDTH,
    Figure,
    Scale,
    Table,
    element,
    hatch_fill,
    join,
    label,
    line,
    make_figure,
    path,
    text,
    translate,
)
from sesame_sdk.audit.report.wording import (
    NONE,
    format_count,
    format_points,
    format_share,
    format_signed,
    quote,
)
from sesame_sdk.model.policy import Band

_HISTOGRAM_HEAD, _FOOT, _HISTOGRAM_GAP = 42.0, 24.0, 14.0
_LEVELS, _MIN_LABEL_WIDTH = (14.0, 32.0), 40.0
#: Ranks drawn and listed; more are thinned out evenly on the page.
MAX_RANKS = 60
_COLUMNS, _GUTTER, _INSET = 2, 20.0, 6.0
_PANEL_TOP, _PANEL_HEIGHT = 42.0, 66.0
_PANEL_PITCH = _PANEL_TOP + _PANEL_HEIGHT + 34
_PANEL_WIDTH = (WIDTH - 2 * _INSET - _GUTTER * (_COLUMNS - 1)) / _COLUMNS
#: Above this rank a share is that of a handful of people.
_MIN_RANK = 10
_GAINS_HEIGHT, _GAINS_HEAD = 130.0, 44.0
#: A column shows its share above it if it is wide and large enough.
_MIN_COLUMN_WIDTH, _MIN_SHARE = 30.0, 0.005
#: Width of the old bands' names in the picture of transitions.
_NAMES = 112.0
_MAX_CELL_WIDTH, _MAX_CELL_HEIGHT = 112.0, 70.0


def draw_distribution(distribution: ScoreDistribution, bands: Sequence[Band]) -> Figure:
    """Draw a histogram for each group on one scale, with its median."""
    shares = distribution.shares
    height = 40.0 if len(shares) <= 8 else 22.0
    pitch = TOP + height + _HISTOGRAM_GAP
    bottom = _HISTOGRAM_HEAD + pitch * len(shares)
    scale = Scale(distribution.edges[0], distribution.edges[-1], 6, WIDTH - 6)
    peak = max((max(bins) for bins in shares.values()), default=0) or 1.0
    histograms = join(
        translate(_draw_histogram(distribution, group, scale, height, peak), 0, _HISTOGRAM_HEAD + at * pitch)
        for at, group in enumerate(shares)
    )
    rows = [("median", *(format_median(distribution.medians.get(group)) for group in shares))]
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
        (_draw_bands(bands, scale, bottom), draw_axis(scale, _HISTOGRAM_HEAD, bottom), histograms),
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


def format_median(value: float | None) -> str:
    """Format a median, if the group has a score."""
    return NONE if value is None or not math.isfinite(value) else format_points(value)


def draw_exposure(curve: ExposureByRank) -> Figure:
    """Draw a panel for each group: its share down to each rank, and its level in a fair ranking."""
    shown = _thin_out(_settled(curve.ranks))
    first, last = curve.ranks[shown[0]], curve.ranks[shown[-1]]
    scale = Scale(math.log(first), math.log(max(last, first + 1)), 0, _PANEL_WIDTH)
    shares = [shares[at] for shares in curve.shares.values() for at in shown]
    top = min(1.0, 1.1 * max([*shares, *curve.people.values()], default=1.0)) or 1.0
    panels = join(
        translate(_draw_panel(curve, group, shown, scale, top), *_panel_corner(at))
        for at, group in enumerate(curve.shares)
    )
    fair = ("share of the people", *map(format_share, (curve.people[group] for group in curve.shares)))
    rows = (
        (
            f"to rank {format_count(curve.ranks[at])}",
            *(format_share(own[at]) for own in curve.shares.values()),
        )
        for at in shown
    )
    return make_figure(
        "curve",
        "Attention in a ranking",
        _summarize_exposure(curve),
        "The curve is the group's share of all attention down to each rank; "
        "the dashed line is its share of the people. The striped area is what it lacks. "
        f"Each panel begins at rank {format_count(first)} and reaches {format_share(top)}.",
        math.ceil(len(curve.shares) / _COLUMNS) * _PANEL_PITCH,
        (panels,),
        Table("Share of the attention down to each rank", ("ranks", *curve.shares), (fair, *rows)),
    )


def _draw_panel(curve: ExposureByRank, group: str, shown: Sequence[int], scale: Scale, top: float) -> Markup:
    level, bottom = Scale(0.0, top, _PANEL_TOP + _PANEL_HEIGHT, _PANEL_TOP), _PANEL_TOP + _PANEL_HEIGHT
    shares, fair = curve.shares[group], level(curve.people[group])
    points = [(scale(math.log(curve.ranks[at])), level(shares[at])) for at in shown]
    lack = [(x, max(y, fair)) for x, y in points]
    area = path([(lack[0][0], fair), *lack, (lack[-1][0], fair)], "lack", closed=True)
    value = f"{format_share(shares[-1])} of attention, {format_share(curve.people[group])} fair"
    return join(
        (
            label(0, 15, group, _PANEL_WIDTH, "label"),
            text(0, 34, value, "value"),
            line(0, bottom, _PANEL_WIDTH, bottom, "ground"),
            element("g", area, style=hatch_fill("curve")),
            path(points, "curve"),
            line(0, fair, _PANEL_WIDTH, fair, "fair"),
            text(0, bottom + 17, f"rank {format_count(curve.ranks[shown[0]])}", "tick"),
            text(_PANEL_WIDTH, bottom + 17, format_count(curve.ranks[-1]), "tick", "end"),
        )
    )


def _panel_corner(at: int) -> tuple[float, float]:
    row, column = divmod(at, _COLUMNS)
    return _INSET + column * (_PANEL_WIDTH + _GUTTER), row * _PANEL_PITCH


def _settled(ranks: Sequence[int]) -> list[int]:
    """Indices of the ranks from `_MIN_RANK`; of all ranks, if fewer than two are."""
    settled = [at for at, rank in enumerate(ranks) if rank >= _MIN_RANK]
    return settled if len(settled) > 1 else list(range(len(ranks)))


def _thin_out(indices: Sequence[int]) -> list[int]:
    """Take at most `MAX_RANKS` of them, evenly on the logarithm; always the first and the last."""
    if len(indices) <= MAX_RANKS:
        return list(indices)
    steps = (len(indices) ** (at / (MAX_RANKS - 1)) for at in range(MAX_RANKS))
    return [indices[at] for at in sorted({min(round(step), len(indices)) - 1 for step in steps})]


def _summarize_exposure(curve: ExposureByRank) -> str:
    ratios = {group: curve.shares[group][-1] / people for group, people in curve.people.items() if people > 0}
    if len(ratios) < 2:
        return "There is one group, so no group gets less attention than another."
    least = min(ratios, key=lambda group: ratios[group])
    attention, fair = format_share(curve.shares[least][-1]), format_share(curve.people[least])
    if attention == fair:
        return "Every group gets as much attention as its share of the people."
    share = f"{quote(least)} is {fair} of the people and gets {attention} of the attention"
    return f"{share}, the least for its size."


def draw_gains(change: PolicyChange) -> Figure:
    """Draw the share of people by points gained."""
    bins = [(*edges, share) for edges, share in zip(pairwise(change.edges), change.shares, strict=True)]
    scale = Scale(change.edges[0], change.edges[-1], 6, WIDTH - 6)
    cells = tuple(
        (f"{format_signed(left)} to {format_signed(right)}", format_share(share))
        for left, right, share in bins
    )
    peak, ground, zero = max(change.shares) or 1.0, _GAINS_HEAD + _GAINS_HEIGHT, scale(0)
    return make_figure(
        "gains",
        "Points gained and lost",
        _summarize_gains(change),
        "Each column is the share of people whose score changes by so many points. "
        "Striped columns lose, solid ones gain; the outlined one holds people with nearly the same score.",
        ground + _FOOT,
        (
            draw_axis(scale, _GAINS_HEAD, ground, format_signed),
            *(_draw_column(left, right, share, scale, share / peak) for left, right, share in bins),
            line(zero, 4, zero, ground, "zero"),
            text(zero - 6, 15, "lose", "note", "end") if zero > 60 else Markup(),
            text(zero + 6, 15, "gain", "note") if zero < WIDTH - 60 else Markup(),
        ),
        Table("Share of people by points gained", ("points gained", "people"), cells),
    )


def _draw_column(left: float, right: float, share: float, scale: Scale, relative_height: float) -> Markup:
    width, height = max(scale(right) - scale(left) - 1, 0.5), relative_height * _GAINS_HEIGHT
    top = _GAINS_HEAD + _GAINS_HEIGHT - height
    direction = "down" if right <= 0 else "up" if left >= 0 else "stay"
    column = _draw_rect("gains", direction, scale(left) + 0.5, top, width, height)
    if width < _MIN_COLUMN_WIDTH or share < _MIN_SHARE:
        return column
    return column + text(scale(left) + width / 2, top - 5, format_share(share), "in-cell", "middle")


def _draw_rect(picture: str, direction: str, x: float, y: float, width: float, height: float) -> Markup:
    fill = hatch_fill(picture) if direction == "down" else None
    return element("rect", x=x, y=y, width=width, height=height, class_=direction, style=fill)


def _summarize_gains(change: PolicyChange) -> str:
    total = next(iter(change.groups.values()), None)
    if total is None:
        return "No simulated person has a score under both policies."
    shares = f"{format_share(total.share_rising)} of people gain and {format_share(total.share_falling)} lose"
    mean = f"{format_signed(total.mean_change)} points on average"
    if not change.gained_score and not change.lost_score:
        return f"{shares}, {mean}; the same people have a score under both policies."
    gained, lost = format_count(change.gained_score), format_count(change.lost_score)
    return (
        f"{shares}, {mean}; {gained} have a score only under the new policy, {lost} only under the old one."
    )


def draw_band_transitions(change: PolicyChange) -> Figure:
    """Draw the share of each old band's people in each new band, as the area of a square."""
    width = min((WIDTH - _NAMES) / max(len(change.bands_after), 1), _MAX_CELL_WIDTH)
    height, top = min(width, _MAX_CELL_HEIGHT), 46.0
    heads = join(
        label(_NAMES + (at + 0.5) * width, 38, band, width - 4, "label", "middle")
        for at, band in enumerate(change.bands_after)
    )
    rows = join(
        translate(_draw_transition_row(change, at, width, height), 0, top + at * height)
        for at in range(len(change.bands_before))
    )
    return make_figure(
        "crossings",
        "From old bands to new",
        _summarize_transitions(change),
        "Each row shows where the people of an old band are under the new policy. "
        "Outlined squares are people who stay; solid ones rise, striped ones fall.",
        top + height * len(change.bands_before) + 8,
        (text(_NAMES, 16, "new band", "note"), text(6, 38, "old band", "note"), heads, rows),
        make_transition_table(change),
    )


def make_transition_table(change: PolicyChange) -> Table:
    """Make the table of the shares of each old band's people in each new band."""
    rows = tuple(
        (band, *map(format_share, shares))
        for band, shares in zip(change.bands_before, change.band_transitions, strict=True)
    )
    return Table("Share of each old band by new band", ("old band", *change.bands_after), rows)


def _draw_transition_row(change: PolicyChange, row: int, width: float, height: float) -> Markup:
    old = change.bands_before[row]
    cells = [label(6, height / 2 + 5, old, _NAMES - 12, "label")]
    for at, (band, share) in enumerate(zip(change.bands_after, change.band_transitions[row], strict=True)):
        middle = _NAMES + (at + 0.5) * width
        cells.append(element("rect", x=middle - width / 2, y=0.0, width=width, height=height, class_="cell"))
        if share > 0:
            space = height - 26
            side = space * share**0.5
            left, top = middle - side / 2, 4 + (space - side) / 2
            cells.append(_draw_rect("crossings", _direction(change, old, band), left, top, side, side))
            cells.append(text(middle, height - 6, format_share(share), "in-cell", "middle"))
    return join(cells)


def _direction(change: PolicyChange, before: str, after: str) -> str:
    """Compare bands by name; bands that only one policy has, by their position."""
    if before == after:
        return "stay"
    names = change.bands_after if before in change.bands_after else change.bands_before
    if before in names and after in names:
        return "up" if names.index(after) > names.index(before) else "down"
    return "up" if change.bands_after.index(after) > change.bands_before.index(before) else "down"


def _summarize_transitions(change: PolicyChange) -> str:
    largest = max(
        (
            (share, before, after)
            for before, shares in zip(change.bands_before, change.band_transitions, strict=True)
            for after, share in zip(change.bands_after, shares, strict=True)
            if before != after and share > 0
        ),
        default=None,
    )
    if largest is None:
        return "No simulated person changes to another band."
    share, before, after = largest
    moved = f"{format_share(share)} of the people in {quote(before)} are in {quote(after)}"
    return f"The largest move: {moved} under the new policy."
