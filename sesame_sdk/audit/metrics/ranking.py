"""FAIR-1 over all groups of a ranking."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from sesame_sdk.audit.metrics import arrays
from sesame_sdk.audit.metrics.definitions import FAIR_RANKING
from sesame_sdk.audit.metrics.fair_ranking import fa_ir_holds
from sesame_sdk.audit.metrics.measurement import Measurement, Row
from sesame_sdk.audit.metrics.tables import FEWEST
from sesame_sdk.errors import InvalidInputError


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
