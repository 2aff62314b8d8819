"""Shapes as escaped markup, the frame that gives a picture its title and description, and figures.

Lengths are in units of a picture that is `WIDTH` wide. The style sheet enlarges the text on a narrow page,
so every label has space for `MAX_FONT_SIZE`; labels may be cut short in a picture and never in its table.
Every number in a picture is in its table; colour always comes with a shape, line or pattern.
"""

import math
import unicodedata
from collections.abc import Iterable

from attrs import frozen
from markupsafe import Markup

from sesame_sdk.text import html_text

WIDTH = 480.0
#: Font size on the narrowest page, and the largest on other pages: see `svg text` in page.css.
MAX_FONT_SIZE, FONT_SIZE = 16.0, 12.0
#: Width of a character, as a share of the font size; East Asian wide characters take all of it.
_LETTER_WIDTH = 0.64

Content = str | Markup


@frozen
class Scale:
    """A linear scale from `low` at `start` to `high` at `end`. Values outside get the nearer end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Position of a value."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, max_ticks: int = 6) -> tuple[float, ...]:
        """At most `max_ticks` round values within the scale, rising."""
        step = _round_step((self.high - self.low) / max_ticks)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(number * step for number in range(first, last + 1))


def element(tag: str, *content: Content, **attributes: str | float | None) -> Markup:
    """Make an element. ``class_`` is its class; other underscores become hyphens; None omits an attribute."""
    written = (
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _value(value))
        for name, value in attributes.items()
        if value is not None
    )
    start = Markup("<{}{}").format(tag, join(written))
    return start + (Markup(">{}</{}>").format(join(content), tag) if content else Markup("/>"))


def join(shapes: Iterable[Content]) -> Markup:
    """Concatenate shapes; text is escaped."""
    return Markup("").join(shape if isinstance(shape, Markup) else html_text(shape) for shape in shapes)


def frame(
    name: str, title: str, summary: str, height: float, *shapes: Content, width: float = WIDTH
) -> Markup:
    """Make a picture; a screen reader reads out its title and summary."""
    named = {"role": "img", "aria_labelledby": f"{name}-t {name}-d", "class_": "picture"}
    return element(
        "svg",
        element("title", title, id=f"{name}-t"),
        element("desc", summary, id=f"{name}-d"),
        element("defs", _hatch(name)),
        *shapes,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        **named,
    )


@frozen
class Table:
    """Rows of text; the first cell of each is its header. The columns from `text_columns` on hold numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1


@frozen
class Figure:
    """A chart of the page, and the table of the same numbers.

    `id` is unique on the page, and starts every id within the picture. Screen readers read out `summary`;
    `legend` tells how to read the picture.
    """

    id: str
    title: str
    summary: str
    legend: str
    picture: Markup
    table: Table


def make_figure(
    id_: str, title: str, summary: str, legend: str, height: float, shapes: tuple[Content, ...], table: Table
) -> Figure:
    """Make a figure of shapes."""
    return Figure(id_, title, summary, legend, frame(id_, title, summary, height, *shapes), table)


def translate(shapes: Markup, x: float, y: float) -> Markup:
    """Move shapes right and down."""
    return element("g", shapes, transform=f"translate({x:g} {y:g})")


def hatch_fill(name: str) -> str:
    """The style of stripes, for values that fall or are past a bound, in the picture of that name."""
    return f"fill:url(#{name}-h)"


def text(x: float, y: float, content: str, class_: str | None = None, anchor: str | None = None) -> Markup:
    """Make a text whose baseline is at `y`."""
    return element("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Make a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def bar(x1: float, x2: float, y: float, height: float, class_: str, fill: str | None = None) -> Markup:
    """Make a bar between two positions, in either order; never too thin to see."""
    left, width = min(x1, x2), max(abs(x2 - x1), 0.75)
    return element("rect", x=left, y=y, width=width, height=height, class_=class_, style=fill)


def diamond(x: float, y: float, size: float, class_: str) -> Markup:
    """Make the mark of a value."""
    corners = ((x, y - size), (x + size, y), (x, y + size), (x - size, y))
    return element("polygon", points=" ".join(f"{_value(a)},{_value(b)}" for a, b in corners), class_=class_)


def path(points: Iterable[tuple[float, float]], class_: str, *, closed: bool = False) -> Markup:
    """Make a line through points."""
    through = "L".join(f"{_value(x)} {_value(y)}" for x, y in points)
    return element("path", d=f"M{through}{'Z' if closed else ''}", class_=class_)


def label(x: float, y: float, content: str, width: float, class_: str, anchor: str | None = None) -> Markup:
    """Make a label of at most `width` units; two of them, if the narrowest page needs a shorter one."""
    narrow, wide = truncate(content, width), truncate(content, width, FONT_SIZE)
    if narrow == wide:
        return text(x, y, wide, class_, anchor)
    return text(x, y, wide, f"{class_} wide", anchor) + text(x, y, narrow, f"{class_} narrow", anchor)


def text_width(content: str, size: float = MAX_FONT_SIZE) -> float:
    """Estimate the width of a text in units."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in content)
    return size * (_LETTER_WIDTH * (len(content) - wide) + wide)


def truncate(content: str, width: float, size: float = MAX_FONT_SIZE) -> str:
    """Truncate a text to so many units."""
    used = 0.0
    for at, char in enumerate(content):
        used += text_width(char, size)
        if used > width:
            return f"{content[: max(at - 1, 1)].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    return content


def _hatch(name: str) -> Markup:
    stripes = element("rect", width=5.0, height=5.0, class_="hatch-ground") + line(0, 0, 0, 5, "hatch-line")
    rotated = {"patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    return element("pattern", stripes, id=f"{name}-h", width=5.0, height=5.0, **rotated)


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        raise ValueError("a position in a picture must be finite")
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _round_step(min_step: float) -> float:
    power = 10.0 ** math.floor(math.log10(min_step))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= min_step * (1 - 1e-9))
