"""Charts of the effect of a new policy on the people scored by an old one."""

from collections.abc import Mapping
from itertools import pairwise

from markupsafe import Markup

from sesame_sdk.audit.report.charts.bar_rows import (
    MIDDLE,
    BarRow,
    bar_scale,
    draw_axis,
    draw_bar,
    draw_bar_rows,
    rows_height,
)
from sesame_sdk.audit.report.charts.figure import Figure, Table, make_figure
from sesame_sdk.audit.report.charts.scales import (
    Scale,
    format_count,
    format_points,
    format_share,
    format_signed,
    quote,
)
from sesame_sdk.audit.report.charts.svg import WIDTH, element, hatch_fill, join, label, line, text
from sesame_sdk.audit.report.model import GroupChange, PolicyChange

_HEIGHT, _HEAD, _FOOT = 130.0, 44.0, 24.0
#: A column shows its share above it if it is wide and large enough.
_MIN_COLUMN_WIDTH, _MIN_SHARE = 30.0, 0.005
#: Width of the old bands' names in the picture of transitions.
_NAMES = 112.0
_MAX_CELL_WIDTH, _MAX_CELL_HEIGHT = 112.0, 70.0


def draw_gains(change: PolicyChange) -> Figure:
    """Draw the share of people by points gained."""
    bins = [(*edges, share) for edges, share in zip(pairwise(change.edges), change.shares, strict=True)]
    scale = Scale(change.edges[0], change.edges[-1], 6, WIDTH - 6)
    peak, ground, zero = max(change.shares) or 1.0, _HEAD + _HEIGHT, scale(0)
    return make_figure(
        "gains",
        "Points gained and lost",
        _summarize_gains(change),
        "Each column is the share of people whose score changes by so many points. "
        "Striped columns lose, solid ones gain; the outlined one holds people with nearly the same score.",
        ground + _FOOT,
        (
            draw_axis(scale, _HEAD, ground, format_signed),
            *(_draw_column(left, right, share, scale, share / peak) for left, right, share in bins),
            line(zero, 4, zero, ground, "zero"),
            text(zero - 6, 15, "lose", "note", "end") if zero > 60 else Markup(),
            text(zero + 6, 15, "gain", "note") if zero < WIDTH - 60 else Markup(),
        ),
        Table(
            "Share of people by points gained",
            ("points gained", "people"),
            tuple(
                (f"{format_signed(left)} to {format_signed(right)}", format_share(share))
                for left, right, share in bins
            ),
        ),
    )


def _draw_column(left: float, right: float, share: float, scale: Scale, relative_height: float) -> Markup:
    width, height = max(scale(right) - scale(left) - 1, 0.5), relative_height * _HEIGHT
    top = _HEAD + _HEIGHT - height
    direction = "down" if right <= 0 else "up" if left >= 0 else "stay"
    column = _draw_rect("gains", direction, scale(left) + 0.5, top, width, height)
    if width < _MIN_COLUMN_WIDTH or share < _MIN_SHARE:
        return column
    return column + text(scale(left) + width / 2, top - 5, format_share(share), "in-cell", "middle")


def _draw_rect(picture: str, direction: str, x: float, y: float, width: float, height: float) -> Markup:
    fill = f"fill:{hatch_fill(picture)}" if direction == "down" else None
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
        element(
            "g",
            _draw_transition_row(change, at, width, height),
            transform=f"translate(0 {top + at * height:g})",
        )
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


def draw_group_changes(change: PolicyChange) -> Figure:
    """Draw the shares of each group whose scores fall and rise."""
    groups = change.groups
    shares = (share for group in groups.values() for share in (group.share_rising, group.share_falling))
    limit = max(shares, default=0.0) or 0.01
    scale = bar_scale([-limit, limit])
    rows = [
        BarRow(
            name,
            f"{format_share(group.share_falling)} fall, {format_share(group.share_rising)} rise",
            _draw_group(group, scale),
        )
        for name, group in groups.items()
    ]
    return make_figure(
        "movers",
        "Rises and falls by group",
        _summarize_groups(groups),
        "Striped, to the left: the share of the group whose score falls. "
        "Solid, to the right: the share whose score rises.",
        rows_height(len(rows)),
        (draw_bar_rows(rows, scale, lambda share: format_share(abs(share))),),
        make_group_table(change),
    )


def make_group_table(change: PolicyChange) -> Table:
    """Make the table of the effect on each group."""
    head = ("group", "people", "fall", "rise", "points on average", "largest fall")
    rows = tuple(
        (
            name,
            format_count(group.people),
            format_share(group.share_falling),
            format_share(group.share_rising),
            format_signed(group.mean_change),
            format_points(group.largest_fall),
        )
        for name, group in change.groups.items()
    )
    return Table("Effect on each group", head, rows)


def _draw_group(group: GroupChange, scale: Scale) -> Markup:
    fall = draw_bar(scale, 0, -group.share_falling, "movers", striped=True)
    rise = draw_bar(scale, 0, group.share_rising, "movers", striped=False)
    return fall + rise + line(scale(0), MIDDLE - 10, scale(0), MIDDLE + 10, "zero")


def _summarize_groups(groups: Mapping[str, GroupChange]) -> str:
    if not groups:
        return "No group has a score under both policies."
    name, worst = max(groups.items(), key=lambda item: item[1].share_falling)
    if worst.share_falling <= 0:
        return "No score falls."
    share, points = format_share(worst.share_falling), format_points(-worst.largest_fall)
    return f"The largest share falls in {quote(name)}: {share} of its people, by at most {points} points."
