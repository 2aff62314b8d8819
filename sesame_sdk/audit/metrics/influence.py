"""VOL-1 and PTN-1: how far one event, or one partner, moves a score."""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit import arrays
from sesame_sdk.audit.arrays import Numbers
from sesame_sdk.audit.metrics.definitions import PARTNER_INFLUENCE, VOLATILITY
from sesame_sdk.audit.metrics.measurement import Measurement, make_rows


@frozen(eq=False)
class PartnerInfluence:
    """How far one partner can move a score, as shares of the range."""

    share: float  # the larger of `up` and `down`, 0 to 1
    up: float
    down: float
    kinds: Numbers  # (K,) how far it moves each kind, either way


def volatility(falls: ArrayLike, span: float) -> float:
    """The largest of the falls that one event takes, in points, as a share of the policy's range."""
    points = arrays.check_numbers(falls, "falls", min_value=0)
    return float(points.max(initial=0.0) / arrays.check_number(span, "span", above=0))


def partner_influence(
    partner_caps: ArrayLike, floors: ArrayLike, caps: ArrayLike, span: float
) -> PartnerInfluence:
    """The most that one partner can move a score that all others made, as a share of the range.

        reach(kind) = min(partner_cap, cap - floor)
        up   = sum of reach over kinds with cap > 0,   at most the range
        down = sum of reach over kinds with floor < 0, at most the range

    A kind's reach may exceed its cap: other partners' signals may have taken it to its floor. A kind whose
    floor is 0 never lowers a score, since its values do not go against its polarity.
    """
    width = arrays.check_number(span, "span", above=0)
    limits = arrays.check_numbers(partner_caps, "partner_caps", min_value=0)
    low = -arrays.check_numbers(floors, "floors", max_value=0)
    high = arrays.check_numbers(caps, "caps", min_value=0)
    arrays.check_same_length(partner_caps=limits, floors=low, caps=high)
    reach = np.minimum(limits, high + low)
    up, down = (min(float(reach[side > 0].sum() / width), 1.0) for side in (high, low))
    return PartnerInfluence(max(up, down), up, down, reach / width)


def measure_volatility(falls: ArrayLike, span: float, kinds: Sequence[str]) -> Measurement:
    """Measure VOL-1. Rows are the largest fall of each kind, as a share of the range."""
    value = volatility(falls, span)
    return Measurement(VOLATILITY, value, make_rows(kinds, np.asarray(falls, np.float64) / span))


def measure_partner_influence(
    partner_caps: ArrayLike, floors: ArrayLike, caps: ArrayLike, span: float, kinds: Sequence[str]
) -> Measurement:
    """Measure PTN-1. Rows are how far one partner moves each kind, as a share of the range."""
    influence = partner_influence(partner_caps, floors, caps, span)
    return Measurement(PARTNER_INFLUENCE, influence.share, make_rows(kinds, influence.kinds))
