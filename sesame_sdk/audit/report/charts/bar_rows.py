"""Rows of bars on one scale: a label and a value, and the bar below them, also on the narrowest screen."""

from collections.abc import Callable, Sequence

from attrs import frozen
from markupsafe import Markup

from sesame_sdk.audit.report.charts.scales import Scale, format_tick
from sesame_sdk.audit.report.charts.svg import (
    WIDTH,
    bar,
    element,
    hatch_fill,
    join,
    label,
    line,
    text,
    text_width,
)

#: Height of a row, baseline of its text, and top and thickness of its bar.
PITCH, BASELINE, TOP, THICKNESS = 42.0, 15.0, 20.0, 11.0
MIDDLE = TOP + THICKNESS / 2
#: Space above the rows for the name of a bound, and below them for the axis.
ABOVE, BELOW = 20.0, 24.0
#: Least distance between a label and its value.
_GAP = 14.0
_INSET = 6.0


@frozen
class BarRow:
    """A row; a strong one is a total. Its shapes are drawn with 0 at the row's top."""

    label: str
    value: str
    shapes: Markup
    strong: bool = False


def bar_scale(values: Sequence[float], *, margin: float = 0.02, end: float = WIDTH - _INSET) -> Scale:
    """Make the scale of rows that hold all `values`; it may end before the text of the values does."""
    low, high = min(values), max(values)
    free = (high - low) * margin if high > low else max(abs(high), 1.0)
    return Scale(low - free, high + free, _INSET, end)


def rows_height(rows: int) -> float:
    """Height of a picture of so many rows."""
    return ABOVE + rows * PITCH + BELOW


def draw_bar_rows(
    rows: Sequence[BarRow], scale: Scale, format_value: Callable[[float], str] = format_tick
) -> Markup:
    """Draw all rows, with the axis below."""
    bottom = ABOVE + len(rows) * PITCH
    return draw_axis(scale, ABOVE, bottom, format_value) + join(
        element("g", _row_text(row), row.shapes, transform=f"translate(0 {ABOVE + at * PITCH:g})")
        for at, row in enumerate(rows)
    )


def draw_bar(scale: Scale, start: float, end: float, picture: str, *, striped: bool) -> Markup:
    """Draw the bar of a row, solid or striped, from one value to another."""
    fill = hatch_fill(picture) if striped else None
    return bar(scale(start), scale(end), TOP, THICKNESS, "down" if striped else "up", fill)


def draw_axis(
    scale: Scale, top: float, bottom: float, format_value: Callable[[float], str] = format_tick
) -> Markup:
    """Draw fine lines at round values, with the numbers below them."""
    ticks = [(scale(value), format_value(value)) for value in scale.ticks(5)]
    return join(
        line(x, top, x, bottom, "grid") + text(x, bottom + 17, value, "tick", _anchor(x))
        for x, value in ticks
    )


def draw_bound(scale: Scale, value: float, rows: int, name: str) -> Markup:
    """Draw a line through all rows at a value, with a name above."""
    x = scale(value)
    anchor, beside = ("end", x - 5) if x > WIDTH / 2 else ("start", x + 5)
    return line(x, 4, x, ABOVE + rows * PITCH, "bound") + text(beside, 14, name, "note", anchor)


def _row_text(row: BarRow) -> Markup:
    strong = " strong" if row.strong else ""
    width = WIDTH - 2 * _INSET - _GAP - text_width(row.value)
    row_label = label(_INSET, BASELINE, row.label, width, f"label{strong}")
    if not row.value:
        return row_label
    return row_label + text(WIDTH - _INSET, BASELINE, row.value, f"value{strong}", "end")


def _anchor(x: float) -> str:
    if x < 24:
        return "start"
    return "end" if x > WIDTH - 24 else "middle"
