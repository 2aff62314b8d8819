"""What the metrics take: one-dimensional arrays, checked once, and means by group.

A group is a whole number from 0, an index into the names that a caller holds. A group that nobody is in
may have a number: its mean is NaN and it is never compared. No error repeats a value.
"""

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from sesame_sdk.errors import InvalidInputError

Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]

#: More groups, kinds or partners than any audit compares.
MOST_GROUPS = 10_000


@frozen(eq=False)
class ByGroup:
    """A mean for each group, and what is worth comparing.

    Attributes:
        people: (G,) how many are in each.
        means: (G,) NaN where nobody is.
        compared: (G,) whether the group is large enough to be compared.
        highest: the highest mean of those compared; NaN where none is.
        lowest: the lowest of them.
    """

    people: Codes
    means: Numbers
    compared: Flags
    highest: float
    lowest: float

    @property
    def groups_compared(self) -> int:
        """How many groups are large enough."""
        return int(self.compared.sum())


def flags(values: ArrayLike, name: str) -> Flags:
    """(N,) bools.

    Raises:
        InvalidInputError: not one-dimensional, or not bools.
    """
    array = _flat(values, name)
    if array.dtype != np.bool_:
        raise InvalidInputError("must be bools", field=name, hint="pass a comparison, such as scores >= 600")
    return array.astype(np.bool_, copy=False)


def codes(values: ArrayLike, name: str = "group") -> Codes:
    """(N,) whole numbers from 0 to `MOST_GROUPS`.

    Raises:
        InvalidInputError: anything else.
    """
    array = _flat(values, name)
    if array.dtype.kind not in "iu":
        raise InvalidInputError("must be whole numbers", field=name, hint="number the groups from 0")
    if array.size and not (array.min() >= 0 and array.max() < MOST_GROUPS):
        raise InvalidInputError(
            f"must be from 0 to {MOST_GROUPS - 1:,}", field=name, hint="number the groups from 0"
        )
    return array.astype(np.int64, copy=False)


def numbers(
    values: ArrayLike, name: str, *, least: float = -np.inf, most: float = np.inf, infinite: bool = False
) -> Numbers:
    """(N,) floats, none NaN.

    Raises:
        InvalidInputError: not numbers, NaN, out of the bounds, or infinite where that is not allowed.
    """
    array = _flat(values, name)
    if array.dtype.kind not in "iuf":
        raise InvalidInputError("must be numbers", field=name)
    floats = array.astype(np.float64, copy=False)
    if np.isnan(floats).any() or not (infinite or np.isfinite(floats).all()):
        raise InvalidInputError("must hold no NaN" + ("" if infinite else " and no infinity"), field=name)
    if floats.size and floats.min() < least:
        raise InvalidInputError(f"must be {least:g} or more", field=name)
    if floats.size and floats.max() > most:
        raise InvalidInputError(f"must be {most:g} or less", field=name)
    return floats


def number(value: float, name: str, *, above: float) -> float:
    """A finite float of more than `above`.

    Raises:
        InvalidInputError: anything else.
    """
    if not (np.isfinite(value) and value > above):
        raise InvalidInputError(f"must be more than {above:g}, and finite", field=name)
    return float(value)


def same_length(**arrays: NDArray[np.generic]) -> None:
    """Refuse arrays that do not speak of the same people, by name."""
    if len({array.size for array in arrays.values()}) > 1:
        raise InvalidInputError("must be of one length", field=", ".join(arrays))


def by_group(values: Numbers | Flags, group: Codes, fewest: int = 1) -> ByGroup:
    """Mean of `values` in each group, and the extremes of those with at least `fewest` people."""
    people = np.bincount(group)
    sums = np.bincount(group, weights=values.astype(np.float64, copy=False))
    means = np.divide(sums, people, out=np.full(people.size, np.nan), where=people > 0)
    compared = people >= max(fewest, 1)
    seen = means[compared] if compared.any() else np.array([np.nan])
    return ByGroup(people.astype(np.int64), means, compared, float(seen.max()), float(seen.min()))


def ratio(small: float, large: float) -> float:
    """`small / large`, and 1 where the two are equal: also nothing to nothing."""
    if small == large:
        return 1.0
    return float(small / large) if large else float("inf")


def _flat(values: ArrayLike, name: str) -> NDArray[np.generic]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise InvalidInputError("must have one dimension", field=name)
    return array
