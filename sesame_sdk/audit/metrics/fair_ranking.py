"""FAIR-1: whether every top of a ranking holds as many of a group as chance would put there.

The first j ranks pass if the number of members in them is not improbably small for j draws, each of the
group with probability p. All k tops are tested at once, so each is tested at a smaller, adjusted alpha.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit import arrays
from sesame_sdk.audit.arrays import Codes, Numbers
from sesame_sdk.audit.metrics.definitions import FAIR_RANKING
from sesame_sdk.audit.metrics.measurement import MIN_GROUP_SIZE, Measurement, Row
from sesame_sdk.errors import InvalidInputError

#: The table of a thousand ranks takes 8 MB, and few readers look further down.
MAX_PLACES = 1_000
#: Probabilities this close count as equal: 1 - 0.9 is less than 0.1 in its last bit.
_TOLERANCE = 1e-12


@frozen
class FairRankingTest:
    """Result of testing a ranking."""

    fails_at: int | None  # first rank, from 1, whose top holds too few
    surplus: int  # members in a top less the fewest allowed there, the lowest over all tops
    alpha: float  # significance level of each top

    @property
    def passes(self) -> bool:
        """Whether every top has enough members."""
        return self.fails_at is None


def fa_ir_table(k: int, p: float, alpha: float = 0.1) -> Codes:
    """(k,) the fewest members that each top j = 1..k needs: the smallest m with BinomCDF(m; j, p) > alpha.

    Args:
        k: ranks, 1 to `MAX_PLACES`.
        p: share of the group, 0 to 1.
        alpha: probability that one fair top fails, 0 to less than 1.

    Raises:
        InvalidInputError: a number is out of its bounds.

    Source: Zehlike et al. 2017, FA*IR, definition 3.1.
    """
    _check(k, p, alpha)
    return _table(_cdf(k, p), alpha)


def failure_probability(table: ArrayLike, p: float) -> float:
    """Probability that a fair ranking fails in some top of a table: Zehlike et al. 2017, section 4."""
    minimums = arrays.check_codes(table, "table")
    _check(minimums.size, p, 0)
    # The probability of passing so far, by the number of members so far.
    passing = np.zeros(minimums.size + 1)
    passing[0] = 1
    for minimum in minimums:
        passing[1:] = passing[1:] * (1 - p) + passing[:-1] * p
        passing[0] *= 1 - p
        passing[:minimum] = 0
    return float(max(1 - passing.sum(), 0))


@lru_cache(maxsize=256)
def adjusted_alpha(k: int, p: float, alpha: float = 0.1) -> float:
    """The largest alpha for each top at which a fair ranking fails somewhere with at most `alpha`.

    A table changes only where alpha passes a value of the CDF, so only those values are searched. Of two
    tables about `alpha` the published code takes the nearer one, which may fail more often than `alpha`;
    this takes the one that does not.

    Raises:
        InvalidInputError: a number is out of its bounds.

    Source: Zehlike et al. 2017, FA*IR, section 4; the discrete search as in arXiv 2012.12795.
    """
    _check(k, p, alpha)
    cdf = _cdf(k, p)
    if _fails(cdf, p, alpha) <= alpha + _TOLERANCE:
        return float(alpha)
    steps = np.union1d(cdf[cdf < alpha], [0.0])
    low, high = 0, steps.size  # alpha 0 requires no member, and never fails
    while high - low > 1:
        middle = (low + high) // 2
        if _fails(cdf, p, float(steps[middle])) <= alpha + _TOLERANCE:
            low = middle
        else:
            high = middle
    return float(steps[low])


def check_fa_ir(flags: ArrayLike, p: float, alpha: float = 0.1, *, adjusted: bool = True) -> FairRankingTest:
    """Test whether every top of a ranking has enough members: `flags` tell them, best rank first.

    If `adjusted`, `alpha` bounds the probability over all tops together, and not that of each.
    """
    members = arrays.check_flags(flags, "flags")
    top_alpha = adjusted_alpha(members.size, p, alpha) if adjusted else alpha
    surplus = np.cumsum(members) - fa_ir_table(members.size, p, top_alpha)
    short = surplus < 0
    fails_at = int(short.argmax()) + 1 if short.any() else None
    return FairRankingTest(fails_at, int(surplus.min()), top_alpha)


def measure_fair_ranking(
    ranked: ArrayLike, names: Sequence[str], *, top: int = 100, alpha: float = 0.1
) -> Measurement:
    """Measure FAIR-1: each group's least surplus in the first `top` ranks, against its share of all ranked.

    Groups of fewer than `MIN_GROUP_SIZE` are not tested; the others share `alpha` evenly (Bonferroni). (N,)
    `ranked` holds the group of each person, best rank first.
    """
    codes = arrays.check_codes(ranked, "ranked")
    people = np.bincount(codes)
    if len(names) < people.size:
        raise InvalidInputError(f"must name all {people.size} groups, not {len(names)}", field="names")
    tested = np.flatnonzero(people >= MIN_GROUP_SIZE).tolist()
    if len(tested) < 2:
        return Measurement(FAIR_RANKING, None, (), f"fewer than two groups have {MIN_GROUP_SIZE} people")
    alpha /= len(tested)
    results = {
        group: check_fa_ir(codes[:top] == group, people[group] / codes.size, alpha) for group in tested
    }
    rows = tuple(Row(names[group], test.surplus, int(people[group])) for group, test in results.items())
    fails = [test.fails_at for test in results.values() if test.fails_at is not None]
    note = f"first too few at rank {min(fails)}" if fails else ""
    return Measurement(FAIR_RANKING, min(test.surplus for test in results.values()), rows, note)


def _cdf(k: int, p: float) -> Numbers:
    """(k, k + 1) BinomCDF(m; j, p), each row from the last by one more draw: sums of positive numbers."""
    mass = np.zeros((k + 1, k + 1))
    mass[0, 0] = 1
    for j in range(1, k + 1):
        mass[j] = mass[j - 1] * (1 - p)
        mass[j, 1:] += mass[j - 1, :-1] * p
    return np.asarray(np.cumsum(mass[1:], axis=1))


def _table(cdf: Numbers, alpha: float) -> Codes:
    return np.asarray((cdf <= alpha + _TOLERANCE).sum(axis=1), dtype=np.int64)


def _fails(cdf: Numbers, p: float, alpha: float) -> float:
    return failure_probability(_table(cdf, alpha), p)


def _check(k: int, p: float, alpha: float) -> None:
    if not 1 <= k <= MAX_PLACES:
        reason = f"must be 1 to {MAX_PLACES:,} ranks"
        raise InvalidInputError(reason, field="k", hint="test the top of the ranking")
    if not 0 <= p <= 1:
        raise InvalidInputError("must be 0 to 1", field="p")
    if not 0 <= alpha < 1:
        raise InvalidInputError("must be 0 to less than 1", field="alpha")
