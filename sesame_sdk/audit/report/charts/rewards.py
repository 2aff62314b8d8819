"""What a policy rewards: what each kind comes to among people."""

from collections.abc import Sequence

from markupsafe import Markup

from sesame_sdk.audit.report.charts.bar_rows import (
    ABOVE,
    MIDDLE,
    PITCH,
    THICK,
    TOP,
    Lane,
    across,
    height,
    lanes,
)
from sesame_sdk.audit.report.charts.figure import Figure, Table
from sesame_sdk.audit.report.charts.scales import Scale, points, quoted, share, signed, tick
from sesame_sdk.audit.report.charts.svg import bar, el, frame, hatched, line
from sesame_sdk.audit.report.model import Reward


def rewards(found: Sequence[Reward]) -> Figure:
    """What each kind comes to: the mean as a bar either way, the reach as a line."""
    scale = across([0.0, *(value for own in found for value in (own.least, own.most, own.mean))])
    rows = [Lane(own.reason or own.kind, signed(own.mean), _reward(own, scale)) for own in found]
    title, says = "What the policy rewards", _said_of_rewards(found)
    head = ("what people do", "kind", "points on average", "at worst", "at best", "people reached")
    cells = tuple(
        (
            own.reason or own.kind,
            own.kind,
            signed(own.mean),
            signed(own.least),
            signed(own.most),
            share(own.reached),
        )
        for own in found
    )
    return Figure(
        id="rewards",
        title=title,
        says=says,
        key="The bar is the mean over everybody who has a score: solid adds, striped takes. "
        "The line reaches from the most that it took from anybody to the most that it gave.",
        picture=frame(
            "rewards",
            title,
            says,
            height(len(rows)),
            _zero(scale, len(rows)),
            lanes(rows, scale, _tick_of_points),
        ),
        table=Table("Points by kind", head, cells, words=2),
    )


def _reward(own: Reward, scale: Scale) -> Markup:
    down = own.mean < 0
    ends = (scale(own.least), scale(own.most))
    reach = line(ends[0], MIDDLE, ends[1], MIDDLE, "reach")
    caps = (line(x, MIDDLE - 4, x, MIDDLE + 4, "reach") for x in ends)
    fill = hatched("rewards") if down else None
    return el("g", reach, *caps, bar(scale(0), scale(own.mean), TOP, THICK, "down" if down else "up", fill))


def _zero(scale: Scale, number: int) -> Markup:
    return line(scale(0), ABOVE, scale(0), ABOVE + number * PITCH, "zero")


def _tick_of_points(value: float) -> str:
    return signed(value) if abs(value) >= 0.01 or value == 0 else tick(value)


def _said_of_rewards(found: Sequence[Reward]) -> str:
    gives = max(found, key=lambda own: own.mean)
    takes = min(found, key=lambda own: own.mean)
    gives_name, takes_name = quoted(gives.reason or gives.kind), quoted(takes.reason or takes.kind)
    given = f"{gives_name} gives the most on average, {points(gives.mean)} points"
    if gives.mean <= 0:
        given = "No kind gives points on average"
    if takes.mean >= 0:
        return f"{given}; none takes any on average."
    return f"{given}; {takes_name} takes the most, {points(-takes.mean)}."
