"""Ranking profiles by relevance and score, beside numpy picking the best of blends that are there already.

Ours and the limit are run in turns, and what counts is the time that the thread had a processor.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from math import isnan
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sesame_baihe import CandidatePool, rank
from sesame_baihe.ranking import explain, rank_arrays

from benchmarks.table import BenchmarkResult, interleaved
from sesame_sdk import ScoreStore
from sesame_sdk.model.stream_events import MAX_CHANGES, ScoreChange, ScoresChanged, SubjectId
from sesame_sdk.partner.score_store.updates import Update, batch_from_scores

RANGE = (350.0, 950.0)
WEIGHT = 0.3
REACH = 1.3
PURPOSE, CONTEXT = "urn:sesame-sdk:purpose:MatchmakingRanking", "matchmaking"
Numbers = NDArray[np.float64]


def rows(candidates: int = 1_000_000, best: int = 50, few: int = 10_000) -> list[BenchmarkResult]:
    """Rank `candidates` from arrays, and by name from a score store; and `few` by name, as a site's page."""
    relevance, scores = people(candidates)
    names = [f"pseudonym-{number:016x}" for number in range(candidates)]
    with filled_store(names, scores) as store:
        return [
            from_arrays(relevance, scores, best),
            from_pool(names, relevance, scores, store, best),
            after_updates(names, relevance, scores, store, best),
            *one_page(names, relevance, scores, store, few, best),
        ]


def people(count: int) -> tuple[Numbers, Numbers]:
    """Relevance and score of each, three in ten of them without a score."""
    random = np.random.default_rng(20261101)
    relevance = random.random(count)
    scores = random.uniform(*RANGE, count)
    scores[random.random(count) < 0.3] = np.nan
    return relevance, scores


@contextmanager
def filled_store(names: list[str], scores: Numbers) -> Iterator[ScoreStore]:
    """The scores in a score store of their own, heard of just now, and opened anew."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        known = [
            (name, score) for name, score in zip(names, scores.tolist(), strict=True) if not isnan(score)
        ]
        with opened(path) as store:
            store.begin_stream("bench")
            updates = [
                make_update(known[at : at + MAX_CHANGES], at) for at in range(0, len(known), MAX_CHANGES)
            ]
            for at in range(0, len(updates), 100):
                store.apply(updates[at : at + 100])
            store.compact()
        with opened(path) as store:
            yield store


def opened(path: Path) -> ScoreStore:
    """The store; a long benchmark must not make it stale."""
    whose = {"hub": "https://hub.example", "reader": "https://baihe.example"}
    return ScoreStore(path, **whose, purpose=PURPOSE, context=CONTEXT, stale_after=timedelta(hours=1))


def make_update(known: list[tuple[str, float]], seq: int) -> Update:
    """A message with these scores."""
    changes = tuple(ScoreChange(SubjectId(name), seq, score, "good") for name, score in known)
    said = ScoresChanged(PURPOSE, CONTEXT, "digest", 550.0, date(2026, 6, 1), changes)
    return Update(f"jti-{seq}", b"", datetime.now(UTC), batch_from_scores(said), "bench")


def from_arrays(relevance: Numbers, scores: Numbers, best: int) -> BenchmarkResult:
    """The best, with reasons, with and without the score."""
    blended = blend_of(relevance, scores)

    def ours() -> None:
        found = rank_arrays(relevance, scores, score_weight=WEIGHT, score_range=RANGE, top=best)
        explain(found.blend, relevance[found.order], scores[found.order])

    return compare_with_numpy(
        f"rank {len(relevance):,} from arrays, best {best} with reasons, with and without the score",
        interleaved(ours, lambda: np.argpartition(blended, -best), times=60),
    )


def blend_of(relevance: Numbers, scores: Numbers) -> Numbers:
    """The blend of everybody."""
    made = rank_arrays(relevance, scores, score_weight=WEIGHT, score_range=RANGE)
    blended = np.empty(len(relevance))
    blended[made.order] = made.blended
    return blended


def compare_with_numpy(name: str, seconds: list[float]) -> BenchmarkResult:
    """Our time and that of numpy."""
    ours, limit = seconds
    return BenchmarkResult(name, ours, limit, "numpy argpartition of the same blends", "s", REACH, "lower")


def from_pool(
    names: list[str], relevance: Numbers, scores: Numbers, store: ScoreStore, best: int
) -> BenchmarkResult:
    """By name, from a score store: places with their reasons."""
    pool, blended = CandidatePool(names), blend_of(relevance, scores)
    return compare_with_numpy(
        f"the same by name, from a pool of {len(names):,} and a score store",
        interleaved(
            lambda: rank(pool, relevance, store, top=best),
            lambda: np.argpartition(blended, -best),
            times=60,
        ),
    )


def after_updates(
    names: list[str], relevance: Numbers, scores: Numbers, store: ScoreStore, best: int
) -> BenchmarkResult:
    """The first ranking after an update: every score is read again."""
    pool, numbers = CandidatePool(names), iter(range(10_000_000, 20_000_000))
    where = np.random.default_rng(1).permutation(len(scores))
    ours, limit, _ = interleaved(
        lambda: rank(pool, relevance, store, top=best),
        lambda: scores[where],
        lambda: store.apply([make_update([(names[0], 500.0)], next(numbers))]),
        times=15,
    )
    baseline = "numpy reading as many scores in the order of the pool"
    return BenchmarkResult("the first such ranking after a change", ours, limit, baseline, "s", 2.0, "lower")


def one_page(
    names: list[str], relevance: Numbers, scores: Numbers, store: ScoreStore, few: int, best: int
) -> list[BenchmarkResult]:
    """What a site does for one visit: other candidates each time, whose names its search has just made."""
    dice, near, pool = Random(2), relevance[:few].copy(), CandidatePool(names[:few])
    found: list[str] = []
    known: dict[str, float] = {}

    def search() -> None:
        who = dice.sample(range(len(names)), few)
        found[:] = [f"pseudonym-{number:016x}" for number in who]
        known.clear()
        known.update(zip(found, scores[who].tolist(), strict=True))

    visits = {
        f"{few:,} new names, their scores in a dict": lambda: rank(found, near, known, top=best),
        f"{few:,} new names, a score store of {len(names):,}": lambda: rank(found, near, store, top=best),
        f"a pool of {few:,}, the score store": lambda: rank(pool, near, store, top=best),
    }
    return [
        BenchmarkResult(
            f"one visit, best {best} with reasons: {name}", ours, 0.002, "two milliseconds", "s", 1.0, "lower"
        )
        for name, visit in visits.items()
        for _, ours in (interleaved(search, visit, times=100),)
    ]
