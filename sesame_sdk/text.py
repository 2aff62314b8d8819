"""Makes text from outside safe to show: partners, plugins and policy files are written by anybody."""

import re
import unicodedata

#: Characters that no HTML document may hold (WHATWG HTML, 13.2.3.5), and halves of surrogate pairs.
_INVALID_IN_HTML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+")
#: Marks that reorder the text around them (Unicode 16, UAX 9); joiners stay, since scripts need them.
_BIDI_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def terminal_text(text: str) -> str:
    """Return text on one line, without control, bidi, hidden or broken characters: all of it is printable."""
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return "" if unicodedata.category(character) in ("Cf", "Cs") else " "


def html_text(text: str) -> str:
    """Return text on one line that an HTML page may hold, in the order in which it is read; not escaped."""
    return _BIDI_MARKS.sub("", _INVALID_IN_HTML.sub(" ", text))
