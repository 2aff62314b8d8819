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
        self._values: Values = np.empty(0)
        self._places: Places = np.empty(0, dtype=np.intp)
        self._cut_at = count
        #: Whatever is lower need not be offered any more.
        self.floor = -np.inf

    def offer(self, values: Values, places: Places) -> None:
        """Look at more. Must come in order of their places."""
        # With a key even the last of equals may come first; without one the first are here already.
        keep = np.flatnonzero(values > self.floor if self._ties is None else values >= self.floor)
        if not keep.size:
            return
        self._values = np.concatenate((self._values, values[keep]))
        self._places = np.concatenate((self._places, places[keep]))
        if len(self._values) > self._cut_at:
            self._cut()

    def ordered(self) -> tuple[Places, Values]:
        """Places and values, best first."""
        # What was kept is in order of places, so a stable sort puts the first of equals first.
        order = np.argsort(-self._values, kind="stable")
        values = self._values[order]
        if self._ties is not None and (values[1:] == values[:-1]).any():
            # A key for each is dear, and equals are few.
            order = np.lexsort((self._ties(self._places), -self._values))
        order = order[: self._count]
        return self._places[order], self._values[order]

    def _cut(self) -> None:
        """Keep the best, and those that equal the last of them: `ordered` says which of these come first."""
        self.floor = float(np.partition(self._values, -self._count)[-self._count])
        near = np.flatnonzero(self._values >= self.floor)
        self._values, self._places = self._values[near], self._places[near]
        self._cut_at = 2 * len(near)
