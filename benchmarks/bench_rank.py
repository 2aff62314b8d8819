"""Ranking profiles by relevance and score, beside numpy picking the best of scores that are there already."""

import numpy as np
from sesame_baihe.ranking import rank

from benchmarks.table import Row, fastest

RANGE = (350.0, 950.0)
WEIGHT = 0.3


def rows(candidates: int = 1_000_000, best: int = 50) -> list[Row]:
    """Rank `candidates`, three in ten of them without a score, and take the best with and without it."""
    random = np.random.default_rng(20261101)
    relevance = random.random(candidates)
    scores = random.uniform(*RANGE, candidates)
    scores[random.random(candidates) < 0.3] = np.nan
    made = rank(relevance, scores, score_weight=WEIGHT, score_range=RANGE)
    blended = np.empty(candidates)
    blended[made.order] = made.blended
    limit = fastest(lambda: np.argpartition(blended, -best), times=25)
    ours = fastest(
        lambda: rank(relevance, scores, score_weight=WEIGHT, score_range=RANGE, top=best), times=25
    )
    return [
        Row(
            what=f"rank {candidates:,} candidates, best {best}, with and without the score",
            ours=ours,
            limit=limit,
            against="numpy argpartition of the same blended scores",
            unit="s",
            reach=1.3,
            better="lower",
        )
    ]
