"""Text from outside, fit for a page: policies, kinds and plugins are written by anybody.

Markup is escaped elsewhere; this takes out what no page may hold, or what would turn letters around it.
"""

import re

#: Characters that no HTML document may hold (WHATWG HTML, 13.2.3.5), and halves of pairs.
_NEVER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+")
#: Marks that reorder what stands around them (Unicode 16, UAX 9); joiners stay, scripts need them.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def legible(said: str) -> str:
    """The same on one line, in the order in which it is read."""
    return _TURNING.sub("", _NEVER.sub(" ", said))
