"""Ranks candidates for one viewer: names, relevance and scores in, ranked profiles with explanations out.

    blended = (1 - weight) * relevance + weight * (score - low) / (high - low)

Rules:
1. Only the given candidates are ranked, for the one viewer. There is no ranking of all people, and nothing
   here could make one public.
2. Only scores of people who agreed to this purpose are used: the source has no others. Signals from other
   contexts can only have raised them, and only if the person's grant to this reader names that crossing: the
   hub's policy and its guard (rule CTX-1) ensure it, and the result says so.
3. A candidate without a score gets the mean of the scores known among these candidates. So the mean of all
   stays what it was, and on average no candidate gains or loses by having no score. If no score is known,
   relevance alone decides.
4. The score never weighs more than relevance (rule MAT-1 refuses a ranking by score alone).
5. The order without the score, and the parameters of both, are part of the result.
6. The result does not depend on the order of the candidates. Ties are broken by a keyed hash of viewer and
   candidate: the same for one viewer, and different from viewer to viewer.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b, sha256
from itertools import repeat
from math import isnan

import numpy as np
from attrs import asdict, evolve, frozen
from numpy.typing import ArrayLike, NDArray

from sesame_baihe.fair_topk import MAX_PLACES, FairnessRule, FairRanking, apply_rule
from sesame_baihe.request import SCORE_RANGE, SCORE_WEIGHT, RankingRequest
from sesame_baihe.result import Explanation, RankedProfile, RankingParameters, RankingResult
from sesame_baihe.score_blend import (
    BLOCK_SIZE,
    Blend,
    ReciprocalMean,
    ScoreAverage,
    Values,
    are_shares,
    average_relevance,
    average_scores,
    check_column,
)
from sesame_baihe.score_source import CandidatePool, Scores, is_stale, read_points
from sesame_sdk import InvalidInputError, ScoreStore

Indices = NDArray[np.intp]
#: Breaks ties: a key for each index, the lowest first.
TieKeys = Callable[[Indices], NDArray[np.uint64]]
MAX_WEIGHT = 0.5
#: Few at first: once the best so far are good, few of the others need a closer look.
FIRST_ROUND_SIZE, ROUND_GROWTH = 1 << 10, 4


@frozen(eq=False)
class ArrayRanking:
    """A ranking of candidates by index, best first; `blended` is the value of each in `order`, 0 to 1."""

    order: Indices
    blended: Values
    order_without_score: Indices
    parameters: RankingParameters
    blend: Blend


def rank(
    candidates: Sequence[str],
    relevance: ArrayLike,
    scores: Scores,
    *,
    viewer: str = "",
    score_weight: float = SCORE_WEIGHT,
    score_range: tuple[float, float] = SCORE_RANGE,
    top: int | None = None,
    reciprocal_relevance: ArrayLike | None = None,
    mean: ReciprocalMean = "harmonic",
    fairness_rule: FairnessRule | None = None,
) -> RankingResult:
    """Rank candidates for one viewer.

    Candidates are the site's pseudonyms, each once; a `CandidatePool` of them if ranked often. Scores are a
    score store, or a mapping of scores or points. `RankingRequest` describes the other arguments.

    Raises:
        InvalidInputError: a value is out of its bounds, or a candidate is named twice; names the argument.
    """
    if isinstance(scores, ScoreStore) and not isinstance(candidates, CandidatePool):
        candidates = CandidatePool(candidates)  # finding them in the store finds duplicates as well
    pool = candidates if isinstance(candidates, CandidatePool) else None
    columns = _read_columns(candidates, relevance, reciprocal_relevance, mean, scores)
    ties = _tie_keys(columns.names, viewer)
    ranking = rank_arrays(
        columns.combined,
        columns.points,
        score_weight=score_weight,
        score_range=score_range,
        top=top,
        ties=ties,
        average=None if pool is None else pool.average(columns.points, score_range),
    )
    fair = None
    if fairness_rule is not None and columns.names:
        fair = _rank_fairly(columns, ranking, fairness_rule, ties)
    parameters = evolve(
        ranking.parameters,
        # Checked only if there is no score: a source that gave one was not stale.
        stale=bool(columns.names) and ranking.blend.average is None and is_stale(scores),
        mean="" if reciprocal_relevance is None else mean,
        fairness=None if fair is None else fair.fairness,
    )
    without_score = tuple(columns.names[at] for at in ranking.order_without_score.tolist())
    return RankingResult(_rank_profiles(columns, ranking, fair), without_score, parameters)


def rank_request(request: RankingRequest, scores: Scores) -> RankingResult:
    """Rank the candidates of a request; its attributes have the names of `rank`'s parameters."""
    options = asdict(request, recurse=False)
    return rank(options.pop("profiles"), options.pop("relevance"), scores, **options)


def rank_arrays(
    relevance: ArrayLike,
    scores: ArrayLike,
    *,
    score_weight: float,
    score_range: tuple[float, float],
    top: int | None = None,
    ties: TieKeys | None = None,
    average: ScoreAverage | None = None,
) -> ArrayRanking:
    """Rank candidates by index; an InvalidInputError names an argument that is out of its bounds.

    A score is within `score_range`, or NaN for none. `ties` says which of equals are first; by default, those
    given first. `average` is `average_scores` of the same scores and range, if it is known.
    """
    relevance, scores = check_column(relevance, "relevance"), check_column(scores, "scores")
    if len(relevance) != len(scores):
        reason = f"must have one value for each candidate: {len(relevance)}, not {len(scores)}"
        raise InvalidInputError(reason, field="scores")
    if not 0 <= score_weight <= MAX_WEIGHT:
        raise InvalidInputError(f"must be from 0 to {MAX_WEIGHT}", field="score_weight")
    if top is not None and top < 1:
        raise InvalidInputError("must be at least 1", field="top")
    average = average or average_scores(scores, score_range)
    blend = Blend(score_weight, *score_range, average.points, average.max_points)
    count = min(top or len(relevance), len(relevance))
    (order, values), without_score = select_best(relevance, scores, blend, count, ties)
    missing = len(relevance) - average.known
    parameters = RankingParameters(score_weight, score_range, len(relevance), missing, blend.neutral)
    return ArrayRanking(order, values, without_score, parameters, blend)


class TopK:
    """Keeps the `count` highest values and their indices; without `ties`, equal values stay as added.

    `numpy.argpartition` moves every value; this compares nearly every value only with the lowest of the best
    so far, while its block is still in the processor's cache.
    """

    def __init__(self, count: int, ties: TieKeys | None = None) -> None:
        self._count = count
        self._ties = ties
        self._values: Values = np.empty(0)
        self._indices: Indices = np.empty(0, dtype=np.intp)
        self._max_size = count
        #: Lower values need not be added any more.
        self.threshold = -np.inf

    def add(self, values: Values, indices: Indices) -> None:
        """Add values, in the order of their indices."""
        # With a key, the last of equal values may come first; without one, the first are here already.
        above = values > self.threshold if self._ties is None else values >= self.threshold
        keep = np.flatnonzero(above)
        if not keep.size:
            return
        self._values = np.concatenate((self._values, values[keep]))
        self._indices = np.concatenate((self._indices, indices[keep]))
        if len(self._values) > self._max_size:
            self._prune()

    def sorted(self) -> tuple[Indices, Values]:
        """Indices and values, best first."""
        # The kept values are in order of indices, so a stable sort puts the first of equal values first.
        order = np.argsort(-self._values, kind="stable")
        values = self._values[order]
        if self._ties is not None and (values[1:] == values[:-1]).any():
            # Computing keys is slow, and equal values are rare.
            order = np.lexsort((self._ties(self._indices), -self._values))
        order = order[: self._count]
        return self._indices[order], self._values[order]

    def _prune(self) -> None:
        """Keep the best, and all that equal the last of them, for `sorted` to break the tie."""
        self.threshold = float(np.partition(self._values, -self._count)[-self._count])
        keep = np.flatnonzero(self._values >= self.threshold)
        self._values, self._indices = self._values[keep], self._indices[keep]
        self._max_size = 2 * len(keep)


def select_best(
    relevance: Values, scores: Values, blend: Blend, count: int, ties: TieKeys | None = None
) -> tuple[tuple[Indices, Values], Indices]:
    """Select the best `count` candidates with their blend, and the best by relevance alone.

    Only relevance is read throughout: a candidate who could not get in with the highest score is skipped.
    Each round looks at more candidates than all before it, so that candidates are rarely sorted.
    """
    blended, by_relevance = TopK(count, ties), TopK(count, ties)
    start, end = 0, FIRST_ROUND_SIZE
    while start < len(relevance):
        minimum = min(by_relevance.threshold, blend.min_relevance(blended.threshold))
        indices, values = _at_least(minimum, relevance[: min(end, len(relevance))], start)
        if not are_shares(values):
            raise InvalidInputError("must be from 0 to 1", field="relevance")
        by_relevance.add(values, indices)
        blended.add(blend.compute(values, scores[indices]), indices)
        start, end = end, ROUND_GROWTH * end
    return blended.sorted(), by_relevance.sorted()[0]


def _at_least(minimum: float, relevance: Values, start: int) -> tuple[Indices, Values]:
    """Indices and values of relevance from `minimum`, from `start` on; also of any that is out of bounds.

    The bits of floats from 0 to 1 are in order; those of negative or larger values or NaN are higher.
    """
    bits, least = relevance.view(np.uint64), np.float64(max(minimum, 0)).view(np.uint64)
    indices, values = [], []
    for first in range(start, len(relevance), BLOCK_SIZE):
        (selected,) = (bits[first : first + BLOCK_SIZE] >= least).nonzero()
        selected += first
        indices.append(selected)
        values.append(relevance[selected])  # now, while they are in the processor's cache
    return np.concatenate(indices), np.concatenate(values)


def explain(blend: Blend, relevance: Values, scores: Values) -> list[Explanation]:
    """Explain the blend of each candidate, computed in the same way, so that the parts add up to it."""
    relevance_part, score_part = blend.parts(relevance, scores)
    _, average_part = blend.parts(relevance, np.full(len(relevance), np.nan))
    parts = np.array((relevance_part, score_part, score_part - average_part))
    return [Explanation(*each) for each in parts.T.tolist()]


@frozen(eq=False)
class _Columns:
    """Candidates as columns of one length; `combined` is the relevance that is ranked by."""

    names: Sequence[str]
    relevance: Values
    reciprocal: Values | None
    combined: Values
    points: Values


def _read_columns(
    candidates: Sequence[str],
    relevance: ArrayLike,
    reciprocal_relevance: ArrayLike | None,
    mean: ReciprocalMean,
    scores: Scores,
) -> _Columns:
    names = _check_names(candidates)
    own = check_column(relevance, "relevance")
    if len(own) != len(names):
        raise InvalidInputError("must have one value for each candidate", field="relevance")
    points = read_points(scores, candidates if isinstance(candidates, CandidatePool) else names)
    if reciprocal_relevance is None:
        return _Columns(names, own, None, own, points)
    reciprocal = check_column(reciprocal_relevance, "reciprocal_relevance")
    return _Columns(names, own, reciprocal, average_relevance(own, reciprocal, mean), points)


def _check_names(candidates: Sequence[str]) -> Sequence[str]:
    if isinstance(candidates, CandidatePool):
        return candidates.names
    names = candidates if isinstance(candidates, list | tuple) else list(candidates)
    if isinstance(candidates, str) or len(set(names)) != len(names):
        raise InvalidInputError("must be names without duplicates", field="candidates")
    return names


def _tie_keys(names: Sequence[str], viewer: str) -> TieKeys:
    key = sha256(viewer.encode(errors="surrogatepass")).digest()

    def keys(indices: Indices) -> NDArray[np.uint64]:
        encoded = (names[at].encode(errors="surrogatepass") for at in indices.tolist())
        hashes = b"".join(blake2b(name, digest_size=8, key=key).digest() for name in encoded)
        return np.frombuffer(hashes, dtype=">u8").astype(np.uint64)

    return keys


def _rank_fairly(columns: _Columns, ranking: ArrayRanking, rule: FairnessRule, ties: TieKeys) -> FairRanking:
    places = min(len(ranking.order), MAX_PLACES)
    members = np.flatnonzero(
        np.fromiter(map(rule.group.__contains__, columns.names), np.bool_, count=len(columns.names))
    )
    (best, _), _ = select_best(
        columns.combined[members],
        columns.points[members],
        ranking.blend,
        min(places, len(members)),
        lambda indices: ties(members[indices]),
    )
    required = rule.requirements(places, len(members), len(columns.names))
    return apply_rule(ranking.order.tolist(), members[best].tolist(), required)


def _rank_profiles(
    columns: _Columns, ranking: ArrayRanking, fair: FairRanking | None
) -> tuple[RankedProfile, ...]:
    order = ranking.order if fair is None else np.array(fair.order, dtype=np.intp)
    moved_up = frozenset[int]() if fair is None else fair.moved_up
    points, combined = columns.points[order], columns.combined[order]
    relevance, blended = columns.relevance[order].tolist(), ranking.blend.compute(combined, points).tolist()
    reciprocal = repeat(None) if columns.reciprocal is None else columns.reciprocal[order].tolist()
    parts = explain(ranking.blend, combined, points)
    rows = zip(order.tolist(), relevance, points.tolist(), blended, parts, reciprocal, strict=False)
    profiles = []
    for at, fit, score, value, explanation, other in rows:
        why = evolve(explanation, moved_up=True) if at in moved_up else explanation
        known = None if isnan(score) else score
        profiles.append(RankedProfile(columns.names[at], fit, known, value, why, other))
    return tuple(profiles)
