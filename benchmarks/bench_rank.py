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

from benchmarks.table import Row, in_turns
from sesame_sdk import ScoreStore
from sesame_sdk.model.stream_events import MAX_CHANGES, ScoreChange, ScoresChanged, SubjectId
from sesame_sdk.partner.score_store.updates import Update, batch_from_scores

RANGE = (350.0, 950.0)
WEIGHT = 0.3
REACH = 1.3
PURPOSE, CONTEXT = "urn:sesame-sdk:purpose:MatchmakingRanking", "matchmaking"
Numbers = NDArray[np.float64]


def rows(candidates: int = 1_000_000, best: int = 50, few: int = 10_000) -> list[Row]:
    """Rank `candidates` from arrays, and by name from a score book; and `few` by name, as a site's page."""
    relevance, scores = people(candidates)
    names = [f"pseudonym-{number:016x}" for number in range(candidates)]
    with a_book(names, scores) as book:
        return [
            from_arrays(relevance, scores, best),
            from_a_pool(names, relevance, scores, book, best),
            after_news(names, relevance, scores, book, best),
            *one_page(names, relevance, scores, book, few, best),
        ]


def people(count: int) -> tuple[Numbers, Numbers]:
    """Relevance and score of each, three in ten of them without a score."""
    random = np.random.default_rng(20261101)
    relevance = random.random(count)
    scores = random.uniform(*RANGE, count)
    scores[random.random(count) < 0.3] = np.nan
    return relevance, scores


@contextmanager
def a_book(names: list[str], scores: Numbers) -> Iterator[ScoreStore]:
    """The scores in a score book of their own, heard of just now, and opened anew."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "book"
        known = [
            (name, score) for name, score in zip(names, scores.tolist(), strict=True) if not isnan(score)
        ]
        with opened(path) as book:
            book.begin_stream("bench")
            news = [told(known[at : at + MAX_CHANGES], at) for at in range(0, len(known), MAX_CHANGES)]
            for at in range(0, len(news), 100):
                book.apply(news[at : at + 100])
            book.compact()
        with opened(path) as book:
            yield book


def opened(path: Path) -> ScoreStore:
    """The book, which a long benchmark shall not find stale."""
    whose = {"hub": "https://hub.example", "reader": "https://baihe.example"}
    return ScoreStore(path, **whose, purpose=PURPOSE, context=CONTEXT, stale_after=timedelta(hours=1))


def told(known: list[tuple[str, float]], seq: int) -> Update:
    """A message with these scores."""
    changes = tuple(ScoreChange(SubjectId(name), seq, score, "good") for name, score in known)
    said = ScoresChanged(PURPOSE, CONTEXT, "digest", 550.0, date(2026, 6, 1), changes)
    return Update(f"jti-{seq}", b"", datetime.now(UTC), batch_from_scores(said), "bench")


def from_arrays(relevance: Numbers, scores: Numbers, best: int) -> Row:
    """The best, with reasons, with and without the score."""
    blended = blend_of(relevance, scores)

    def ours() -> None:
        found = rank_arrays(relevance, scores, score_weight=WEIGHT, score_range=RANGE, top=best)
        explain(found.blend, relevance[found.order], scores[found.order])

    return beside_numpy(
        f"rank {len(relevance):,} from arrays, best {best} with reasons, with and without the score",
        in_turns(ours, lambda: np.argpartition(blended, -best), times=60),
    )


def blend_of(relevance: Numbers, scores: Numbers) -> Numbers:
    """The blend of everybody."""
    made = rank_arrays(relevance, scores, score_weight=WEIGHT, score_range=RANGE)
    blended = np.empty(len(relevance))
    blended[made.order] = made.blended
    return blended


def beside_numpy(what: str, seconds: list[float]) -> Row:
    """A row of ours beside numpy's."""
    return Row(what, *seconds, "numpy argpartition of the same blends", "s", REACH, "lower")


def from_a_pool(names: list[str], relevance: Numbers, scores: Numbers, book: ScoreStore, best: int) -> Row:
    """By name, from a score book: places with their reasons."""
    pool, blended = CandidatePool(names), blend_of(relevance, scores)
    return beside_numpy(
        f"the same by name, from a pool of {len(names):,} and a score book",
        in_turns(
            lambda: rank(pool, relevance, book, top=best),
            lambda: np.argpartition(blended, -best),
            times=60,
        ),
    )


def after_news(names: list[str], relevance: Numbers, scores: Numbers, book: ScoreStore, best: int) -> Row:
    """The first ranking after the book heard something: everybody's score is read anew, here and there."""
    pool, numbers = CandidatePool(names), iter(range(10_000_000, 20_000_000))
    where = np.random.default_rng(1).permutation(len(scores))
    ours, limit, _ = in_turns(
        lambda: rank(pool, relevance, book, top=best),
        lambda: scores[where],
        lambda: book.apply([told([(names[0], 500.0)], next(numbers))]),
        times=15,
    )
    against = "numpy reading as many scores in the order of the pool"
    return Row("the first such ranking after a change", ours, limit, against, "s", 2.0, "lower")


def one_page(
    names: list[str], relevance: Numbers, scores: Numbers, book: ScoreStore, few: int, best: int
) -> list[Row]:
    """What a site does for one visit: other candidates each time, whose names its search has just made."""
    dice, near, pool = Random(2), relevance[:few].copy(), CandidatePool(names[:few])
    found: list[str] = []
    known: dict[str, float] = {}

    def search() -> None:
        who = dice.sample(range(len(names)), few)
        found[:] = [f"pseudonym-{number:016x}" for number in who]
        known.clear()
        known.update(zip(found, scores[who].tolist(), strict=True))

    told = {
        f"{few:,} new names, their scores in a dict": lambda: rank(found, near, known, top=best),
        f"{few:,} new names, a score book of {len(names):,}": lambda: rank(found, near, book, top=best),
        f"a pool of {few:,}, the score book": lambda: rank(pool, near, book, top=best),
    }
    return [
        Row(
            f"one visit, best {best} with reasons: {what}", ours, 0.002, "two milliseconds", "s", 1.0, "lower"
        )
        for what, visit in told.items()
        for _, ours in (in_turns(search, visit, times=100),)
    ]
