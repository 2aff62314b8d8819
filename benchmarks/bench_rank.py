"""Ranking profiles by relevance and score, beside numpy picking the best of scores that are there already."""

from math import isnan, nan

import numpy as np
from numpy.typing import NDArray
from sesame_baihe import rank
from sesame_baihe.ranking import rank_arrays, reasons

from benchmarks.table import Row, fastest

RANGE = (350.0, 950.0)
WEIGHT = 0.3
_TIMES = 25
Numbers = NDArray[np.float64]


def rows(candidates: int = 1_000_000, best: int = 50, few: int = 10_000) -> list[Row]:
    """Rank `candidates` from arrays, and by name; and `few` by name, as a page of a site does."""
    relevance, scores = people(candidates)
    return [
        from_arrays(relevance, scores, best),
        by_name(relevance, scores, best),
        one_page(relevance[:few], scores[:few], best),
    ]


def people(count: int) -> tuple[Numbers, Numbers]:
    """Relevance and score of each, three in ten of them without a score."""
    random = np.random.default_rng(20261101)
    relevance = random.random(count)
    scores = random.uniform(*RANGE, count)
    scores[random.random(count) < 0.3] = np.nan
    return relevance, scores


def from_arrays(relevance: Numbers, scores: Numbers, best: int) -> Row:
    """The best, with reasons, with and without the score."""
    made = rank_arrays(relevance, scores, score_weight=WEIGHT, score_range=RANGE)
    blended = np.empty(len(relevance))
    blended[made.order] = made.blended

    def ours() -> None:
        found = rank_arrays(relevance, scores, score_weight=WEIGHT, score_range=RANGE, top=best)
        reasons(found.blend, relevance[found.order], scores[found.order])

    return Row(
        what=f"rank {len(relevance):,} candidates, best {best} with reasons, with and without the score",
        ours=fastest(ours, times=_TIMES),
        limit=fastest(lambda: np.argpartition(blended, -best), times=_TIMES),
        against="numpy argpartition of the same blended scores",
        unit="s",
        reach=1.3,
        better="lower",
    )


def by_name(relevance: Numbers, scores: Numbers, best: int) -> Row:
    """From names and a mapping of scores to places with their reasons."""
    names, book = named(scores)

    def bare() -> None:
        assert len(set(names)) == len(names)
        found = np.fromiter((book.get(name, nan) for name in names), np.float64, count=len(names))
        np.argpartition(relevance + found, -best)

    return Row(
        what=f"the same by name, from a mapping of scores: {len(names):,} names to {best} places",
        ours=fastest(lambda: rank(names, relevance, book, top=best), times=3),
        limit=fastest(bare, times=3),
        against="looking the same names up in a dict, each once, then numpy argpartition",
        unit="s",
        reach=1.3,
        better="lower",
    )


def one_page(relevance: Numbers, scores: Numbers, best: int) -> Row:
    """What a site does for one visit."""
    names, book = named(scores)
    return Row(
        what=f"one visit: {len(names):,} names, best {best} with reasons",
        ours=fastest(lambda: rank(names, relevance, book, top=best), times=200),
        limit=0.002,
        against="two milliseconds",
        unit="s",
        reach=1.0,
        better="lower",
    )


def named(scores: Numbers) -> tuple[list[str], dict[str, float]]:
    """A pseudonym for each, and the scores that there are."""
    names = [f"pseudonym-{number:032x}" for number in range(len(scores))]
    known = zip(names, scores.tolist(), strict=True)
    return names, {name: score for name, score in known if not isnan(score)}
