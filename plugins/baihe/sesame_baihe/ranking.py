"""Blend relevance and score, and take the best: arrays in, places out.

    blended = (1 - weight) * relevance + weight * (score - low) / (high - low)

Rules:
1. Who has no score takes the mean of the scores that are known among these candidates. So the mean of
   all is what it was, and nobody gains or loses, on average, by not having one. Where no score is
   known, relevance alone decides.
2. The score never weighs more than relevance (a ranking by score alone is what rule MAT-1 refuses).
3. Beside the order there is always the order without the score, and the parameters of both.
4. The same candidates in another order come to the same values: no sum depends on who comes first.
5. Equals stand as `ties` says; without it, in the order in which they were given.
"""

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_baihe.result import Parameters, Why
from sesame_baihe.score_blend import BLOCK, Average, Blend, average_of, column, within_bounds
from sesame_baihe.top_k import Best, Places, Ties, Values
from sesame_sdk import InvalidInputError

MOST_WEIGHT = 0.5
#: Few at first: once the best so far are good, few of the others need a closer look.
FIRST_ROUND, MORE = 1 << 10, 4


@frozen(eq=False)
class Ranking:
    """Candidates by their place in what was given, best first.

    Attributes:
        order: with the score.
        blended: what each in `order` came to, 0 to 1.
        order_without_score: by relevance alone.
        parameters: how.
        blend: the formula.
    """

    order: Places
    blended: Values
    order_without_score: Places
    parameters: Parameters
    blend: Blend


def rank_arrays(
    relevance: ArrayLike,
    scores: ArrayLike,
    *,
    score_weight: float,
    score_range: tuple[float, float],
    top: int | None = None,
    ties: Ties | None = None,
    average: Average | None = None,
) -> Ranking:
    """Rank candidates for one member. Pure; nobody is in the answer who was not among the candidates.

    Args:
        relevance: of each candidate, 0 to 1.
        scores: of each candidate, within `score_range`; NaN for none.
        score_weight: 0 to `MOST_WEIGHT`.
        score_range: lowest and highest score that the policy gives.
        top: how many of the best to return; all by default.
        ties: which of equals are first.
        average: of these very scores, in this very range, from `average_of`; worked out by default.

    Raises:
        InvalidInputError: a value is out of its bounds; names the argument.
    """
    relevant, scored = column(relevance, "relevance"), column(scores, "scores")
    if len(relevant) != len(scored):
        raise InvalidInputError(
            f"must be one a candidate: {len(relevant)}, not {len(scored)}", field="scores"
        )
    if not 0 <= score_weight <= MOST_WEIGHT:
        raise InvalidInputError(f"must lie between 0 and {MOST_WEIGHT}", field="score_weight")
    if top is not None and top < 1:
        raise InvalidInputError("must be at least 1", field="top")
    average = average or average_of(scored, score_range)
    blend = Blend(score_weight, *score_range, average.points, average.most)
    count = min(top or len(relevant), len(relevant))
    (order, values), without = best_of(relevant, scored, blend, count, ties)
    without_score = len(relevant) - average.known
    used = Parameters(score_weight, score_range, len(relevant), without_score, blend.neutral)
    return Ranking(order, values, without, used, blend)


def best_of(
    relevance: Values, scores: Values, blend: Blend, count: int, ties: Ties | None = None
) -> tuple[tuple[Places, Values], Places]:
    """The best `count` places with their blend, and the best by relevance alone.

    Only relevance is read throughout: whoever could not make it with the highest score is passed over. Each
    round looks at more than all before it, so that what is found good enough has to be sorted seldom.
    """
    blended, without = Best(count, ties), Best(count, ties)
    start, end = 0, FIRST_ROUND
    while start < len(relevance):
        enough = min(without.floor, blend.relevance_for(blended.floor))
        places, near = _at_least(enough, relevance[: min(end, len(relevance))], start)
        if not within_bounds(near):
            raise InvalidInputError("must lie between 0 and 1", field="relevance")
        without.offer(near, places)
        blended.offer(blend.of(near, scores[places]), places)
        start, end = end, MORE * end
    return blended.ordered(), without.ordered()[0]


def _at_least(enough: float, relevance: Values, start: int) -> tuple[Places, Values]:
    """Where relevance is `enough`, from `start` on, and how much; and wherever it is out of bounds.

    Of floats from 0 to 1 the bits are in order; those of what is negative, more or NaN are higher.
    """
    bits, least = relevance.view(np.uint64), np.float64(max(enough, 0)).view(np.uint64)
    places, values = [], []
    for first in range(start, len(relevance), BLOCK):
        (found,) = (bits[first : first + BLOCK] >= least).nonzero()
        found += first
        places.append(found)
        values.append(relevance[found])  # now, while they are in the processor's cache
    return np.concatenate(places), np.concatenate(values)


def reasons(blend: Blend, near: Values, scores: Values) -> list[Why]:
    """Why each of these stands where it does. Computed as the blend was, so the parts add up to it."""
    relevance, score = blend.parts(near, scores)
    _, average = blend.parts(near, np.full(len(near), np.nan))
    parts = (relevance.tolist(), score.tolist(), (score - average).tolist())
    return [Why(*each) for each in zip(*parts, strict=True)]
