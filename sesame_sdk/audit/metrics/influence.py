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
    """How far one partner can move a score, as shares of the range.

    Attributes:
        share: the larger of `up` and `down`, 0 to 1.
        up: how far a partner raises a score.
        down: how far a partner lowers it.
        kinds: (K,) how far it moves each kind, either way.
    """

    share: float
    up: float
    down: float
    kinds: Numbers


def volatility(falls: ArrayLike, span: float) -> float:
    """The largest fall from one event, as a share of the range, 0 or more.

    Args:
        falls: (K,) points that one event takes, 0 or more: one for each kind, or for each event.
        span: the policy's range in points: highest less lowest.

    Raises:
        InvalidInputError: a fall is negative or not finite, or the range is not more than 0.

    Source: ours.
    """
    points, width = (
        arrays.check_numbers(falls, "falls", min_value=0),
        arrays.check_number(span, "span", above=0),
    )
    return float(points.max(initial=0.0) / width)


def partner_influence(
    partner_caps: ArrayLike, floors: ArrayLike, caps: ArrayLike, span: float
) -> PartnerInfluence:
    """The most that one partner can move a score that all others made, as a share of the range.

        reach(kind) = min(partner_cap, cap - floor)
        up   = sum of reach over kinds with cap > 0,   at most the range
        down = sum of reach over kinds with floor < 0, at most the range

    A kind's reach may exceed its cap: other partners' signals may have taken it to its floor. A kind whose
    floor is 0 never lowers a score, since its values do not go against its polarity.

    Args:
        partner_caps: (K,) points, 0 or more: one for each kind that one partner may send.
        floors: (K,) points, 0 or less.
        caps: (K,) points, 0 or more.
        span: the policy's range in points.

    Raises:
        InvalidInputError: an array has the wrong type, the lengths differ, or the range is not more than 0.

    Source: ours.
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
