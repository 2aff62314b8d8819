"""FAIR-1: whether every top of a ranking holds as many of a group as chance would put there.

The first j places hold enough if the number in them is not improbably small for j draws, each of the
group with probability p. All k tops are tested at once, so each is tested at a smaller, adjusted alpha.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit.metrics import arrays
from sesame_sdk.audit.metrics.arrays import Codes, Numbers
from sesame_sdk.audit.metrics.definitions import FAIR_RANKING
from sesame_sdk.audit.metrics.measurement import FEWEST, Measurement, Row
from sesame_sdk.errors import InvalidInputError

#: A thousand places take 8 MB, and nobody looks further down.
MOST_PLACES = 1_000
#: Probabilities this close are equal: 1 - 0.9 is 0.1 to a reader, and less in its last bit.
_CLOSE = 1e-12


@frozen
class RankingTest:
    """Whether a ranking holds.

    Attributes:
        fails_at: the first place, from 1, whose top holds too few; None if every top holds.
        surplus: members in a top less the fewest allowed there, the lowest over all tops.
        alpha: what each top was tested at.
    """

    fails_at: int | None
    surplus: int
    alpha: float

    @property
    def holds(self) -> bool:
        """Whether every top has enough."""
        return self.fails_at is None


def fa_ir_table(k: int, p: float, alpha: float = 0.1) -> Codes:
    """(k,) the fewest members that each top j = 1..k needs: the smallest m with BinomCDF(m; j, p) > alpha.

    Args:
        k: places, 1 to `MOST_PLACES`.
        p: share of the group, 0 to 1.
        alpha: chance of failing one fair top, 0 to less than 1.

    Raises:
        InvalidInputError: a number is out of its bounds.

    Source: Zehlike et al. 2017, FA*IR, definition 3.1.
    """
    _check(k, p, alpha)
    return _table(_cdf(k, p), alpha)


def fail_probability(table: ArrayLike, p: float) -> float:
    """Chance that a fair ranking, each place of the group with probability p, fails in some top.

    What still passes is carried from each top to the next, by the number of members so far.

    Args:
        table: (k,) of `fa_ir_table`.
        p: share of the group, 0 to 1.

    Source: Zehlike et al. 2017, FA*IR, section 4.
    """
    least = arrays.codes(table, "table")
    _check(least.size, p, 0)
    passing = np.zeros(least.size + 1)
    passing[0] = 1
    for need in least:
        passing[1:] = passing[1:] * (1 - p) + passing[:-1] * p
        passing[0] *= 1 - p
        passing[:need] = 0
    return float(max(1 - passing.sum(), 0))


@lru_cache(maxsize=256)
def adjusted_alpha(k: int, p: float, alpha: float = 0.1) -> float:
    """The largest alpha for each top at which a fair ranking fails somewhere with at most `alpha`.

    A table changes only where alpha passes a value of the CDF, so those values are all that is searched.
    Of two tables about `alpha` the published code takes the nearer one, which may fail more often than
    `alpha`; this takes the one that does not.

    Raises:
        InvalidInputError: a number is out of its bounds.

    Source: Zehlike et al. 2017, FA*IR, section 4; the discrete search as in arXiv 2012.12795.
    """
    _check(k, p, alpha)
    cdf = _cdf(k, p)
    if _fails(cdf, p, alpha) <= alpha + _CLOSE:
        return float(alpha)
    steps = np.union1d(cdf[cdf < alpha], [0.0])
    low, high = 0, steps.size  # alpha 0 asks for nobody, and never fails
    while high - low > 1:
        middle = (low + high) // 2
        if _fails(cdf, p, float(steps[middle])) <= alpha + _CLOSE:
            low = middle
        else:
            high = middle
    return float(steps[low])


def fa_ir_holds(flags: ArrayLike, p: float, alpha: float = 0.1, *, adjusted: bool = True) -> RankingTest:
    """Whether every top of a ranking has enough members, and where it first has not.

    Args:
        flags: (k,) bools, best place first: whether who stands there is of the group.
        p: share of the group among all who could stand there, 0 to 1.
        alpha: chance of failing a fair ranking.
        adjusted: hold the chance over all tops together to `alpha`, and not only that of each.

    Raises:
        InvalidInputError: there are no places or more than `MOST_PLACES`, or a number is out of its bounds.
    """
    members = arrays.flags(flags, "flags")
    each = adjusted_alpha(members.size, p, alpha) if adjusted else alpha
    surplus = np.cumsum(members) - fa_ir_table(members.size, p, each)
    short = surplus < 0
    return RankingTest(int(short.argmax()) + 1 if short.any() else None, int(surplus.min()), each)


def _cdf(k: int, p: float) -> Numbers:
    """(k, k + 1) BinomCDF(m; j, p), from each row to the next by one more draw: sums of positive numbers."""
    mass = np.zeros((k + 1, k + 1))
    mass[0, 0] = 1
    for j in range(1, k + 1):
        mass[j] = mass[j - 1] * (1 - p)
        mass[j, 1:] += mass[j - 1, :-1] * p
    return np.asarray(np.cumsum(mass[1:], axis=1))


def _table(cdf: Numbers, alpha: float) -> Codes:
    return np.asarray((cdf <= alpha + _CLOSE).sum(axis=1), dtype=np.int64)


def _fails(cdf: Numbers, p: float, alpha: float) -> float:
    return fail_probability(_table(cdf, alpha), p)


def _check(k: int, p: float, alpha: float) -> None:
    if not 1 <= k <= MOST_PLACES:
        raise InvalidInputError(
            f"must be 1 to {MOST_PLACES:,} places", field="k", hint="test the top of the ranking"
        )
    if not 0 <= p <= 1:
        raise InvalidInputError("must be 0 to 1", field="p")
    if not 0 <= alpha < 1:
        raise InvalidInputError("must be 0 to less than 1", field="alpha")


def measure_fair_ranking(
    ranked: ArrayLike, names: Sequence[str], *, top: int = 100, alpha: float = 0.1
) -> Measurement:
    """FAIR-1: each group's least surplus in the first `top` places, against its share of all who are ranked.

    Groups of fewer than `FEWEST` are not tested; the others share `alpha` evenly (Bonferroni).

    Args:
        ranked: (N,) group number of everybody ranked, best place first.
        names: by group number.
        top: places looked at, at most `fa_ir.MOST_PLACES`.
        alpha: chance of a warning about a ranking that is fair to all groups.

    Raises:
        InvalidInputError: `ranked` is not group numbers, a group has no name, or a number is out of its
            bounds.
    """
    codes = arrays.codes(ranked, "ranked")
    people = np.bincount(codes)
    if len(names) < people.size:
        raise InvalidInputError(f"must name all {people.size} groups, not {len(names)}", field="names")
    tested = np.flatnonzero(people >= FEWEST).tolist()
    if len(tested) < 2:
        return Measurement(FAIR_RANKING, None, (), f"fewer than two groups have {FEWEST} people")
    shared = alpha / len(tested)
    found = [fa_ir_holds(codes[:top] == group, people[group] / codes.size, shared) for group in tested]
    rows = tuple(
        Row(names[group], test.surplus, int(people[group])) for group, test in zip(tested, found, strict=True)
    )
    fails = [test.fails_at for test in found if test.fails_at is not None]
    note = f"first too few at place {min(fails)}" if fails else ""
    return Measurement(FAIR_RANKING, min(test.surplus for test in found), rows, note)
