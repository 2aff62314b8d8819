"""VOL-1 and PTN-1: how far one event, or one partner, moves a score."""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit.metrics import arrays
from sesame_sdk.audit.metrics.arrays import Numbers
from sesame_sdk.audit.metrics.definitions import PARTNER_INFLUENCE, VOLATILITY
from sesame_sdk.audit.metrics.measurement import Measurement, rows_of


@frozen(eq=False)
class Influence:
    """What one partner can do, as shares of the range.

    Attributes:
        share: the more of `up` and `down`, 0 to 1.
        up: how far one partner lifts a score.
        down: how far one partner lowers it.
        kinds: (K,) how far it moves each kind, either way.
    """

    share: float
    up: float
    down: float
    kinds: Numbers


def volatility(falls: ArrayLike, span: float) -> float:
    """The largest fall from one event, as a share of the range, 0 or more.

    Args:
        falls: (K,) points that one event takes, 0 or more: one for each kind, or for each event seen.
        span: the policy's range, in points: highest less lowest.

    Raises:
        Rejected: a fall is negative or not finite, or the range is not more than 0.

    Source: ours.
    """
    points, width = arrays.numbers(falls, "falls", least=0), arrays.number(span, "span", above=0)
    return float(points.max(initial=0.0) / width)


def partner_influence(partner_caps: ArrayLike, floors: ArrayLike, caps: ArrayLike, span: float) -> Influence:
    """The most that one partner can move a score that all others made, as a share of the range.

        reach(kind) = min(partner_cap, cap - floor)
        up   = sum of reach over kinds with cap > 0,   at most the range
        down = sum of reach over kinds with floor < 0, at most the range

    A kind's reach may be more than its cap: others' signals may stand at its floor. A kind whose floor
    is 0 never lowers, since its values do not go against its polarity.

    Args:
        partner_caps: (K,) points, 0 or more: one for each kind that one partner may send.
        floors: (K,) points, 0 or less.
        caps: (K,) points, 0 or more.
        span: the policy's range, in points.

    Raises:
        Rejected: an array is of the wrong kind, they differ in length, or the range is not more than 0.

    Source: ours.
    """
    each, width = arrays.numbers(partner_caps, "partner_caps", least=0), arrays.number(span, "span", above=0)
    low, high = -arrays.numbers(floors, "floors", most=0), arrays.numbers(caps, "caps", least=0)
    arrays.same_length(partner_caps=each, floors=low, caps=high)
    reach = np.minimum(each, high + low)
    up, down = (min(float(reach[side > 0].sum() / width), 1.0) for side in (high, low))
    return Influence(max(up, down), up, down, reach / width)


def measure_volatility(falls: ArrayLike, span: float, kinds: Sequence[str]) -> Measurement:
    """VOL-1 with its verdict. Rows are the largest fall of each kind, as a share of the range."""
    value = volatility(falls, span)
    return Measurement(VOLATILITY, value, rows_of(kinds, np.asarray(falls, np.float64) / span))


def measure_partner_influence(
    partner_caps: ArrayLike, floors: ArrayLike, caps: ArrayLike, span: float, kinds: Sequence[str]
) -> Measurement:
    """PTN-1 with its verdict. Rows are how far one partner moves each kind, as a share of the range."""
    found = partner_influence(partner_caps, floors, caps, span)
    return Measurement(PARTNER_INFLUENCE, found.share, rows_of(kinds, found.kinds))
