"""Blends relevance and score, and averages: the scores of all candidates, and the relevance of both sides.

Relevance may be mutual. The harmonic mean is that of RECON: it is high only if both sides are, and 0 if
either is. The geometric mean is less strict. Both are symmetric, so the two people of a pair get the same
value.

Source of the harmonic mean: Pizzato et al. 2010, RECON: a reciprocal recommender for online dating (RecSys).
"""

from math import frexp, ldexp
from typing import Literal

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from sesame_sdk import InvalidInputError

Values = NDArray[np.float64]
ReciprocalMean = Literal["harmonic", "geometric"]
_MEANS = ("harmonic", "geometric")
#: Values processed together: few enough to stay in a processor's cache, enough to outweigh the calls.
BLOCK_SIZE = 1 << 15
#: Bound of scores in both directions; a range spans at least one point.
MAX_POINTS = 1e6
_ROUNDING = 1e-9
# Bits between the exponent of `fill` and the binade: the sum of a whole block just fits into 64.
_FRACTION_BITS = 4


@frozen
class Blend:
    """The formula with its parameters: the weight of the score, and the policy's lowest and highest score.

    A candidate without a score has `average` points; that is None if none has a score. `max_points` is the
    highest score of any candidate.
    """

    weight: float
    low: float
    high: float
    average: float | None
    max_points: float

    @property
    def neutral(self) -> float | None:
        """The average, 0 to 1."""
        return None if self.average is None else (self.average - self.low) / (self.high - self.low)

    def parts(self, relevance: Values, scores: Values) -> tuple[Values, Values]:
        """The part of relevance and the part of the score; their sum is the blend."""
        if self.average is None:
            return relevance, np.zeros(len(relevance))
        points = np.where(np.isnan(scores), self.average, scores)
        return relevance * (1 - self.weight), (points - self.low) * (self.weight / (self.high - self.low))

    def compute(self, relevance: Values, scores: Values) -> Values:
        """The blend, 0 to 1."""
        relevance_part, score_part = self.parts(relevance, scores)
        return relevance_part + score_part

    def min_relevance(self, blended: float) -> float:
        """The least relevance that reaches `blended` with the highest score; a little less, for rounding."""
        if self.average is None:
            return blended
        best = self.weight * (self.max_points - self.low) / (self.high - self.low)
        return (blended - best) / (1 - self.weight) - _ROUNDING


def check_column(values: ArrayLike, name: str) -> Values:
    """Return one-dimensional floats; raise InvalidInputError, naming the argument, for anything else."""
    try:
        column: Values = np.asarray(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise InvalidInputError("must be numbers", field=name) from error
    if column.ndim != 1:
        raise InvalidInputError("must be one row of numbers", field=name)
    return column


def are_shares(values: Values) -> bool:
    """Whether all values are from 0 to 1."""
    return not len(values) or bool(values.min() >= 0 and values.max() <= 1)  # written so that NaN fails


def average_relevance(
    relevance: ArrayLike, reciprocal_relevance: ArrayLike, mean: ReciprocalMean = "harmonic"
) -> Values:
    """(N,) the mean of both sides' relevance, 0 to 1; an InvalidInputError names the invalid argument."""
    sides = {"relevance": relevance, "reciprocal_relevance": reciprocal_relevance}
    there, back = (check_column(values, name) for name, values in sides.items())
    for name, side in zip(sides, (there, back), strict=True):
        if not are_shares(side):
            raise InvalidInputError("must be from 0 to 1", field=name)
    if len(there) != len(back):
        reason = f"must have one value for each candidate: {len(there)}, not {len(back)}"
        raise InvalidInputError(reason, field="reciprocal_relevance")
    if mean not in _MEANS:
        raise InvalidInputError(f"must be one of {', '.join(_MEANS)}", field="mean")
    low, high = np.minimum(there, back), np.maximum(there, back)
    if mean == "geometric":
        averaged = np.sqrt(there) * np.sqrt(back)  # the product of two small numbers would be 0 too soon
    else:  # 2ab/(a+b), without the product
        total = there + back
        averaged = np.divide(2 * high, total, out=np.zeros(len(total)), where=total > 0) * low
    bounded: Values = np.clip(averaged, low, high)
    return bounded


@frozen
class ScoreAverage:
    """The number of known scores, their mean, which is None without any, and the highest of them."""

    known: int
    points: float | None
    max_points: float


def average_scores(scores: Values, score_range: tuple[float, float]) -> ScoreAverage:
    """Count the known scores and average them, with the same result in any order.

    Each score is rounded to a grid, some billionths of the range, by adding `coarse`, whose last bit is the
    grid. The bits are then whole numbers, whose sum does not depend on their order, as that of doubles does.
    A missing score becomes `fill`, which is further below the lowest score than those of a whole block
    together are above it: so the sum of a block also gives the number of missing scores.
    """
    low, high = score_range
    if not (low >= -MAX_POINTS and high <= MAX_POINTS and high - low >= 1):
        reason, hint = "must go from a lower to a higher score", "such as 350 950"
        raise InvalidInputError(reason, field="score_range", hint=hint)
    exponent = frexp(max(1.01 * BLOCK_SIZE * (high - low), abs(low), abs(high)))[1]
    coarse, grid = ldexp(1.5, exponent + _FRACTION_BITS), ldexp(1, exponent + _FRACTION_BITS - 52)
    fill, lowest = low + coarse - ldexp(1, exponent), _bits(low + coarse)
    step = 1 << (52 - _FRACTION_BITS)
    buffer = np.empty(min(BLOCK_SIZE, len(scores)))
    unknown, total, min_points, max_points = 0, 0, high, low
    for start in range(0, len(scores), BLOCK_SIZE):
        block = scores[start : start + BLOCK_SIZE]
        rounded = buffer[: len(block)]
        # fmin and fmax pass over NaN, and so do min and max of a bound and NaN, in this order.
        min_points = min(min_points, float(np.fmin.reduce(block)))
        max_points = max(max_points, float(np.fmax.reduce(block)))
        np.fmax(np.add(block, coarse, out=rounded), fill, out=rounded)
        missing, known = divmod(_unwrap(int(rounded.view(np.int64).sum()) - lowest * len(block)), step)
        unknown, total = unknown - missing, total + known
    if min_points < low or max_points > high:
        raise InvalidInputError(f"must be from {low:g} to {high:g}, or NaN", field="scores")
    if unknown == len(scores):
        return ScoreAverage(0, None, max_points)
    mean = (lowest - _bits(coarse) + total / (len(scores) - unknown)) * grid
    # The mean of equal scores is that score, to the last bit.
    return ScoreAverage(len(scores) - unknown, min(max(mean, min_points), max_points), max_points)


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def _unwrap(total: int) -> int:
    """A sum of 64-bit numbers that may have overflowed, as a signed number."""
    return (total + 2**63) % 2**64 - 2**63
