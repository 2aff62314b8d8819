"""EXPO-1: how much of a ranking's attention each group gets.

A place's attention is 1 / log2(1 + rank): 1 for the first, 0.63 for the second. People with the same
score share the attention of the places that they hold together, so the order among them decides nothing.
"""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit.metrics import arrays
from sesame_sdk.audit.metrics.arrays import ByGroup, Codes, Numbers
from sesame_sdk.audit.metrics.definitions import EXPOSURE
from sesame_sdk.audit.metrics.measurement import FEWEST, Measurement, measured_groups
from sesame_sdk.errors import InvalidInputError


@frozen(eq=False)
class Exposure:
    """Attention by group.

    Attributes:
        groups: people and mean attention, each 0 to 1.
        ratio: the lowest mean / the highest, 0 to 1; NaN where no group is compared.
    """

    groups: ByGroup
    ratio: float


@frozen(eq=False)
class Curve:
    """Lines to plot: how attention gathers down the ranking. Where they lie together, groups fare alike.

    Attributes:
        places: (P,) rising; how far down the ranking.
        gathered: (G, P) attention of a group's members in the first `places`, / people in the group.
    """

    places: Codes
    gathered: Numbers


def attention_by_rank(ranks: ArrayLike) -> Numbers:
    """(N,) 1 / log2(1 + rank), from ranks of 1 or more; infinite for whoever is not shown at all.

    Raises:
        InvalidInputError: a rank is less than 1, or NaN.
    """
    return np.asarray(1.0 / np.log2(1.0 + arrays.numbers(ranks, "ranks", least=1, infinite=True)))


def attention_by_score(scores: ArrayLike) -> Numbers:
    """(N,) attention when the highest score comes first and equals share.

    Raises:
        InvalidInputError: a score is NaN or infinite. Whoever has no score needs a neutral place first
            (NOS-1).
    """
    values = -arrays.numbers(scores, "scores")
    _, tie, people = np.unique(values, return_inverse=True, return_counts=True)
    if not values.size:
        return values
    before = np.cumsum(people) - people
    places = attention_by_rank(np.arange(1, values.size + 1))
    return np.asarray((np.add.reduceat(places, before) / people)[tie])


def exposure(attention: ArrayLike, group: ArrayLike, fewest: int = 1) -> Exposure:
    """Mean attention of each group, and the lowest over the highest.

    Ranks 1 to 5 against 6 to 10 give 0.541.

    Args:
        attention: (N,) of `attention_by_rank` or `attention_by_score`.
        group: (N,) whole numbers from 0.
        fewest: a smaller group is not compared.

    Raises:
        InvalidInputError: an array is of the wrong kind, or the two differ in length.

    Source: Singh and Joachims 2018, Fairness of Exposure in Rankings.
    """
    seen, codes = _checked(attention, group)
    groups = arrays.by_group(seen, codes, fewest)
    return Exposure(groups, arrays.ratio(groups.lowest, groups.highest))


def exposure_curve(attention: ArrayLike, group: ArrayLike, points: int = 100) -> Curve:
    """How each group's attention gathers, at up to `points` places, closer together near the top.

    Equals enter together, at the last place that they hold. The last column is each group's `exposure`.

    Args:
        attention: (N,) of `attention_by_rank` or `attention_by_score`.
        group: (N,) whole numbers from 0.
        points: at most 10,000.

    Raises:
        InvalidInputError: an array is of the wrong kind, the two differ in length, or there are no people.
    """
    seen, codes = _checked(attention, group)
    if not seen.size:
        raise InvalidInputError("must hold somebody", field="attention")
    points = int(min(arrays.number(points, "points", above=0), 10_000))
    places = np.unique(np.geomspace(1, seen.size, points).round().astype(np.int64))
    places[-1] = seen.size
    place = np.searchsorted(np.sort(-seen), -seen, side="right")
    column = np.searchsorted(places, place)
    people = np.bincount(codes)
    cells = np.bincount(codes * places.size + column, weights=seen, minlength=people.size * places.size)
    gathered = np.cumsum(cells.reshape(people.size, places.size), axis=1)
    return Curve(places, gathered / np.maximum(people, 1)[:, None])


def measure_exposure(attention: ArrayLike, group: ArrayLike, names: Sequence[str]) -> Measurement:
    """EXPO-1 with its verdict. Rows are mean attention; groups of fewer than `FEWEST` are not compared."""
    found = exposure(attention, group, FEWEST)
    return measured_groups(EXPOSURE, found.ratio, found.groups.means, found.groups, names)


def _checked(attention: ArrayLike, group: ArrayLike) -> tuple[Numbers, Codes]:
    seen, codes = arrays.numbers(attention, "attention", least=0), arrays.codes(group)
    arrays.same_length(attention=seen, group=codes)
    return seen, codes
