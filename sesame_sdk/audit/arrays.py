"""Checks the arrays that metrics take, and computes means by group. No error repeats a value.

A group is a whole number from 0, an index into the caller's list of names.
"""

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from sesame_sdk.errors import InvalidInputError

Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]

#: More groups, kinds or partners than any audit compares.
MAX_GROUPS = 10_000


@frozen(eq=False)
class GroupMeans:
    """Means by group: NaN for an empty one. Without a compared group, `highest` and `lowest` are NaN."""

    people: Codes  # (G,) size of each group
    means: Numbers  # (G,)
    compared: Flags  # (G,) whether the group is large enough to be compared
    highest: float  # of the compared groups
    lowest: float  # of the compared groups


def check_flags(values: ArrayLike, name: str) -> Flags:
    """Return (N,) bools; raise InvalidInputError for anything else."""
    array = _one_dimensional(values, name)
    if array.dtype != np.bool_:
        raise InvalidInputError("must be bools", field=name, hint="pass a comparison, such as scores >= 600")
    return array.astype(np.bool_, copy=False)


def check_codes(values: ArrayLike, name: str = "group") -> Codes:
    """Return (N,) whole numbers from 0 to `MAX_GROUPS`; raise InvalidInputError for anything else."""
    array = _one_dimensional(values, name)
    if array.dtype.kind not in "iu":
        raise InvalidInputError("must be whole numbers", field=name, hint="number the groups from 0")
    if array.size and not (array.min() >= 0 and array.max() < MAX_GROUPS):
        reason = f"must be from 0 to {MAX_GROUPS - 1:,}"
        raise InvalidInputError(reason, field=name, hint="number the groups from 0")
    return array.astype(np.int64, copy=False)


def check_numbers(
    values: ArrayLike,
    name: str,
    *,
    min_value: float = -np.inf,
    max_value: float = np.inf,
    allow_infinite: bool = False,
) -> Numbers:
    """Return (N,) floats within the bounds, none NaN; raise InvalidInputError for anything else."""
    array = _one_dimensional(values, name)
    if array.dtype.kind not in "iuf":
        raise InvalidInputError("must be numbers", field=name)
    floats = array.astype(np.float64, copy=False)
    if np.isnan(floats).any() or not (allow_infinite or np.isfinite(floats).all()):
        raise InvalidInputError(
            "must hold no NaN" + ("" if allow_infinite else " and no infinity"), field=name
        )
    if floats.size and floats.min() < min_value:
        raise InvalidInputError(f"must be {min_value:g} or more", field=name)
    if floats.size and floats.max() > max_value:
        raise InvalidInputError(f"must be {max_value:g} or less", field=name)
    return floats


def check_number(value: float, name: str, *, above: float) -> float:
    """Return a finite float of more than `above`; raise InvalidInputError for anything else."""
    if not (np.isfinite(value) and value > above):
        raise InvalidInputError(f"must be more than {above:g}, and finite", field=name)
    return float(value)


def check_same_length(**arrays: NDArray[np.generic]) -> None:
    """Raise InvalidInputError, with the arrays' names, if their lengths differ."""
    if len({array.size for array in arrays.values()}) > 1:
        raise InvalidInputError("must be of one length", field=", ".join(arrays))


def mean_by_group(values: Numbers | Flags, group: Codes, min_people: int = 1) -> GroupMeans:
    """Compute the mean of `values` in each group; groups of fewer than `min_people` are not compared."""
    people = np.bincount(group)
    sums = np.bincount(group, weights=values.astype(np.float64, copy=False))
    means = np.divide(sums, people, out=np.full(people.size, np.nan), where=people > 0)
    compared = people >= max(min_people, 1)
    extremes = means[compared] if compared.any() else np.array([np.nan])
    return GroupMeans(people.astype(np.int64), means, compared, float(extremes.max()), float(extremes.min()))


def divide(numerator: float, denominator: float) -> float:
    """Divide; equal values, also two zeros, give 1, and a zero denominator gives infinity."""
    if numerator == denominator:
        return 1.0
    return float(numerator / denominator) if denominator else float("inf")


def _one_dimensional(values: ArrayLike, name: str) -> NDArray[np.generic]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise InvalidInputError("must have one dimension", field=name)
    return array
