"""Chart of attention in a ranking: each group's share beside its share of the people."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from sesame_sdk.audit.report.charts.figure import Figure, Table, make_figure
from sesame_sdk.audit.report.charts.scales import Scale, format_count, format_share, quote
from sesame_sdk.audit.report.charts.svg import WIDTH, element, hatch_fill, join, label, line, path, text
from sesame_sdk.audit.report.model import ExposureByRank

#: Ranks drawn and listed; more are thinned out evenly on the page.
MAX_RANKS = 60
_COLUMNS, _GUTTER, _INSET = 2, 20.0, 6.0
_TOP, _HEIGHT = 42.0, 66.0
_PITCH = _TOP + _HEIGHT + 34
_PANEL = (WIDTH - 2 * _INSET - _GUTTER * (_COLUMNS - 1)) / _COLUMNS
#: Above this rank a share is that of a handful of people.
_MIN_RANK = 10


def draw_exposure(curve: ExposureByRank) -> Figure:
    """Draw a panel for each group: its share down to each rank, and its level in a fair ranking."""
    shown = _thin_out(_settled(curve.ranks))
    first, last = curve.ranks[shown[0]], curve.ranks[shown[-1]]
    scale = Scale(math.log(first), math.log(max(last, first + 1)), 0, _PANEL)
    shares = [shares[at] for shares in curve.shares.values() for at in shown]
    top = min(1.0, 1.1 * max([*shares, *curve.people.values()], default=1.0)) or 1.0
    panels = join(
        element("g", _draw_panel(curve, group, shown, scale, top), transform=_translate(at))
        for at, group in enumerate(curve.shares)
    )
    fair = ("share of the people", *map(format_share, (curve.people[group] for group in curve.shares)))
    rows = (
        (
            f"to rank {format_count(curve.ranks[at])}",
            *(format_share(line[at]) for line in curve.shares.values()),
        )
        for at in shown
    )
    return make_figure(
        "curve",
        "Attention in a ranking",
        _summarize(curve),
        "The curve is the group's share of all attention down to each rank; "
        "the dashed line is its share of the people. The striped area is what it lacks. "
        f"Each panel begins at rank {format_count(first)} and reaches {format_share(top)}.",
        math.ceil(len(curve.shares) / _COLUMNS) * _PITCH,
        (panels,),
        Table("Share of the attention down to each rank", ("ranks", *curve.shares), (fair, *rows)),
    )


def _draw_panel(curve: ExposureByRank, group: str, shown: Sequence[int], scale: Scale, top: float) -> Markup:
    level, bottom = Scale(0.0, top, _TOP + _HEIGHT, _TOP), _TOP + _HEIGHT
    shares, fair = curve.shares[group], level(curve.people[group])
    points = [(scale(math.log(curve.ranks[at])), level(shares[at])) for at in shown]
    lack = [(x, max(y, fair)) for x, y in points]
    area = path([(lack[0][0], fair), *lack, (lack[-1][0], fair)], "lack", closed=True)
    value = f"{format_share(shares[-1])} of attention, {format_share(curve.people[group])} fair"
    return join(
        (
            label(0, 15, group, _PANEL, "label"),
            text(0, 34, value, "value"),
            line(0, bottom, _PANEL, bottom, "ground"),
            element("g", area, style=f"fill:{hatch_fill('curve')}"),
            path(points, "curve"),
            line(0, fair, _PANEL, fair, "fair"),
            text(0, bottom + 17, f"rank {format_count(curve.ranks[shown[0]])}", "tick"),
            text(_PANEL, bottom + 17, format_count(curve.ranks[-1]), "tick", "end"),
        )
    )


def _translate(at: int) -> str:
    row, column = divmod(at, _COLUMNS)
    return f"translate({_INSET + column * (_PANEL + _GUTTER):g} {row * _PITCH:g})"


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


def _summarize(curve: ExposureByRank) -> str:
    ratios = {group: curve.shares[group][-1] / people for group, people in curve.people.items() if people > 0}
    if len(ratios) < 2:
        return "There is one group, so no group gets less attention than another."
    least = min(ratios, key=lambda group: ratios[group])
    attention, fair = format_share(curve.shares[least][-1]), format_share(curve.people[least])
    if attention == fair:
        return "Every group gets as much attention as its share of the people."
    share = f"{quote(least)} is {fair} of the people and gets {attention} of the attention"
    return f"{share}, the least for its size."
