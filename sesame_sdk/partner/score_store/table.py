"""Stores scores in memory: columns, and a hash table of their rows. Pure.

Numpy looks up ten thousand subjects at once: a dict would access the keys of a million subjects one by one,
and each access waits for memory. The key of a subject is a 128-bit hash of the pseudonym: a collision would
give one the score of another, with a probability of 10^-26 for a million subjects.

Rules:
    * of two states of a subject the one with the higher number is kept, in whatever order they arrive
    * a removed subject keeps a row without points, so that no older state can restore it
"""

from collections.abc import Sequence
from typing import Self
from weakref import ref

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Values = NDArray[np.float64]
Numbers = NDArray[np.int64]

_MIN_ROWS = 1 << 10
_NO_ROW = np.int32(-1)
# Odd, and good at spreading bits: from SplitMix64 (Steele, Lea, Flood 2014) and its relatives.
_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03))
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_HALF = np.uint64(32)
_WORD = 8


def hash_subjects(subjects: Sequence[str]) -> Keys:
    """Hash each pseudonym to 128 bits: an array of shape (n, 2)."""
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
    """Hash each column to 64 bits. Every step is invertible: two that differ in one word never collide."""
    mixed = np.full(words.shape[1], odd)
    high = np.empty_like(mixed)
    for word, short in zip(words, padded, strict=True):
        before = mixed.copy() if short else None
        mixed ^= word
        mixed *= mix
        mixed ^= np.right_shift(mixed, _HALF, out=high)
        if before is not None:  # padding, whose length depends on the longest pseudonym, is ignored
            mixed = np.where(word == 0, before, mixed)
    mixed *= odd
    mixed ^= np.right_shift(mixed, _HALF, out=high)
    return mixed


def _as_words(subjects: Sequence[str]) -> NDArray[np.uint64]:
    """Each pseudonym, a line feed, and zeros up to whole 64-bit words: an array of shape (words, n).

    The words are little-endian on every machine.
    """
    length = len(subjects[0])
    wide = -(-(length + 1) // _WORD) * _WORD
    end = "\n" + "\0" * (wide - length - 1)
    joined = (end.join(subjects) + end).encode("utf-8", "surrogatepass")
    characters = np.frombuffer(joined, np.uint8)
    # Pseudonyms of the SDK have one length, and are split all at once.
    if len(joined) != wide * len(subjects) or (characters[length::wide] != ord("\n")).any():
        encoded = [subject.encode("utf-8", "surrogatepass") + b"\n" for subject in subjects]
        wide = -(-max(map(len, encoded)) // _WORD) * _WORD
        characters = np.array(encoded, dtype=f"S{wide}").view(np.uint8)
    words = characters.view("<u8").reshape(len(subjects), -1)
    return np.ascontiguousarray(words.T, np.uint64)


class ScoreTable:
    """The latest states of subjects.

    Attributes:
        count: number of rows, including those of removed subjects. The row of a subject never changes.
        version: number of updates.
    """

    def __init__(self, capacity: int = _MIN_ROWS) -> None:
        self.count = self.version = 0
        self._keys = np.empty((capacity, 2), np.uint64)
        self._seq = np.empty(capacity, np.int64)
        self._points = np.empty(capacity, np.float64)
        self._label = np.empty(capacity, np.int32)
        self._index(capacity)

    def find(self, keys: Keys) -> Numbers:
        """The row of each key; -1 where there is none."""
        place = keys[:, 0] & self._mask
        rows = self._table.take(place)
        left = np.flatnonzero(self._is_other(rows, keys))
        while len(left):
            place[left] = (place[left] + np.uint64(1)) & self._mask
            rows[left] = candidates = self._table.take(place[left])
            left = left[self._is_other(candidates, keys[left])]
        return rows.astype(np.int64)

    def _is_other(self, rows: NDArray[np.int32], keys: Keys) -> NDArray[np.bool_]:
        """Whether a row is of another key."""
        if not self.count:
            return np.zeros(len(rows), np.bool_)
        same: NDArray[np.bool_] = self._keys.take(rows, axis=0, mode="wrap") == keys
        return np.asarray((rows >= 0) & ~(same[:, 0] & same[:, 1]))

    def points(self, rows: Numbers) -> Values:
        """The points of each row; NaN for no score."""
        points = self._points.take(rows, mode="wrap")
        points[rows < 0] = np.nan
        return points

    def labels(self, rows: Numbers) -> Numbers:
        """The label of each row; -1 if there is none."""
        return np.where(rows < 0, -1, self._label.take(rows, mode="wrap"))

    def upsert(self, keys: Keys, seq: Numbers, points: Values, label: NDArray[np.int32]) -> None:
        """Store the states that are not outdated."""
        latest = _latest(keys, seq)
        rows = self.find(keys[latest])
        newer = (rows < 0) | (self._seq[rows] < seq[latest])
        latest, rows = latest[newer], rows[newer]
        new = rows < 0
        rows[new] = self._add(keys[latest[new]])
        self._seq[rows], self._points[rows], self._label[rows] = seq[latest], points[latest], label[latest]
        self.version += 1

    def count_scores(self) -> int:
        """Count the subjects that have a score."""
        return int(np.count_nonzero(~np.isnan(self._points[: self.count])))

    def dump(self, *, since: int) -> tuple[bytes, bytes, bytes, bytes]:
        """Serialize all rows but those of subjects removed before state number `since`: see `load`."""
        n = self.count
        kept = np.flatnonzero(~np.isnan(self._points[:n]) | (self._seq[:n] >= since))
        # In the order of the hash table, which `load` then fills sequentially.
        kept = kept[np.argsort(self._keys[kept, 0] & np.uint64(_size_for(len(kept)) - 1), kind="stable")]
        parts = (self._keys, self._seq, self._points, self._label)
        keys, seq, points, label = (
            part[kept].astype(part.dtype.newbyteorder("<"), copy=False).tobytes() for part in parts
        )
        return keys, seq, points, label

    @classmethod
    def load(cls, keys: bytes, seq: bytes, points: bytes, label: bytes) -> Self:
        """Create a table from the result of `dump`."""
        if not seq:
            return cls()
        table = cls(0)
        table._keys = np.frombuffer(keys, "<u8").astype(np.uint64).reshape(-1, 2)
        table._seq = np.frombuffer(seq, "<i8").astype(np.int64)
        table._points = np.frombuffer(points, "<f8").astype(np.float64)
        table._label = np.frombuffer(label, "<i4").astype(np.int32)
        table.count = len(table._seq)
        table._index(table.count)
        return table

    def _add(self, keys: Keys) -> Numbers:
        """Add rows for new keys, each once."""
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

    def _grow(self, capacity: int) -> None:
        for name in ("_keys", "_seq", "_points", "_label"):
            old = getattr(self, name)
            new = np.empty((capacity, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def _index(self, capacity: int) -> None:
        """Build the hash table."""
        size = _size_for(capacity)
        self._table = np.full(size, _NO_ROW)
        self._mask = np.uint64(size - 1)
        self._enter(np.arange(self.count))

    def _enter(self, rows: Numbers) -> None:
        """Insert rows into the hash table, each at the first free slot from its own on (linear probing)."""
        place = self._keys[rows, 0] & self._mask
        while len(rows):
            free = self._table[place] < 0
            # Of several rows for one slot the last one written has it; the others continue.
            self._table[place[free]] = rows[free]
            settled = self._table[place] == rows
            rows, place = rows[~settled], (place[~settled] + np.uint64(1)) & self._mask


class SubjectIndex:
    """Subjects that are read repeatedly; `ScoreStore.points` takes an index in place of pseudonyms.

    Hashing and finding a million pseudonyms takes a second; later reads take nothing until something
    changes, and then hundredths of a second. The subjects are our own pseudonyms, any number.
    """

    def __init__(self, subjects: Sequence[str]) -> None:
        self._keys = hash_subjects(subjects)
        # The table of the last read, its number of rows and version then, the rows found and their points.
        self._last: tuple[ref[ScoreTable], int, int, Numbers, Values] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def has_unique_subjects(self) -> bool:
        """Whether no subject occurs twice."""
        lane = np.sort(self._keys[:, 0])
        if (lane[1:] != lane[:-1]).all():
            return True
        return len(np.unique(self._keys, axis=0)) == len(self._keys)

    def points(self, table: ScoreTable) -> Values:
        """The points of each; NaN for no score. The same read-only array until something changes."""
        last = self._last
        if last is None or last[0]() is not table:
            rows = table.find(self._keys)
        else:
            _, count, version, rows, points = last
            if version == table.version:
                return points
            if count != table.count:
                rows = rows.copy()
                missing = np.flatnonzero(rows < 0)
                rows[missing] = table.find(self._keys[missing])
        points = table.points(rows)
        points.flags.writeable = False
        # One assignment: another thread may read through another store meanwhile.
        self._last = ref(table), table.count, table.version, rows, points
        return points


def _size_for(rows: int) -> int:
    """At most a quarter full: at half full, the slowest of ten thousand lookups takes 26 probes."""
    return 1 << max(_MIN_ROWS, 4 * rows - 1).bit_length()


def _latest(keys: Keys, seq: Numbers) -> Numbers:
    """The position of the highest number of each key, ascending."""
    order = np.lexsort((seq, keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return np.sort(order[last])
