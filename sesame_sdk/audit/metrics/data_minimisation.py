"""DATA-1: how long a policy keeps signals, compared with how long they can matter.

A policy's readers get points and band, and no signal. Only the hub keeps signals, so there is one recipient
and one field for each kind:

    kept   = the kind's expires_days; a hundred years where it never expires
    needed = the shortest of: its expiry, seven half-lives, ten years; 0 for a kind that cannot move a score

After seven half-lives a signal has less than a hundredth of its weight. Ten years is the longest time that
rule RET-1 lets a signal count.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit import arrays
from sesame_sdk.audit.arrays import Numbers
from sesame_sdk.audit.metrics.definitions import DATA_EXPOSURE
from sesame_sdk.audit.metrics.measurement import Measurement, make_rows
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.policy import Policy, Weighting

UNLIMITED_DAYS: Final = 36_500.0
MAX_NEEDED_DAYS: Final = 3650.0
NEEDED_HALF_LIVES: Final = 7.0


@frozen(eq=False)
class DataExposure:
    """Data kept / the least that is needed; infinite where none is needed."""

    ratio: float  # over all purposes
    purposes: Numbers  # (P,) of each purpose


def data_exposure(
    recipients: ArrayLike, fields: ArrayLike, days: ArrayLike, least: ArrayLike
) -> DataExposure:
    """Product of recipients, fields and days / the least that the purpose needs, for each of P purposes.

    Source: GDPR 5(1)(c), data minimisation.
    """
    factors = {"recipients": recipients, "fields": fields, "days": days, "least": least}
    checked = {name: arrays.check_numbers(values, name, min_value=0) for name, values in factors.items()}
    arrays.check_same_length(**checked)
    needed = checked.pop("least")
    product = checked["recipients"] * checked["fields"] * checked["days"]
    ratios = [arrays.divide(kept, need) for kept, need in zip(product, needed, strict=True)]
    return DataExposure(arrays.divide(product.sum(), needed.sum()), np.asarray(ratios, np.float64))


def measure_data_exposure(
    recipients: ArrayLike, fields: ArrayLike, days: ArrayLike, least: ArrayLike, purposes: Sequence[str]
) -> Measurement:
    """Measure DATA-1 on the worst purpose: one with little data does not excuse another's excess."""
    if not np.size(recipients):
        raise InvalidInputError("must hold a purpose", field="recipients")
    exposure = data_exposure(recipients, fields, days, least)
    rows = make_rows(purposes, exposure.purposes)
    return Measurement(DATA_EXPOSURE, float(exposure.purposes.max()), rows)


def retention_days(policy: Policy) -> tuple[list[float], list[float]]:
    """For each kind, the days that its signals are kept, and the days that they can matter."""
    kept = [kind.expires_days or UNLIMITED_DAYS for kind in policy.weightings]
    return kept, [_needed_days(kind) for kind in policy.weightings]


def _needed_days(kind: Weighting) -> float:
    if kind.weight == 0 or kind.floor == kind.cap:
        return 0.0
    fading = NEEDED_HALF_LIVES * kind.half_life_days if kind.half_life_days else MAX_NEEDED_DAYS
    return min(kind.expires_days or MAX_NEEDED_DAYS, fading, MAX_NEEDED_DAYS)
