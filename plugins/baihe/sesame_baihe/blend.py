"""The formula, and the value that stands in for no score.

    blended = (1 - weight) * relevance + weight * (score - low) / (high - low)

Whoever has no score takes the mean of the scores that are known among these candidates.
"""

from math import frexp, ldexp

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_baihe.best import Values
from sesame_sdk import Rejected

#: Values looked at together: few enough to stay in a processor's cache, enough to outweigh the calls.
BLOCK = 1 << 16
#: Scores lie within this either way, and a range spans a point at least.
MOST_POINTS = 1e6
_ROUNDING = 1e-9


@frozen
class Blend:
    """The formula, once the neutral value is known.

    Attributes:
        weight: of the score.
        low: lowest score.
        high: highest.
        average: points that no score counts as; None where nobody has one.
    """

    weight: float
    low: float
    high: float
    average: float | None

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
        """The least relevance that can come to `blended`, whatever the score; a little less, for rounding."""
        if self.average is None:
            return blended
        return (blended - self.weight) / (1 - self.weight) - _ROUNDING


def column(values: ArrayLike, name: str) -> Values:
    """One row of numbers.

    Raises:
        Rejected: it is something else; names it.
    """
    try:
        found: Values = np.asarray(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise Rejected("must be numbers", field=name) from error
    if found.ndim != 1:
        raise Rejected("must be one row of numbers", field=name)
    return found


def average_of(scores: Values, score_range: tuple[float, float]) -> tuple[int, float | None]:
    """How many scores are known, and the mean of those; None where nobody has one.

    Each is rounded to a fine grid by adding `coarse`, whose last bit is the grid. The bits are then whole
    numbers, which come to the same sum in any order, as doubles do not.

    Raises:
        Rejected: a score is out of the range, or the range is none.
    """
    low, high = score_range
    if not (low >= -MOST_POINTS and high <= MOST_POINTS and high - low >= 1):
        raise Rejected("must go from a lower to a higher score", field="score_range", mend="such as 350 950")
    exponent = frexp(max(abs(low), abs(high)))[1] + 14
    coarse, grid = ldexp(1.5, exponent), ldexp(1, exponent - 52)
    buffer, nothing = np.empty(BLOCK), np.empty(BLOCK, dtype=np.bool_)
    unknown, total, least, most = 0, 0, high, low
    for start in range(0, len(scores), BLOCK):
        block = scores[start : start + BLOCK]
        whole, missing = buffer[: len(block)], nothing[: len(block)]
        unknown += int(np.count_nonzero(np.isnan(block, out=missing)))
        # fmin and fmax pass over NaN, and so do min and max of a bound and NaN, in this order.
        least, most = min(least, float(np.fmin.reduce(block))), max(most, float(np.fmax.reduce(block)))
        np.add(np.fmax(block, low, out=whole), coarse, out=whole)
        total += _signed(int(whole.view(np.int64).sum()) - _bits(coarse) * len(block))
    if least < low or most > high:
        raise Rejected(f"must lie between {low:g} and {high:g}, or be NaN", field="scores")
    known = len(scores) - unknown
    if not known:
        return 0, None
    mean = (total - unknown * (_bits(low + coarse) - _bits(coarse))) * grid / known
    return known, min(max(mean, least), most)  # of equals the mean is what they are, to the last bit


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def _signed(wrapped: int) -> int:
    """A sum of 64-bit numbers that may have run over, as it would be had it not."""
    return (wrapped + 2**63) % 2**64 - 2**63
