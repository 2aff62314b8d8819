"""Who is seen in a ranking: for each group, its share of the attention beside its share of the people."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from sesame_sdk.audit.report.charts.figure import Figure, Table
from sesame_sdk.audit.report.charts.scales import Scale, count, quoted, share
from sesame_sdk.audit.report.charts.svg import WIDTH, el, frame, hatched, join, line, name, path, text
from sesame_sdk.audit.report.model import Curve

#: Ranks drawn and listed; of more, as many as lie evenly on the page.
MOST_RANKS = 60
_ACROSS, _GUTTER, _INSET = 2, 20.0, 6.0
_TOP, _TALL = 42.0, 66.0
_PITCH = _TOP + _TALL + 34
_PANEL = (WIDTH - 2 * _INSET - _GUTTER * (_ACROSS - 1)) / _ACROSS
#: Before this rank a share is that of a handful of people.
_SETTLED = 10


def curve(found: Curve) -> Figure:
    """A panel for each group: its share so far, and the level where it would lie in a fair ranking."""
    ranks = _thinned(_settled(found.ranks))
    first, last = (found.ranks[at] for at in (ranks[0], ranks[-1]))
    scale = Scale(math.log(first), math.log(max(last, first + 1)), 0, _PANEL)
    top = _highest(found, ranks)
    panels = join(
        el("g", _panel(found, group, ranks, scale, top), transform=_place(at))
        for at, group in enumerate(found.shares)
    )
    title, says = "Who is seen", _said(found)
    tall = math.ceil(len(found.shares) / _ACROSS) * _PITCH
    return Figure(
        id="curve",
        title=title,
        says=says,
        key="The curve is the share of all attention that the group has down to each rank; "
        "the dashed line is its share of the people. Striped is what it lacks. "
        f"Each panel begins at rank {count(first)} and reaches {share(top)}.",
        picture=frame("curve", title, says, tall, panels),
        table=_table(found, ranks),
    )


def _panel(found: Curve, group: str, ranks: Sequence[int], scale: Scale, top: float) -> Markup:
    level = Scale(0.0, top, _TOP + _TALL, _TOP)
    seen, fair = found.shares[group], level(found.people[group])
    places = [(scale(math.log(found.ranks[at])), level(seen[at])) for at in ranks]
    lack = [(x, max(y, fair)) for x, y in places]
    said = f"{share(seen[-1])} seen, {share(found.people[group])} fair"
    return join(
        (
            name(0, 15, group, _PANEL, "label"),
            text(0, 34, said, "value"),
            line(0, _TOP + _TALL, _PANEL, _TOP + _TALL, "ground"),
            el(
                "g",
                path([(lack[0][0], fair), *lack, (lack[-1][0], fair)], "lack", closed=True),
                style=f"fill:{hatched('curve')}",
            ),
            path(places, "curve"),
            line(0, fair, _PANEL, fair, "fair"),
            text(0, _TOP + _TALL + 17, f"rank {count(found.ranks[ranks[0]])}", "tick"),
            text(_PANEL, _TOP + _TALL + 17, count(found.ranks[-1]), "tick", "end"),
        )
    )


def _highest(found: Curve, ranks: Sequence[int]) -> float:
    seen = [shares[at] for shares in found.shares.values() for at in ranks]
    return min(1.0, 1.1 * max([*seen, *found.people.values()], default=1.0)) or 1.0


def _place(at: int) -> str:
    row, column = divmod(at, _ACROSS)
    return f"translate({_INSET + column * (_PANEL + _GUTTER):g} {row * _PITCH:g})"


def _settled(ranks: Sequence[int]) -> list[int]:
    """Places of the ranks to draw; all, where few are settled."""
    settled = [at for at, rank in enumerate(ranks) if rank >= _SETTLED]
    return settled if len(settled) > 1 else list(range(len(ranks)))


def _thinned(places: Sequence[int]) -> list[int]:
    """At most `MOST_RANKS` of them, evenly on the logarithm; the first and the last always."""
    if len(places) <= MOST_RANKS:
        return list(places)
    steps = (len(places) ** (at / (MOST_RANKS - 1)) for at in range(MOST_RANKS))
    return [places[at] for at in sorted({min(round(step), len(places)) - 1 for step in steps})]


def _said(found: Curve) -> str:
    lacks = {group: found.shares[group][-1] / people for group, people in found.people.items() if people > 0}
    if len(lacks) < 2:
        return "There is one group, so nobody is seen less than others."
    least = min(lacks, key=lambda group: lacks[group])
    seen, fair = share(found.shares[least][-1]), share(found.people[least])
    if seen == fair:
        return "Every group is seen as much as its share of the people."
    return f"{quoted(least)} is {fair} of the people and has {seen} of the attention, the least for its size."


def _table(found: Curve, ranks: Sequence[int]) -> Table:
    groups = tuple(found.shares)
    fair = ("share of the people", *(share(found.people[group]) for group in groups))
    rows = (
        (f"to rank {count(found.ranks[at])}", *(share(found.shares[group][at]) for group in groups))
        for at in ranks
    )
    return Table("Share of the attention down to each rank", ("ranks", *groups), (fair, *rows))
