"""Selects the highest of many values in one pass, a block at a time.

`numpy.argpartition` moves every value; this compares nearly every value only with the lowest of the best so
far, while its block is still in the processor's cache.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Indices = NDArray[np.intp]
#: Breaks ties: a key for each index, the lowest first.
TieKeys = Callable[[Indices], NDArray[np.uint64]]


class TopK:
    """Keeps the `count` highest values and their indices; without `ties`, equal values stay as added."""

    def __init__(self, count: int, ties: TieKeys | None = None) -> None:
        self._count = count
        self._ties = ties
        self._values: Values = np.empty(0)
        self._indices: Indices = np.empty(0, dtype=np.intp)
        self._max_size = count
        #: Lower values need not be added any more.
        self.threshold = -np.inf

    def add(self, values: Values, indices: Indices) -> None:
        """Add values, in the order of their indices."""
        # With a key, the last of equal values may come first; without one, the first are here already.
        above = values > self.threshold if self._ties is None else values >= self.threshold
        keep = np.flatnonzero(above)
        if not keep.size:
            return
        self._values = np.concatenate((self._values, values[keep]))
        self._indices = np.concatenate((self._indices, indices[keep]))
        if len(self._values) > self._max_size:
            self._prune()

    def sorted(self) -> tuple[Indices, Values]:
        """Indices and values, best first."""
        # The kept values are in order of indices, so a stable sort puts the first of equal values first.
        order = np.argsort(-self._values, kind="stable")
        values = self._values[order]
        if self._ties is not None and (values[1:] == values[:-1]).any():
            # Computing keys is slow, and equal values are rare.
            order = np.lexsort((self._ties(self._indices), -self._values))
        order = order[: self._count]
        return self._indices[order], self._values[order]

    def _prune(self) -> None:
        """Keep the best, and all that equal the last of them, for `sorted` to break the tie."""
        self.threshold = float(np.partition(self._values, -self._count)[-self._count])
        keep = np.flatnonzero(self._values >= self.threshold)
        self._values, self._indices = self._values[keep], self._indices[keep]
        self._max_size = 2 * len(keep)
