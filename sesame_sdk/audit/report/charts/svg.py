"""Shapes as escaped markup, and the frame that gives a picture its title and description.

Lengths are in units of a picture that is `WIDTH` wide. It is shown as wide as the page allows; the
style sheet makes its letters larger where that is narrow, so every label has room for `LARGEST`.
"""

import math
import unicodedata
from collections.abc import Iterable

from markupsafe import Markup

from sesame_sdk.text import html_text

WIDTH = 480.0
#: Letters on the narrowest page, and on the others at most, in units: see `svg text` in page.css.
LARGEST, USUAL = 16.0, 12.0
#: How wide an ordinary letter is, as a share of its height; wide ones take it all.
_LETTER = 0.64

Inside = str | Markup


def el(tag: str, *inside: Inside, **attributes: str | float | None) -> Markup:
    """One element. ``class_`` is its class; other underscores are hyphens; None leaves an attribute out."""
    written = (
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _value(value))
        for name, value in attributes.items()
        if value is not None
    )
    start = Markup("<{}{}").format(tag, join(written))
    return start + (Markup(">{}</{}>").format(join(inside), tag) if inside else Markup("/>"))


def join(shapes: Iterable[Inside]) -> Markup:
    """Shapes one after the other."""
    return Markup("").join(shape if isinstance(shape, Markup) else html_text(shape) for shape in shapes)


def frame(name: str, title: str, says: str, height: float, *shapes: Inside, width: float = WIDTH) -> Markup:
    """A picture: read out as one image, by its title and the sentence that it states."""
    named = {"role": "img", "aria_labelledby": f"{name}-t {name}-d", "class_": "picture"}
    return el(
        "svg",
        el("title", title, id=f"{name}-t"),
        el("desc", says, id=f"{name}-d"),
        el("defs", _hatch(name)),
        *shapes,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        **named,
    )


def hatched(name: str) -> str:
    """The fill of what goes down or is past a bound, in the picture of that name."""
    return f"url(#{name}-h)"


def text(x: float, y: float, said: str, class_: str | None = None, anchor: str | None = None) -> Markup:
    """Letters whose baseline is at `y`."""
    return el("text", said, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight one."""
    return el("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def bar(x1: float, x2: float, y: float, height: float, class_: str, fill: str | None = None) -> Markup:
    """A bar between two places, in either order; never thinner than a hair."""
    left, width = min(x1, x2), max(abs(x2 - x1), 0.75)
    return el("rect", x=left, y=y, width=width, height=height, class_=class_, style=_fill(fill))


def diamond(x: float, y: float, size: float, class_: str) -> Markup:
    """A mark for one value."""
    corners = ((x, y - size), (x + size, y), (x, y + size), (x - size, y))
    return el("polygon", points=" ".join(f"{_value(a)},{_value(b)}" for a, b in corners), class_=class_)


def path(places: Iterable[tuple[float, float]], class_: str, *, closed: bool = False) -> Markup:
    """A line through places."""
    through = "L".join(f"{_value(x)} {_value(y)}" for x, y in places)
    return el("path", d=f"M{through}{'Z' if closed else ''}", class_=class_)


def name(x: float, y: float, said: str, width: float, class_: str, anchor: str | None = None) -> Markup:
    """A label with room for so many units; where the narrowest page must cut it shorter, one for each."""
    narrow, usual = cut(said, width), cut(said, width, USUAL)
    if narrow == usual:
        return text(x, y, usual, class_, anchor)
    return text(x, y, usual, f"{class_} usual", anchor) + text(x, y, narrow, f"{class_} narrow", anchor)


def breadth(said: str, size: float = LARGEST) -> float:
    """About how many units letters take."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in said)
    return size * (_LETTER * (len(said) - wide) + wide)


def cut(said: str, width: float, size: float = LARGEST) -> str:
    """As much of a label as fits in so many units."""
    taken = 0.0
    for at, letter in enumerate(said):
        taken += breadth(letter, size)
        if taken > width:
            return f"{said[: max(at - 1, 1)].rstrip()}\N{HORIZONTAL ELLIPSIS}"
    return said


def _hatch(name: str) -> Markup:
    stripes = el("rect", width=5.0, height=5.0, class_="hatch-ground") + line(0, 0, 0, 5, "hatch-line")
    turned = {"patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    return el("pattern", stripes, id=f"{name}-h", width=5.0, height=5.0, **turned)


def _fill(fill: str | None) -> str | None:
    return f"fill:{fill}" if fill else None


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        raise ValueError("a place in a picture must be finite")
    return f"{value:.2f}".rstrip("0").rstrip(".")
