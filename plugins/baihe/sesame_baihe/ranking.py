"""Blend relevance and score, and take the best.

    blended = (1 - weight) * relevance + weight * (score - low) / (high - low)

Rules:
1. Who has no score takes the mean of the scores that are known among these candidates. So the mean of
   all is what it was, and nobody gains or loses, on average, by not having one. Where no score is
   known, relevance alone decides.
2. The score never weighs more than relevance (a ranking by score alone is what rule MAT-1 refuses).
3. Beside the order there is always the order without the score, and the parameters of both.
4. Equals stand in the order in which they were given.
"""

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_baihe.best import Best, Places, Values
from sesame_sdk import Rejected

MOST_WEIGHT = 0.5
#: Values looked at together: with what is computed from them they fit a processor's second cache.
BLOCK = 1 << 14


@frozen
class Parameters:
    """How an order came about, to be shown beside it.

    Attributes:
        score_weight: share of the score in the blend.
        score_range: lowest and highest score that there is.
        candidates: how many were ranked.
        without_score: how many of them have no score.
        neutral: what those take in its place, 0 to 1; None where nobody has one and it was left out.
    """

    score_weight: float
    score_range: tuple[float, float]
    candidates: int
    without_score: int
    neutral: float | None


@frozen(eq=False)
class Ranking:
    """Candidates by their place in what was given, best first.

    Attributes:
        order: with the score.
        blended: what each in `order` came to, 0 to 1.
        order_without_score: by relevance alone.
        parameters: how.
    """

    order: Places
    blended: Values
    order_without_score: Places
    parameters: Parameters


def rank(
    relevance: ArrayLike,
    scores: ArrayLike,
    *,
    score_weight: float,
    score_range: tuple[float, float],
    top: int | None = None,
) -> Ranking:
    """Rank candidates for one member. Pure; nobody is in the answer who was not among the candidates.

    Args:
        relevance: of each candidate, 0 to 1.
        scores: of each candidate, within `score_range`; NaN for none.
        score_weight: 0 to `MOST_WEIGHT`.
        score_range: lowest and highest score that the policy gives.
        top: how many of the best to return; all by default.

    Raises:
        Rejected: a value is out of its bounds; names the argument.
    """
    relevant, scored = _column(relevance, "relevance"), _column(scores, "scores")
    if len(relevant) != len(scored):
        raise Rejected(f"must be one a candidate: {len(relevant)}, not {len(scored)}", field="scores")
    if not 0 <= score_weight <= MOST_WEIGHT:
        raise Rejected(f"must lie between 0 and {MOST_WEIGHT}", field="score_weight")
    if top is not None and top < 1:
        raise Rejected("must be at least 1", field="top")
    known, neutral = _survey(scored, score_range)
    count = min(top or len(relevant), len(relevant))
    with_score, without = Best(count, block=BLOCK), Best(count, block=BLOCK)
    for start, near, blended in _blends(relevant, scored, score_weight, score_range, neutral):
        with_score.offer(blended, start)
        without.offer(near, start)
    order, values = with_score.ordered()
    parameters = Parameters(score_weight, score_range, len(relevant), len(relevant) - known, neutral)
    return Ranking(order, values, without.ordered()[0], parameters)


def _column(values: ArrayLike, name: str) -> Values:
    try:
        column = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise Rejected("must be numbers", field=name) from error
    if column.ndim != 1:
        raise Rejected("must be one row of numbers", field=name)
    return column


def _survey(scores: Values, score_range: tuple[float, float]) -> tuple[int, float | None]:
    """How many scores are known, and the mean of those, 0 to 1."""
    low, high = score_range
    if not -np.inf < low < high < np.inf:
        raise Rejected("must go from a lower to a higher score", field="score_range")
    buffer, nothing = np.empty(BLOCK), np.empty(BLOCK, dtype=np.bool_)
    unknown, total = 0, 0.0
    for start in range(0, len(scores), BLOCK):
        block = scores[start : start + BLOCK]
        above, missing = buffer[: len(block)], nothing[: len(block)]
        unknown += int(np.count_nonzero(np.isnan(block, out=missing)))
        # fmin and fmax pass over NaN, and a comparison with NaN alone is false.
        if np.fmin.reduce(block) < low or np.fmax.reduce(block) > high:
            raise Rejected(f"must lie between {low:g} and {high:g}, or be NaN", field="scores")
        np.subtract(block, low, out=above)
        total += float(np.fmax(above, 0.0, out=above).sum())
    known = len(scores) - unknown
    return known, total / (known * (high - low)) if known else None


def _blends(
    relevance: Values,
    scores: Values,
    weight: float,
    score_range: tuple[float, float],
    neutral: float | None,
) -> Iterator[tuple[int, Values, Values]]:
    """Block by block: where it starts, its relevance, its blend. The blend's memory is used again."""
    low, high = score_range
    share = weight / (high - low)
    blended, buffer, nothing = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK, dtype=np.bool_)
    for start in range(0, len(relevance), BLOCK):
        near, score = relevance[start : start + BLOCK], scores[start : start + BLOCK]
        if not (near.min() >= 0 and near.max() <= 1):  # written so that NaN fails
            raise Rejected("must lie between 0 and 1", field="relevance")
        if neutral is None:
            yield start, near, near
            continue
        out, other, missing = blended[: len(near)], buffer[: len(near)], nothing[: len(near)]
        np.subtract(score, low, out=out)
        np.multiply(out, share, out=out)
        np.putmask(out, np.isnan(score, out=missing), weight * neutral)  # twice as fast as copyto(where=)
        np.add(out, np.multiply(near, 1 - weight, out=other), out=out)
        yield start, near, out
