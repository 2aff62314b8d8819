"""The formula, and the value that stands in for no score.

    blended = (1 - weight) * relevance + weight * (score - low) / (high - low)

Whoever has no score takes the mean of the scores that are known among these candidates.
"""

from math import frexp, ldexp
from typing import Literal

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_baihe.top_k import Values
from sesame_sdk import InvalidInputError

#: Values looked at together: few enough to stay in a processor's cache, enough to outweigh the calls.
BLOCK = 1 << 15
#: Scores lie within this either way, and a range spans a point at least.
MOST_POINTS = 1e6
_ROUNDING = 1e-9
# Bits between the depth of `fill` and the binade: a whole block of those just fits into 64.
_FINE = 4


@frozen
class Blend:
    """The formula, once the neutral value is known.

    Attributes:
        weight: of the score.
        low: lowest score.
        high: highest.
        average: points that no score counts as; None where nobody has one.
        most: the highest score that anybody has.
    """

    weight: float
    low: float
    high: float
    average: float | None
    most: float

    @property
    def neutral(self) -> float | None:
        """The average, 0 to 1."""
        return None if self.average is None else (self.average - self.low) / (self.high - self.low)

    def parts(self, near: Values, scores: Values) -> tuple[Values, Values]:
        """What relevance brings, and what the score brings; their sum is the blend."""
        if self.average is None:
            return near, np.zeros(len(near))
        points = np.where(np.isnan(scores), self.average, scores)
        return near * (1 - self.weight), (points - self.low) * (self.weight / (self.high - self.low))

    def of(self, near: Values, scores: Values) -> Values:
        """The blend, 0 to 1."""
        relevance, score = self.parts(near, scores)
        return relevance + score

    def relevance_for(self, blended: float) -> float:
        """The least relevance that comes to `blended` with the highest score; less a little, for rounding."""
        if self.average is None:
            return blended
        best = self.weight * (self.most - self.low) / (self.high - self.low)
        return (blended - best) / (1 - self.weight) - _ROUNDING


def column(values: ArrayLike, name: str) -> Values:
    """One row of numbers.

    Raises:
        InvalidInputError: it is something else; names it.
    """
    try:
        found: Values = np.asarray(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise InvalidInputError("must be numbers", field=name) from error
    if found.ndim != 1:
        raise InvalidInputError("must be one row of numbers", field=name)
    return found


def within_bounds(shares: Values) -> bool:
    """Whether all lie between 0 and 1."""
    return not len(shares) or bool(shares.min() >= 0 and shares.max() <= 1)  # written so that NaN fails


@frozen
class Average:
    """Of some scores.

    Attributes:
        known: how many there are.
        points: their mean; None where there are none.
        most: the highest of them.
    """

    known: int
    points: float | None
    most: float


def average_of(scores: Values, score_range: tuple[float, float]) -> Average:
    """How many scores are known, and the mean of those.

    Each is rounded to a grid, some billionths of the range, by adding `coarse`, whose last bit is the grid.
    The bits are then whole numbers, which come to the same sum in any order, as doubles do not. No score
    becomes `fill`, which is further below the lowest score than those of a whole block together are above
    it: so the sum of a block also says how many there were, and nothing has to count them.

    Raises:
        InvalidInputError: a score is out of the range, or the range is none.
    """
    low, high = score_range
    if not (low >= -MOST_POINTS and high <= MOST_POINTS and high - low >= 1):
        raise InvalidInputError(
            "must go from a lower to a higher score", field="score_range", hint="such as 350 950"
        )
    deep = frexp(max(1.01 * BLOCK * (high - low), abs(low), abs(high)))[1]
    coarse, grid = ldexp(1.5, deep + _FINE), ldexp(1, deep + _FINE - 52)
    fill, lowest, step = low + coarse - ldexp(1, deep), _bits(low + coarse), 1 << (52 - _FINE)
    buffer = np.empty(min(BLOCK, len(scores)))
    unknown, total, least, most = 0, 0, high, low
    for start in range(0, len(scores), BLOCK):
        block = scores[start : start + BLOCK]
        whole = buffer[: len(block)]
        # fmin and fmax pass over NaN, and so do min and max of a bound and NaN, in this order.
        least, most = min(least, float(np.fmin.reduce(block))), max(most, float(np.fmax.reduce(block)))
        np.fmax(np.add(block, coarse, out=whole), fill, out=whole)
        missing, known = divmod(_signed(int(whole.view(np.int64).sum()) - lowest * len(block)), step)
        unknown, total = unknown - missing, total + known
    if least < low or most > high:
        raise InvalidInputError(f"must lie between {low:g} and {high:g}, or be NaN", field="scores")
    if unknown == len(scores):
        return Average(0, None, most)
    mean = (lowest - _bits(coarse) + total / (len(scores) - unknown)) * grid
    # Of equals the mean is what they are, to the last bit.
    return Average(len(scores) - unknown, min(max(mean, least), most), most)


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def _signed(wrapped: int) -> int:
    """A sum of 64-bit numbers that may have run over, as it would be had it not."""
    return (wrapped + 2**63) % 2**64 - 2**63


Mean = Literal["harmonic", "geometric"]
_MEANS = ("harmonic", "geometric")


def both_ways(relevance: ArrayLike, in_return: ArrayLike, mean: Mean = "harmonic") -> Values:
    """(N,) the mean of both directions, 0 to 1.

    Args:
        relevance: how well each candidate fits the member, 0 to 1.
        in_return: how well the member fits each candidate, 0 to 1.
        mean: which one.

    Raises:
        InvalidInputError: a value is out of its bounds; names the argument.
    """
    there, back = _share(relevance, "relevance"), _share(in_return, "in_return")
    if len(there) != len(back):
        raise InvalidInputError(f"must be one a candidate: {len(there)}, not {len(back)}", field="in_return")
    if mean not in _MEANS:
        raise InvalidInputError(f"must be one of {', '.join(_MEANS)}", field="mean")
    if mean == "geometric":
        together = np.sqrt(there) * np.sqrt(back)  # the product of two small numbers would be 0 too soon
    else:
        both = there + back
        low = np.minimum(there, back)
        # 2ab/(a+b), without the product
        together = np.divide(2 * np.maximum(there, back), both, out=np.zeros(len(both)), where=both > 0) * low
    held: Values = np.clip(together, np.minimum(there, back), np.maximum(there, back))
    return held


def _share(values: ArrayLike, name: str) -> Values:
    found = column(values, name)
    if not within_bounds(found):
        raise InvalidInputError("must lie between 0 and 1", field=name)
    return found
