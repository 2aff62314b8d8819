"""The best of a long row of values, seen once, a block at a time.

`numpy.argpartition` moves every value about; here nearly every one is only compared with the worst of
the best so far, while its block is still in the processor's cache.
"""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Places = NDArray[np.intp]


class Best:
    """Keeps the `count` highest values and where they were; of equal ones, the first.

    Args:
        count: how many to keep.
        block: values offered at a time, at most.
    """

    def __init__(self, count: int, *, block: int) -> None:
        self._count = count
        self._values: list[Values] = []
        self._places: list[Places] = []
        self._held = 0
        self._floor = -np.inf
        self._mask = np.empty(block, dtype=np.bool_)

    def offer(self, values: Values, start: int) -> None:
        """Look at the next block. Must come in order: `start` is the place of its first value."""
        above = np.greater(values, self._floor, out=self._mask[: len(values)])
        found = np.flatnonzero(above)
        if found.size:
            self._values.append(values[found])
            self._places.append(found + start)
            self._held += found.size
            if self._held > 2 * self._count:
                self._cut()

    def ordered(self) -> tuple[Places, Values]:
        """Places and values, best first."""
        self._cut()
        return self._places[0], self._values[0]

    def _cut(self) -> None:
        values = np.concatenate([np.empty(0), *self._values])
        places = np.concatenate([np.empty(0, dtype=np.intp), *self._places])
        if len(values) > self._count:
            # All that equal the last one stay for now: which of them are first is for the sort to say.
            near = values >= np.partition(values, -self._count)[-self._count]
            values, places = values[near], places[near]
        # What was kept stands before what came later, so a stable sort puts the first of equals first.
        order = np.argsort(-values, kind="stable")[: self._count]
        self._values, self._places, self._held = [values[order]], [places[order]], len(order)
        if 0 < len(order) == self._count:
            self._floor = float(self._values[0][-1])
