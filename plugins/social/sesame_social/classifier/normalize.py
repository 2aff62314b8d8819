"""Normalizes texts into one array of code units, for numpy to process.

Rules:
1. Posts are concatenated with a NUL between them; NULs of their own become blanks first.
2. Canonically equivalent posts become equal (UAX 15). Default-ignorable characters (Unicode, section 5.21)
   are removed and leave no blank: a joiner within a word or an emoji does not divide it.
3. Case, width and accents of letters and values of digits are removed; control characters become blanks.
4. Runs of blanks become one, and runs of any other unit at most two: ``noooo`` and ``noo`` are one word.
5. An invalid unit (half a surrogate pair) is a unit like any other: no text raises an error.
"""

import html
import re
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

#: Only so many characters of a post are read.
MAX_CHARACTERS = 10_000
#: Most characters that one is decomposed into (U+0390 and others in NFD).
_MAX_DECOMPOSED = 4
#: Classes of characters.
OTHER, LETTER, DIGIT, HAN = 0, 1, 2, 3
_CASED = 0x2500  # above it are symbols, Han and compatibility forms, none of which has a case
_FULL_WIDTH = range(0xFF01, 0xFF5F)
#: Private-use characters, of which the classifier has signs of its own: those of a post become blanks.
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
#: Default_Ignorable_Code_Point of Unicode 16, for a class of characters in a pattern.
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_IGNORABLES = re.compile(f"[{IGNORABLE}]+")
#: Accents that no letter is composed with; those of composed letters are removed as well.
_ACCENTS = re.compile("[\u0300-\u036f]+")


@frozen
class NormalizedText:
    """A batch of posts, as normalized UTF-16 code units with a NUL before each post and one at the end.

    `starts` has the index of the first unit of each post, and the end of all units: one more than there are
    posts. `capitals` counts the plain capital letters of each post.
    """

    units: Units
    starts: Ints
    capitals: Ints

    def select(self, keep: Bools) -> "NormalizedText":
        """Select units; NULs must be among them."""
        before = np.concatenate(([0], np.cumsum(keep)))
        return evolve(self, units=self.units[keep], starts=before[self.starts])


def normalize(texts: Sequence[str]) -> NormalizedText:
    """Normalize and concatenate posts. An empty post has no units between its NULs."""
    return encode(join(texts))


def join(texts: Sequence[str]) -> str:
    """Concatenate posts, with a NUL before each and one at the end, without what is ignorable."""
    joined = "\0".join(["", *[_shorten(text).replace("\0", " ") for text in texts], ""])
    return _compose(html.unescape(joined) if "&" in joined else joined)


def encode(joined: str) -> NormalizedText:
    """Normalize posts that are joined."""
    raw = np.frombuffer(joined.encode("utf-16-le", "surrogatepass"), dtype="<u2")
    posts = np.flatnonzero(raw == 0) + 1
    capitals = np.diff(np.cumsum((raw >= ord("A")) & (raw <= ord("Z")))[posts - 1])
    return _shorten_runs(NormalizedText(normalization_table()[raw], posts, capitals))


def _shorten(text: str) -> str:
    """The first characters of a post, counted after composition: equivalent posts end at the same one."""
    if len(text) <= MAX_CHARACTERS:
        return text
    return _compose(text[: _MAX_DECOMPOSED * MAX_CHARACTERS])[:MAX_CHARACTERS]


def _compose(text: str) -> str:
    """Remove what is ignorable and the classifier's signs, and compose letters and their accents."""
    if text.isascii():
        return text
    text = _PRIVATE_USE.sub(" ", _IGNORABLES.sub("", text))
    return _ACCENTS.sub("", unicodedata.normalize("NFC", text))


def _shorten_runs(normalized: NormalizedText) -> NormalizedText:
    """Shorten runs to one blank, and to two of any other unit but digits: their number matters."""
    units = normalized.units
    repeated = np.zeros(len(units), dtype=bool)
    repeated[1:] = units[1:] == units[:-1]
    thirds = repeated.copy()
    thirds[2:] &= repeated[1:-1]
    thirds[:2] = False
    drop = (repeated & (units == 32)) | (thirds & (character_classes()[units] != DIGIT))
    drop &= units != 0
    return normalized.select(~drop)


@cache
def normalization_table() -> Units:
    """The normalized form of each UTF-16 code unit."""
    table = np.arange(1 << 16, dtype=np.uint16)
    for code in range(1, _CASED):
        table[code] = _normalize_char(chr(code))
    for code in _FULL_WIDTH:
        table[code] = table[code - 0xFEE0]
    table[0x3000] = 32
    table.setflags(write=False)
    return table


def _normalize_char(char: str) -> int:
    if unicodedata.category(char)[0] in "CZ":
        return 32
    if char.isdecimal():
        return ord("0")
    lowered = unicodedata.normalize("NFKD", char.lower())
    # A ligature or a fraction would become several units: it stays. Accents are removed: é is e.
    bare = "".join(mark for mark in lowered if not unicodedata.combining(mark))
    return ord(bare) if len(bare) == 1 and ord(bare) < 1 << 16 else ord(char)


@cache
def character_classes() -> Bytes:
    """The class of each normalized unit: `LETTER`, `DIGIT`, `HAN` or `OTHER`."""
    table = np.zeros(1 << 16, dtype=np.uint8)
    for code in range(1, _CASED):
        table[code] = LETTER if chr(code).isalpha() else OTHER
    table[ord("_")] = LETTER
    table[ord("0")] = DIGIT
    table[0x3400:0xA000] = table[0xF900:0xFB00] = HAN
    table.setflags(write=False)
    return table
