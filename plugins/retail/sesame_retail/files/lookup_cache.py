"""Looks up the values of thousands of short texts at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sesame_retail.files.field_parsers import MemoizedParser

Words = NDArray[np.uint64]
#: Bytes of a text that fits into one number; the first of them is the lowest.
WORD = 8
_BITS = 14
_SHIFT = np.uint64(64 - _BITS)
#: 2^64 by the golden ratio (Knuth, The Art of Computer Programming, volume 3, section 6.4): texts that
#: differ little get slots far apart.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
#: No text has these bytes.
_NONE = np.iinfo(np.uint64).max


class LookupCache:
    """Values of texts of up to eight bytes, by these as a number.

    Args:
        reader: parses a new text. Its value stays in a slot until another text takes it.
    """

    def __init__(self, reader: MemoizedParser[int]) -> None:
        self._reader = reader
        self._words = np.full(1 << _BITS, _NONE)
        self._values = np.zeros(1 << _BITS, np.int64)

    def look_up(self, words: Words) -> NDArray[np.int64]:
        """The value of each.

        Raises:
            Unreadable: one of them cannot be parsed.
        """
        slots = words * _SPREAD >> _SHIFT
        missed = self._words[slots] != words
        if missed.any():
            self._learn(np.unique(words[missed]))
        found: NDArray[np.int64] = self._values[slots]
        if not missed.any():
            return found
        for at in np.flatnonzero(self._words[slots] != words).tolist():  # another has taken the slot
            found[at] = self._reader[_text(words[at])]
        return found

    def parse(self, texts: Sequence[str]) -> list[int]:
        """The values of longer texts.

        Raises:
            Unreadable: one of them cannot be parsed.
        """
        return [self._reader[text] for text in texts]

    def _learn(self, words: Words) -> None:
        values = [self._reader[_text(word)] for word in words]
        slots = words * _SPREAD >> _SHIFT
        self._words[slots], self._values[slots] = words, values


def _text(word: np.uint64) -> str:
    found: bytes = word.astype("<u8").tobytes()
    return found.rstrip(b"\0").decode()
