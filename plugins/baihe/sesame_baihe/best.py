"""The best of a long row of values, seen once, a block at a time.

`numpy.argpartition` moves every value about; here nearly every one is only compared with the worst of
the best so far, while its block is still in the processor's cache.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Places = NDArray[np.intp]
#: Tells equals apart: a key for each place, the lowest first.
Ties = Callable[[Places], NDArray[np.uint64]]


class Best:
    """Keeps the `count` highest values and where they were.

    Args:
        count: how many to keep.
        ties: which of equals are first; without it, those that were offered first.
    """

    def __init__(self, count: int, ties: Ties | None = None) -> None:
        self._count = count
        self._ties = ties
        self._values: list[Values] = []
        self._places: list[Places] = []
        self._held = 0
        self._cut_at = 2 * count
        #: Whatever is lower need not be offered any more.
        self.floor = -np.inf

    def offer(self, values: Values, places: Places) -> None:
        """Look at more. Must come in order of their places."""
        # With a key even the last of equals may come first; without one the first are here already.
        keep = np.flatnonzero(values > self.floor if self._ties is None else values >= self.floor)
        if not keep.size:
            return
        self._values.append(values[keep])
        self._places.append(places[keep])
        self._held += keep.size
        if self._held > self._cut_at:
            self._cut()

    def ordered(self) -> tuple[Places, Values]:
        """Places and values, best first."""
        self._cut()
        values, places = self._values[0], self._places[0]
        if self._ties is not None:
            order = np.argsort(-values, kind="stable")
            if (np.diff(values[order]) == 0).any():  # a key for each is dear, and few are equal
                order = np.lexsort((self._ties(places), -values))
            values, places = values[order[: self._count]], places[order[: self._count]]
        return places, values

    def _cut(self) -> None:
        values = np.concatenate([np.empty(0), *self._values])
        places = np.concatenate([np.empty(0, dtype=np.intp), *self._places])
        if len(values) > self._count:
            # All that equal the last one stay for now: which of them are first is for the sort to say.
            near = values >= np.partition(values, -self._count)[-self._count]
            values, places = values[near], places[near]
        if self._ties is None:
            # What was kept stands before what came later, so a stable sort puts the first of equals first.
            order = np.argsort(-values, kind="stable")[: self._count]
            values, places = values[order], places[order]
        self._values, self._places, self._held = [values], [places], len(values)
        self._cut_at = 2 * max(self._count, len(values))
        if 0 < self._count <= len(values):
            self.floor = float(values.min())
