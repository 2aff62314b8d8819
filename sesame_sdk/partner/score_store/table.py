"""The score book in memory: columns, and a table of hashes to find a person's row in them. Pure.

Ten thousand people are looked up in one go, by numpy: a dict would visit a million people's keys one by
one, and each visit waits for memory. A person is known by 128 bits mixed from the pseudonym: two of
them would have to agree by chance for one to get the other's score, once in 10^26 for a million people.

Rules:
    * of two states of a person the one with the higher number holds, in whatever order they come
    * who left keeps a row without points, so that nothing older can bring them back
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Values = NDArray[np.float64]
Numbers = NDArray[np.int64]
_Any = NDArray[Any]

_LEAST = 1 << 10
_NOWHERE = np.int32(-1)
# Odd, and good at spreading bits: from SplitMix64 (Steele, Lea, Flood 2014) and its relatives.
_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03))
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_HALF = np.uint64(32)
_WORD = 8


def hash_subjects(subjects: Sequence[str]) -> Keys:
    """The 128 bits of each pseudonym: an array of shape (n, 2)."""
    if not subjects:
        return np.empty((0, 2), np.uint64)
    words = _as_words(subjects)
    padded = [not word.all() for word in words]
    keys = np.empty((len(subjects), 2), np.uint64)
    for lane in range(2):
        keys[:, lane] = _mixed(words, padded, _ODD[lane], _MIX[lane])
    return keys


def _mixed(
    words: NDArray[np.uint64], padded: Sequence[bool], odd: np.uint64, mix: np.uint64
) -> NDArray[np.uint64]:
    """64 bits of each column. Every step can be undone, so columns that differ in one word never agree."""
    mixed = np.full(words.shape[1], odd)
    high = np.empty_like(mixed)
    for word, short in zip(words, padded, strict=True):
        before = mixed.copy() if short else None
        mixed ^= word
        mixed *= mix
        mixed ^= np.right_shift(mixed, _HALF, out=high)
        if before is not None:  # padding, of which there is more beside a longer neighbour, says nothing
            mixed = np.where(word == 0, before, mixed)
    mixed *= odd
    mixed ^= np.right_shift(mixed, _HALF, out=high)
    return mixed


def _as_words(subjects: Sequence[str]) -> NDArray[np.uint64]:
    """Each pseudonym, a line end, and zeros up to whole 64-bit words: an array of shape (words, n).

    The words are of little-endian bytes, the same on every machine.
    """
    length = len(subjects[0])
    wide = -(-(length + 1) // _WORD) * _WORD
    end = "\n" + "\0" * (wide - length - 1)
    joined = (end.join(subjects) + end).encode("utf-8", "surrogatepass")
    letters = np.frombuffer(joined, np.uint8)
    # Those that the SDK makes have one length, and are cut apart all at once.
    if len(joined) != wide * len(subjects) or (letters[length::wide] != ord("\n")).any():
        encoded = [subject.encode("utf-8", "surrogatepass") + b"\n" for subject in subjects]
        wide = -(-max(map(len, encoded)) // _WORD) * _WORD
        letters = np.array(encoded, dtype=f"S{wide}").view(np.uint8)
    words = letters.view("<u8").reshape(len(subjects), -1)
    return np.ascontiguousarray(words.T, np.uint64)


class ScoreTable:
    """People's latest states.

    Attributes:
        count: how many rows there are, those of people who left among them. A person's row never changes.
        version: how often something was taken in.
    """

    def __init__(self, room: int = _LEAST) -> None:
        self.count = self.version = 0
        self._keys = np.empty((room, 2), np.uint64)
        self._seq = np.empty(room, np.int64)
        self._points = np.empty(room, np.float64)
        self._label = np.empty(room, np.int32)
        self._index(room)

    def find(self, keys: Keys) -> Numbers:
        """The row of each key; -1 where there is none."""
        place = keys[:, 0] & self._mask
        rows = self._table.take(place)
        left = np.flatnonzero(self._others(rows, keys))
        while len(left):
            place[left] = (place[left] + np.uint64(1)) & self._mask
            rows[left] = found = self._table.take(place[left])
            left = left[self._others(found, keys[left])]
        return rows.astype(np.int64)

    def _others(self, rows: NDArray[np.int32], keys: Keys) -> NDArray[np.bool_]:
        """Where a row is somebody else's: neither nobody's nor the one of the key."""
        if not self.count:
            return np.zeros(len(rows), np.bool_)
        same: NDArray[np.bool_] = self._keys.take(rows, axis=0, mode="wrap") == keys
        return np.asarray((rows >= 0) & ~(same[:, 0] & same[:, 1]))

    def points(self, keys: Keys) -> Values:
        """The points of each; NaN for whoever has none."""
        return self.points_at(self.find(keys))

    def points_at(self, rows: Numbers) -> Values:
        """The same where the rows are known."""
        found = self._points.take(rows, mode="wrap")
        found[rows < 0] = np.nan
        return found

    def labels(self, keys: Keys) -> Numbers:
        """The label of each; -1 for whoever is not here."""
        rows = self.find(keys)
        return np.where(rows < 0, -1, self._label.take(rows, mode="wrap"))

    def upsert(self, keys: Keys, seq: Numbers, points: Values, label: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Take in states. Which of them were news: the others are older than what is here."""
        latest = _latest(keys, seq)
        rows = self.find(keys[latest])
        news = (rows < 0) | (self._seq[rows] < seq[latest])
        taken, rows = latest[news], rows[news]
        new = rows < 0
        rows[new] = self._add(keys[taken[new]])
        self._seq[rows], self._points[rows], self._label[rows] = seq[taken], points[taken], label[taken]
        self.version += 1
        told = np.zeros(len(keys), np.bool_)
        told[taken] = True
        return told

    def count_scores(self) -> int:
        """How many people have points."""
        return int(np.count_nonzero(~np.isnan(self._points[: self.count])))

    def sum_points(self) -> float:
        """The sum of all points, by which two books can be compared."""
        return float(np.nansum(self._points[: self.count]))

    def dump(self, *, since: int) -> tuple[bytes, bytes, bytes, bytes]:
        """All rows but those of people who left before the state numbered `since`: see `load`."""
        n = self.count
        kept = np.flatnonzero(~np.isnan(self._points[:n]) | (self._seq[:n] >= since))
        # In the order of the table, which is then filled from end to end, and not here and there.
        kept = kept[np.argsort(self._keys[kept, 0] & np.uint64(_size_for(len(kept)) - 1), kind="stable")]
        parts = (self._keys, self._seq, self._points, self._label)
        keys, seq, points, label = (
            part[kept].astype(part.dtype.newbyteorder("<"), copy=False).tobytes() for part in parts
        )
        return keys, seq, points, label

    @classmethod
    def load(cls, keys: bytes, seq: bytes, points: bytes, label: bytes) -> Self:
        """Columns from what `dump` gave."""
        if not seq:
            return cls()
        made = cls(0)
        made._keys = np.frombuffer(keys, "<u8").astype(np.uint64).reshape(-1, 2)
        made._seq = np.frombuffer(seq, "<i8").astype(np.int64)
        made._points = np.frombuffer(points, "<f8").astype(np.float64)
        made._label = np.frombuffer(label, "<i4").astype(np.int32)
        made.count = len(made._seq)
        made._index(made.count)
        return made

    def _add(self, keys: Keys) -> Numbers:
        """Rows for keys that are not here, each once."""
        first, self.count = self.count, self.count + len(keys)
        if self.count > len(self._seq):
            self._grow(2 * self.count)
        rows = np.arange(first, self.count)
        self._keys[rows] = keys
        if _size_for(self.count) > len(self._table):
            self._index(2 * self.count)
        else:
            self._enter(rows)
        return rows

    def _grow(self, room: int) -> None:
        for name in ("_keys", "_seq", "_points", "_label"):
            old = getattr(self, name)
            new = np.empty((room, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def _index(self, room: int) -> None:
        """Make the table of hashes."""
        size = _size_for(room)
        self._table = np.full(size, _NOWHERE)
        self._mask = np.uint64(size - 1)
        self._enter(np.arange(self.count))

    def _enter(self, rows: Numbers) -> None:
        """Enter rows into the table: each at the first free place from its own on."""
        place = self._keys[rows, 0] & self._mask
        while len(rows):
            free = self._table[place] < 0
            # Of several that want one place the last one written has it; the others go on.
            self._table[place[free]] = rows[free]
            settled = self._table[place] == rows
            rows, place = rows[~settled], (place[~settled] + np.uint64(1)) & self._mask


def _size_for(rows: int) -> int:
    """A quarter full at most: where it is half full, the last of ten thousand are found at the 26th try."""
    return 1 << max(_LEAST, 4 * rows - 1).bit_length()


def _latest(keys: Keys, seq: Numbers) -> Numbers:
    """Where each key stands with its highest number, in ascending order of places."""
    order = np.lexsort((seq, keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return np.sort(order[last])


__all__ = ["Keys", "Numbers", "ScoreTable", "Values", "hash_subjects"]
