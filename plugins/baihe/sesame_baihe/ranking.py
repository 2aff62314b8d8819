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

from collections.abc import Sequence
from hashlib import blake2b, sha256
from itertools import repeat
from math import isnan

import numpy as np
from attrs import evolve, frozen
from numpy.typing import ArrayLike, NDArray

from sesame_baihe.candidate_pool import Pool
from sesame_baihe.consumer import SCORE_RANGE, SCORE_WEIGHT, Candidates
from sesame_baihe.fair_topk import MOST_PLACES, Fair, Merged, flags, merged
from sesame_baihe.result import Parameters, Place, Ranked, Why
from sesame_baihe.score_blend import BLOCK, Average, Blend, Mean, average_of, both_ways, column, within_bounds
from sesame_baihe.score_source import Scores, is_stale, points_of
from sesame_baihe.top_k import Best, Places, Ties, Values
from sesame_sdk import InvalidInputError, ScoreStore

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


def rank(
    candidates: Sequence[str],
    relevance: ArrayLike,
    book: Scores,
    *,
    member: str = "",
    score_weight: float = SCORE_WEIGHT,
    score_range: tuple[float, float] = SCORE_RANGE,
    top: int | None = None,
    in_return: ArrayLike | None = None,
    mean: Mean = "harmonic",
    fair: Fair | None = None,
) -> Ranked:
    """Rank candidates for one member.

    Args:
        candidates: the site's own pseudonyms, each once; a `Pool` of them where they are ranked often.
        relevance: how well each fits the member, 0 to 1; in the same order.
        book: their scores: a score book, or a mapping of scores or points.
        member: who looks, by any name that stays the same; decides among equals and nothing else.
        score_weight: share of the score in the blend, 0 to 0.5.
        score_range: lowest and highest score that the policy gives.
        top: how many of the best to return; all by default.
        in_return: how well the member fits each; then relevance is the mean of both ways.
        mean: which mean; see `reciprocal`.
        fair: a fairness rule over a group that the site names; see `fair`.

    Raises:
        InvalidInputError: a value is out of its bounds, or somebody is named twice; names the argument.
    """
    if isinstance(book, ScoreStore) and not isinstance(candidates, Pool):
        candidates = Pool(
            candidates
        )  # what finds them in the book tells as well whether anybody is there twice
    people = _columns(candidates, relevance, in_return, mean, book)
    ties = _ties(people.names, member)
    pool = candidates if isinstance(candidates, Pool) else None
    made = rank_arrays(
        people.together,
        people.points,
        score_weight=score_weight,
        score_range=score_range,
        top=top,
        ties=ties,
        average=None if pool is None else pool.average(people.points, score_range),
    )
    under = None if fair is None or not people.names else _under_rule(people, made, fair, ties)
    used = evolve(
        made.parameters,
        # Asked for only where there is nothing: a book that gave a score was not stale.
        stale=bool(people.names) and made.blend.average is None and is_stale(book),
        mean="" if in_return is None else mean,
        fairness=None if under is None else under.fairness,
    )
    without = tuple(people.names[place] for place in made.order_without_score.tolist())
    return Ranked(_places(people, made, under), without, used)


def rank_request(request: Candidates, book: Scores) -> Ranked:
    """The same for a request that holds all of it.

    Raises:
        InvalidInputError: see `rank`.
    """
    return rank(
        request.profiles,
        request.relevance,
        book,
        member=request.member,
        score_weight=request.score_weight,
        score_range=request.score_range,
        top=request.top,
        in_return=request.in_return,
        mean=request.mean,
        fair=request.fair,
    )


@frozen(eq=False)
class _People:
    """Candidates as columns of one length."""

    names: Sequence[str]
    near: Values
    back: Values | None
    together: Values
    points: Values


def _columns(
    candidates: Sequence[str], relevance: ArrayLike, in_return: ArrayLike | None, mean: Mean, book: Scores
) -> _People:
    names = _checked(candidates)
    near = column(relevance, "relevance")
    if len(near) != len(names):
        raise InvalidInputError("must be one a candidate", field="relevance")
    points = points_of(book, candidates if isinstance(candidates, Pool) else names)
    if in_return is None:
        return _People(names, near, None, near, points)
    back = column(in_return, "in_return")
    return _People(names, near, back, both_ways(near, back, mean), points)


def _checked(candidates: Sequence[str]) -> Sequence[str]:
    if isinstance(candidates, Pool):
        return candidates.names
    names = candidates if isinstance(candidates, list | tuple) else list(candidates)
    if isinstance(candidates, str) or len(set(names)) != len(names):
        raise InvalidInputError("must be names, none of them twice", field="candidates")
    return names


def _ties(names: Sequence[str], member: str) -> Ties:
    key = sha256(member.encode(errors="surrogatepass")).digest()

    def keys(places: Places) -> NDArray[np.uint64]:
        hashed = (
            blake2b(names[place].encode(errors="surrogatepass"), digest_size=8, key=key).digest()
            for place in places.tolist()
        )
        return np.frombuffer(b"".join(hashed), dtype=">u8").astype(np.uint64)

    return keys


def _under_rule(people: _People, made: Ranking, fair: Fair, ties: Ties) -> Merged:
    places = min(len(made.order), MOST_PLACES)
    group = np.flatnonzero(flags(people.names, fair))
    (own, _), _ = best_of(
        people.together[group],
        people.points[group],
        made.blend,
        min(places, len(group)),
        lambda found: ties(group[found]),
    )
    rule = fair.rule(places, len(group), len(people.names))
    return merged(made.order.tolist(), group[own].tolist(), rule)


def _places(people: _People, made: Ranking, under: Merged | None) -> tuple[Place, ...]:
    order = made.order if under is None else np.array(under.order, dtype=np.intp)
    lifted = frozenset[int]() if under is None else under.lifted
    points = people.points[order]
    blended = made.blend.of(people.together[order], points)
    back = repeat(None) if people.back is None else people.back[order].tolist()
    columns = zip(
        order.tolist(),
        people.near[order].tolist(),
        points.tolist(),
        blended.tolist(),
        reasons(made.blend, people.together[order], points),
        back,
        strict=False,
    )
    return tuple(
        Place(
            people.names[place],
            near,
            None if isnan(score) else score,
            value,
            evolve(why, lifted=True) if place in lifted else why,
            other,
        )
        for place, near, score, value, why, other in columns
    )
