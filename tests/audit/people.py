"""Simulated people for the metrics' tests: groups, and what a test does to them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[Any]
#: People as (group, score, passes).
Rows = list[tuple[int, float, bool]]

GROUPS = 4
NAMES = ("north", "east", "south", "west")

#: Up to 60 people as (group, score, passes); scores lie close, so that many people share one.
people = st.lists(
    st.tuples(st.integers(0, GROUPS - 1), st.integers(500, 510).map(float), st.booleans()),
    min_size=1,
    max_size=60,
)


def columns(rows: Rows) -> tuple[Array, Array, Array]:
    """Groups, scores and flags, as arrays."""
    groups, scores, passes = zip(*rows, strict=True)
    return np.array(groups), np.array(scores), np.array(passes)


def shuffled(seed: int, *arrays: Array) -> tuple[Array, ...]:
    """The same people in another order."""
    order = np.random.default_rng(seed).permutation(arrays[0].size)
    return tuple(array[order] for array in arrays)


def relabelled(seed: int, group: Array) -> Array:
    """The same groups under other numbers."""
    return np.random.default_rng(seed).permutation(GROUPS)[group]
