"""DIS-1: whether groups pass at like rates."""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit.metrics import arrays
from sesame_sdk.audit.metrics.arrays import ByGroup, Numbers
from sesame_sdk.audit.metrics.definitions import IMPACT_RATIO
from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.metrics.tables import FEWEST, measured_groups


@frozen(eq=False)
class Impact:
    """Selection by group.

    Attributes:
        groups: people and selection rates, each 0 to 1.
        ratios: (G,) rate / the highest rate; NaN for a group that is not compared.
        worst: the smallest ratio, 0 to 1; NaN where no group is compared.
    """

    groups: ByGroup
    ratios: Numbers
    worst: float


def impact_ratio(selected: ArrayLike, group: ArrayLike, fewest: int = 1) -> Impact:
    """Selection rate of each group, and its ratio to the highest.

        ratio(g) = (selected in g / people in g) / max over h of (selected in h / people in h)

    Where nobody is selected at all, nobody is behind: every ratio is 1.

    Args:
        selected: (N,) bools, whether each person passes.
        group: (N,) whole numbers from 0.
        fewest: a smaller group is not compared, and is not the highest.

    Raises:
        Rejected: an array is of the wrong kind, or the two differ in length.

    Source: 29 CFR 1607.4(D), the four-fifths rule.
    """
    chosen, codes = arrays.flags(selected, "selected"), arrays.codes(group)
    arrays.same_length(selected=chosen, group=codes)
    rates = arrays.by_group(chosen, codes, fewest)
    highest = rates.highest
    ratios = rates.means / highest if highest > 0 else np.ones_like(rates.means)
    ratios = np.where(rates.compared, ratios, np.nan)
    return Impact(rates, ratios, arrays.ratio(rates.lowest, highest))


def measure_impact_ratio(selected: ArrayLike, group: ArrayLike, names: Sequence[str]) -> Measurement:
    """DIS-1 with its verdict. Rows are ratios; groups of fewer than `FEWEST` are not compared."""
    impact = impact_ratio(selected, group, FEWEST)
    return measured_groups(IMPACT_RATIO, impact.worst, impact.ratios, impact.groups, names)
