"""Texts as one array of code units, so that numpy and not Python walks along them.

Rules:
1. Posts are laid end to end with a NUL between; a NUL of their own is taken out first.
2. Letters lose their case, full-width forms their width, digits their value; control characters are blanks.
3. Blanks and any unit said three times and more are cut short: ``noooo`` and ``noo`` are one word.
4. Whatever cannot be read (half a surrogate pair) is a unit like any other: no text raises.
"""

import html
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

Bools: TypeAlias = NDArray[np.bool_]
Bytes: TypeAlias = NDArray[np.uint8]
Units: TypeAlias = NDArray[np.uint16]
Buckets: TypeAlias = NDArray[np.uint32]
Hashes: TypeAlias = NDArray[np.uint64]
Ints: TypeAlias = NDArray[np.int64]
Weights: TypeAlias = NDArray[np.int16]
Floats: TypeAlias = NDArray[np.float64]


#: Of a post, in characters; what comes after is not looked at.
MAX_CHARACTERS = 10_000
#: Sorts of unit, in `SORT`.
OTHER, LETTER, DIGIT, HAN = 0, 1, 2, 3
_CASED = 0x2500  # above it stand signs, Han and forms of compatibility, none of which has a case
_FULL_WIDTH = range(0xFF01, 0xFF5F)


@frozen
class NormalizedText:
    """A batch of posts.

    Attributes:
        units: UTF-16 code units, folded; a NUL before each post and one at the end.
        starts: where each post begins, and at last the end of all: one more than there are posts.
        capitals: how many plain capital letters each post had.
    """

    units: Units
    starts: Ints
    capitals: Ints

    def select(self, keep: Bools) -> "NormalizedText":
        """Without the units that are not to be kept; NULs always are."""
        before = np.concatenate(([0], np.cumsum(keep)))
        return evolve(self, units=self.units[keep], starts=before[self.starts])


def normalize(texts: Sequence[str]) -> NormalizedText:
    """Lay the posts end to end. Empty posts stay, with nothing between their NULs."""
    joined = "\0".join(["", *[text[:MAX_CHARACTERS].replace("\0", " ") for text in texts], ""])
    if "&" in joined:
        joined = html.unescape(joined)
    raw = np.frombuffer(joined.encode("utf-16-le", "surrogatepass"), dtype="<u2")
    posts = np.flatnonzero(raw == 0) + 1
    capitals = np.diff(np.cumsum((raw >= ord("A")) & (raw <= ord("Z")))[posts - 1])
    return _shortened(NormalizedText(normalization_table()[raw], posts, capitals))


def _shortened(folded: NormalizedText) -> NormalizedText:
    """Runs cut to one blank, and to two of anything else but digits: their number matters."""
    units = folded.units
    once = np.zeros(len(units), dtype=bool)
    once[1:] = units[1:] == units[:-1]
    thrice = once.copy()
    thrice[2:] &= once[1:-1]
    thrice[:2] = False
    drop = (once & (units == 32)) | (thrice & (character_classes()[units] != DIGIT))
    drop &= units != 0
    return folded.select(~drop)


@cache
def normalization_table() -> Units:
    """What each UTF-16 code unit becomes."""
    table = np.arange(1 << 16, dtype=np.uint16)
    for code in range(1, _CASED):
        table[code] = _plain(chr(code))
    for code in _FULL_WIDTH:
        table[code] = table[code - 0xFEE0]
    table[0x3000] = 32
    table[[0x200B, 0x200C, 0x200D, 0x2060, 0xFE0E, 0xFE0F, 0xFEFF]] = 32
    table.setflags(write=False)
    return table


def _plain(letter: str) -> int:
    if unicodedata.category(letter)[0] in "CZ":
        return 32
    if letter.isdecimal():
        return ord("0")
    lowered = unicodedata.normalize("NFKD", letter.lower())
    # A ligature or a fraction would become several: it stays what it is. Accents go: é is e.
    bare = "".join(mark for mark in lowered if not unicodedata.combining(mark))
    return ord(bare) if len(bare) == 1 and ord(bare) < 1 << 16 else ord(letter)


@cache
def character_classes() -> Bytes:
    """Of each folded unit: `LETTER`, `DIGIT`, `HAN` or `OTHER`."""
    table = np.zeros(1 << 16, dtype=np.uint8)
    for code in range(1, _CASED):
        table[code] = LETTER if chr(code).isalpha() else OTHER
    table[ord("_")] = LETTER
    table[ord("0")] = DIGIT
    table[0x3400:0xA000] = table[0xF900:0xFB00] = HAN
    table.setflags(write=False)
    return table
