"""What a new policy does to the people of an old one."""

from collections.abc import Mapping
from itertools import pairwise

from markupsafe import Markup

from sesame_sdk.audit.report.charts.bar_rows import MIDDLE, THICK, TOP, Lane, across, axis, height, lanes
from sesame_sdk.audit.report.charts.figure import Figure, Table
from sesame_sdk.audit.report.charts.scales import Scale, count, points, quoted, share, signed
from sesame_sdk.audit.report.charts.svg import WIDTH, bar, el, frame, hatched, join, line, name, text
from sesame_sdk.audit.report.model import Change, Moved

_TALL, _HEAD, _FOOT = 130.0, 44.0, 24.0
#: A column has its share written above it if there is room, and anybody to speak of.
_ROOM, _NOTEWORTHY = 30.0, 0.005
#: The names of the old bands stand in so much of the picture of crossings.
_NAMES = 112.0
_WIDEST_CELL, _TALLEST_CELL = 112.0, 70.0


def gains(found: Change) -> Figure:
    """How many people gain or lose how much."""
    scale = Scale(found.edges[0], found.edges[-1], 6, WIDTH - 6)
    peak, ground = max(found.shares) or 1.0, _HEAD + _TALL
    columns = (
        _column(left, right, part, scale, part / peak * _TALL)
        for (left, right), part in zip(pairwise(found.edges), found.shares, strict=True)
    )
    title, says = "Who gains and who loses", _said_of_gains(found)
    drawn = (
        axis(scale, _HEAD, ground, signed),
        *columns,
        line(scale(0), 4, scale(0), ground, "zero"),
        _words(scale),
    )
    rows = tuple(
        (f"{signed(left)} to {signed(right)}", share(part))
        for (left, right), part in zip(pairwise(found.edges), found.shares, strict=True)
    )
    return Figure(
        id="gains",
        title=title,
        says=says,
        key="Each column is the share of people whose score moves by so many points. "
        "Striped ones lose, filled ones gain; an outlined one holds those who stay about where they were.",
        picture=frame("gains", title, says, ground + _FOOT, *drawn),
        table=Table("Share of people by points gained", ("points gained", "people"), rows),
    )


def _column(left: float, right: float, part: float, scale: Scale, tall: float) -> Markup:
    wide = max(scale(right) - scale(left) - 1, 0.5)
    way = "down" if right <= 0 else "up" if left >= 0 else "stay"
    fill = f"fill:{hatched('gains')}" if way == "down" else None
    place = {"x": scale(left) + 0.5, "y": _HEAD + _TALL - tall, "width": wide, "height": tall}
    column = el("rect", **place, class_=way, style=fill)
    if wide < _ROOM or part < _NOTEWORTHY:
        return column
    return column + text(scale(left) + wide / 2, _HEAD + _TALL - tall - 5, share(part), "in-cell", "middle")


def _words(scale: Scale) -> Markup:
    zero = scale(0)
    left = text(zero - 6, 15, "lose", "said", "end") if zero > 60 else Markup()
    return left + (text(zero + 6, 15, "gain", "said") if zero < WIDTH - 60 else Markup())


def _said_of_gains(found: Change) -> str:
    everybody = next(iter(found.groups.values()), None)
    if everybody is None:
        return "Nobody has a score under both policies."
    said = f"{share(everybody.rise)} of people gain and {share(everybody.fall)} lose"
    mean = f"{signed(everybody.mean)} points on average"
    if not found.gained and not found.lost:
        return f"{said}, {mean}; whoever had a score has one."
    return f"{said}, {mean}; {count(found.gained)} have a score only now, {count(found.lost)} no longer."


def crossings(found: Change) -> Figure:
    """From each old band to each new one: the larger the square, the more of the old band's people."""
    wide = min((WIDTH - _NAMES) / max(len(found.bands_after), 1), _WIDEST_CELL)
    tall, top = min(wide, _TALLEST_CELL), 46.0
    heads = join(
        name(_NAMES + (at + 0.5) * wide, 38, band, wide - 4, "label", "middle")
        for at, band in enumerate(found.bands_after)
    )
    rows = join(
        el("g", _crossing_row(found, at, wide, tall), transform=f"translate(0 {top + at * tall:g})")
        for at in range(len(found.bands_before))
    )
    title, says = "Who crosses into another band", _said_of_crossings(found)
    drawn = (text(_NAMES, 16, "new band", "said"), text(6, 38, "old band", "said"), heads, rows)
    cells = tuple(
        (band, *map(share, parts)) for band, parts in zip(found.bands_before, found.crossings, strict=True)
    )
    return Figure(
        id="crossings",
        title=title,
        says=says,
        key="Read along a row: of the people in the old band, the share in each new one. "
        "Outlined squares are people who stay; filled ones rise, striped ones fall.",
        picture=frame("crossings", title, says, top + tall * len(found.bands_before) + 8, *drawn),
        table=Table("Share of each old band by new band", ("old band", *found.bands_after), cells),
    )


def _crossing_row(found: Change, row: int, wide: float, tall: float) -> Markup:
    old = found.bands_before[row]
    cells = [name(6, tall / 2 + 5, old, _NAMES - 12, "label")]
    for at, (band, part) in enumerate(zip(found.bands_after, found.crossings[row], strict=True)):
        middle = _NAMES + (at + 0.5) * wide
        cells.append(el("rect", x=middle - wide / 2, y=0.0, width=wide, height=tall, class_="cell"))
        if part > 0:
            cells.append(_square(_way(found, old, band), middle, tall - 26, part))
            cells.append(text(middle, tall - 6, share(part), "in-cell", "middle"))
    return join(cells)


def _square(way: str, middle: float, room: float, part: float) -> Markup:
    side = room * part**0.5
    fill = f"fill:{hatched('crossings')}" if way == "down" else None
    place = {"x": middle - side / 2, "y": 4 + (room - side) / 2, "width": side, "height": side}
    return el("rect", **place, class_=way, style=fill)


def _way(found: Change, before: str, after: str) -> str:
    """Bands are the same by name; those that only one policy has are compared by their place."""
    if before == after:
        return "stay"
    names = found.bands_after if before in found.bands_after else found.bands_before
    if before in names and after in names:
        return "up" if names.index(after) > names.index(before) else "down"
    return "up" if found.bands_after.index(after) > found.bands_before.index(before) else "down"


def _said_of_crossings(found: Change) -> str:
    moves = [
        (part, before, after)
        for before, parts in zip(found.bands_before, found.crossings, strict=True)
        for after, part in zip(found.bands_after, parts, strict=True)
        if before != after and part > 0
    ]
    if not moves:
        return "Nobody crosses into another band."
    part, before, after = max(moves)
    moved = f"{share(part)} of those in {quoted(before)} are in {quoted(after)}"
    return f"The largest crossing: {moved} under the new policy."


def groups(found: Change) -> Figure:
    """Of each group, how many fall and how many rise."""
    most = max((max(own.rise, own.fall) for own in found.groups.values()), default=0.0) or 0.01
    scale = across([-most, most])
    rows = [
        Lane(name, f"{share(own.fall)} fall, {share(own.rise)} rise", _both_ways(own, scale))
        for name, own in found.groups.items()
    ]
    title, says = "Who rises and who falls", _said_of_groups(found.groups)
    head = ("group", "people", "fall", "rise", "points on average", "largest fall")
    cells = tuple(
        (name, count(own.people), share(own.fall), share(own.rise), signed(own.mean), points(own.worst))
        for name, own in found.groups.items()
    )
    return Figure(
        id="movers",
        title=title,
        says=says,
        key="Striped to the left: the share of the group whose score falls. "
        "Solid to the right: the share whose score rises.",
        picture=frame(
            "movers", title, says, height(len(rows)), lanes(rows, scale, lambda at: share(abs(at)))
        ),
        table=Table("How each group fares", head, cells),
    )


def _both_ways(own: Moved, scale: Scale) -> Markup:
    zero = scale(0)
    fall = bar(zero, scale(-own.fall), TOP, THICK, "down", hatched("movers"))
    return (
        fall
        + bar(zero, scale(own.rise), TOP, THICK, "up")
        + line(zero, MIDDLE - 10, zero, MIDDLE + 10, "zero")
    )


def _said_of_groups(found: Mapping[str, Moved]) -> str:
    if not found:
        return "No group has a score under both policies."
    name, worst = max(found.items(), key=lambda item: item[1].fall)
    if worst.fall <= 0:
        return "No score falls."
    by = f"by at most {points(-worst.worst)} points"
    return f"Most fall in {quoted(name)}: {share(worst.fall)} of its people, {by}."
