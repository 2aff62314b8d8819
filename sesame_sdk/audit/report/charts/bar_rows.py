"""Bars one under the other: a label and a value, and the bar below them, on one scale.

A label above its bar may be long on the narrowest screen, where one beside it could not be.
"""

from collections.abc import Callable, Sequence

from attrs import frozen
from markupsafe import Markup

from sesame_sdk.audit.report.charts.scales import Scale, tick
from sesame_sdk.audit.report.charts.svg import WIDTH, breadth, el, join, line, name, text

#: From one lane to the next, and where in a lane its letters stand and its bar lies.
PITCH, LETTERS, TOP, THICK = 42.0, 15.0, 20.0, 11.0
MIDDLE = TOP + THICK / 2
#: Room above for a word about a bound, and below for the axis.
ABOVE, BELOW = 20.0, 24.0
#: Between a label and its value, at least.
_BETWEEN = 14.0
_INSET = 6.0


@frozen
class Lane:
    """One line.

    Attributes:
        label: whose it is.
        value: what it comes to, in words.
        shapes: drawn with 0 at the lane's top.
        strong: whether it is a sum.
    """

    label: str
    value: str
    shapes: Markup
    strong: bool = False


def across(values: Sequence[float], *, margin: float = 0.02, end: float = WIDTH - _INSET) -> Scale:
    """The scale of lanes that hold all `values`; it may end before the letters of the values do."""
    low, high = min(values), max(values)
    free = (high - low) * margin if high > low else max(abs(high), 1.0)
    return Scale(low - free, high + free, _INSET, end)


def height(number: int) -> float:
    """Of a picture of so many lanes."""
    return ABOVE + number * PITCH + BELOW


def lanes(rows: Sequence[Lane], scale: Scale, shown: Callable[[float], str] = tick) -> Markup:
    """All lanes, with the axis below."""
    foot = ABOVE + len(rows) * PITCH
    return axis(scale, ABOVE, foot, shown) + join(
        el("g", _letters(row), row.shapes, transform=f"translate(0 {ABOVE + at * PITCH:g})")
        for at, row in enumerate(rows)
    )


def axis(scale: Scale, top: float, foot: float, shown: Callable[[float], str] = tick) -> Markup:
    """Fine lines at round values, with the numbers at their feet."""
    places = [(scale(value), shown(value)) for value in scale.ticks(5)]
    return join(
        line(x, top, x, foot, "grid") + text(x, foot + 17, said, "tick", _anchor(x)) for x, said in places
    )


def bound(scale: Scale, value: float, number: int, said: str) -> Markup:
    """A line through all lanes at a value that matters, with a word above."""
    x = scale(value)
    anchor = "end" if x > WIDTH / 2 else "start"
    beside = x - 5 if anchor == "end" else x + 5
    return line(x, 4, x, ABOVE + number * PITCH, "bound") + text(beside, 14, said, "said", anchor)


def _letters(row: Lane) -> Markup:
    strong = " strong" if row.strong else ""
    room = WIDTH - 2 * _INSET - _BETWEEN - breadth(row.value)
    label = name(_INSET, LETTERS, row.label, room, f"label{strong}")
    if not row.value:
        return label
    return label + text(WIDTH - _INSET, LETTERS, row.value, f"value{strong}", "end")


def _anchor(x: float) -> str:
    if x < 24:
        return "start"
    return "end" if x > WIDTH - 24 else "middle"
