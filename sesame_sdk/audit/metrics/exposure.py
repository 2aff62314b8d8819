"""EXPO-1: how much of a ranking's attention each group gets.

The attention of a rank is 1 / log2(1 + rank): 1 for the first, 0.63 for the second. People with the same
score share the attention of their ranks, so their order does not matter.
"""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit import arrays
from sesame_sdk.audit.arrays import Codes, GroupMeans, Numbers
from sesame_sdk.audit.metrics.definitions import EXPOSURE
from sesame_sdk.audit.metrics.measurement import MIN_GROUP_SIZE, Measurement, compare_groups
from sesame_sdk.errors import InvalidInputError


@frozen(eq=False)
class Exposure:
    """Mean attention by group, and lowest mean / highest; NaN where no group is compared."""

    groups: GroupMeans
    ratio: float


@frozen(eq=False)
class CumulativeExposure:
    """Attention down to each rank; equal lines mean equal treatment."""

    ranks: Codes  # (P,) rising
    cumulative: Numbers  # (G, P) attention of a group's members down to each rank / people in the group


def attention_by_rank(ranks: ArrayLike) -> Numbers:
    """(N,) 1 / log2(1 + rank), from ranks of 1 or more; an infinite rank is not shown at all."""
    checked = arrays.check_numbers(ranks, "ranks", min_value=1, allow_infinite=True)
    return np.asarray(1.0 / np.log2(1.0 + checked))


def attention_by_score(scores: ArrayLike) -> Numbers:
    """(N,) attention when the highest score comes first; equal scores share.

    People without a score need a neutral one first (NOS-1).
    """
    values = -arrays.check_numbers(scores, "scores")
    _, tie, people = np.unique(values, return_inverse=True, return_counts=True)
    if not values.size:
        return values
    before = np.cumsum(people) - people
    attention = attention_by_rank(np.arange(1, values.size + 1))
    return np.asarray((np.add.reduceat(attention, before) / people)[tie])


def exposure(attention: ArrayLike, group: ArrayLike, min_people: int = 1) -> Exposure:
    """Mean attention of each group, and lowest / highest. Ranks 1 to 5 against 6 to 10 give 0.541.

    Source: Singh and Joachims 2018, Fairness of Exposure in Rankings.
    """
    groups = arrays.mean_by_group(*_check(attention, group), min_people)
    return Exposure(groups, arrays.divide(groups.lowest, groups.highest))


def cumulative_exposure(attention: ArrayLike, group: ArrayLike, max_ranks: int = 100) -> CumulativeExposure:
    """Attention of each group down to at most `max_ranks` ranks, closer together near the top.

    People with equal attention enter together, at the last of their ranks. The last column is each group's
    `exposure`.
    """
    checked, codes = _check(attention, group)
    if not checked.size:
        raise InvalidInputError("must not be empty", field="attention")
    max_ranks = int(min(arrays.check_number(max_ranks, "max_ranks", above=0), 10_000))
    ranks = np.unique(np.geomspace(1, checked.size, max_ranks).round().astype(np.int64))
    ranks[-1] = checked.size
    column = np.searchsorted(ranks, np.searchsorted(np.sort(-checked), -checked, side="right"))
    people = np.bincount(codes)
    cells = np.bincount(codes * ranks.size + column, weights=checked, minlength=people.size * ranks.size)
    cumulative = np.cumsum(cells.reshape(people.size, ranks.size), axis=1)
    return CumulativeExposure(ranks, cumulative / np.maximum(people, 1)[:, None])


def measure_exposure(attention: ArrayLike, group: ArrayLike, names: Sequence[str]) -> Measurement:
    """Measure EXPO-1. Rows are mean attention; groups of fewer than `MIN_GROUP_SIZE` are not compared."""
    result = exposure(attention, group, MIN_GROUP_SIZE)
    return compare_groups(EXPOSURE, result.ratio, result.groups.means, result.groups, names)


def _check(attention: ArrayLike, group: ArrayLike) -> tuple[Numbers, Codes]:
    checked = arrays.check_numbers(attention, "attention", min_value=0)
    codes = arrays.check_codes(group)
    arrays.check_same_length(attention=checked, group=codes)
    return checked, codes
