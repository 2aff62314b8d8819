"""Rank candidates for one member: names, relevance and a book in, places with their reasons out.

Rules:
1. Only the candidates that are given are ranked, for the one member who looks. There is no ranking of
   everybody, and nothing here could make one public.
2. Only the scores of people who agreed to this purpose are looked at: the book has no others. Signals
   from other contexts can only have raised them: the hub's policy, and each person's grant, see to it.
3. Whoever has no score counts as average, and is ranked among all; see `ranking`.
4. Equals stand in an order that is the member's own: a keyed hash of the two names. So it is the same
   whichever way the candidates come, and nobody is first of all equals on everybody's page.
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
from sesame_baihe.ranking import Ranking, best_of, rank_arrays, reasons
from sesame_baihe.reciprocal import Mean, both_ways
from sesame_baihe.result import Place, Ranked
from sesame_baihe.score_blend import column
from sesame_baihe.score_source import Scores, is_stale, points_of
from sesame_baihe.top_k import Places, Ties, Values
from sesame_sdk import InvalidInputError, ScoreStore


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
