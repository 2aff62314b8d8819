"""PSI-1: whether scores are spread as they were.

Bins are the tenths of the expected scores. Many people have one and the same score, the policy's base
first of all, so tenths may end at the same value: such a value gets a bin of its own, and there are
no more bins for it. A bin that is empty on one side counts as half a person there, so that its logarithm
exists; the others are left as they are, so that equal spreads give 0 exactly.
"""

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit.metrics import arrays
from sesame_sdk.audit.metrics.arrays import Codes, Numbers
from sesame_sdk.audit.metrics.definitions import STABILITY
from sesame_sdk.audit.metrics.measurement import Measurement, Row
from sesame_sdk.errors import InvalidInputError

#: By chance alone the index is near (bins - 1) * (1 / expected + 1 / actual): 0.036 for ten bins and 500
#: people twice (Yurdakul 2018). With fewer, a reading of 0.10 would say little. Our choice.
FEWEST_SCORES = 500
_HALF_A_PERSON = 0.5


@frozen(eq=False)
class Shift:
    """How a spread of scores moved.

    Attributes:
        psi: 0 or more.
        edges: (B - 1,) rising; a bin goes up to its edge, the edge included.
        expected: (B,) people.
        actual: (B,) people.
        parts: (B,) what each bin adds to `psi`, 0 or more.
    """

    psi: float
    edges: Numbers
    expected: Codes
    actual: Codes
    parts: Numbers


def psi(expected: ArrayLike, actual: ArrayLike, bins: int = 10) -> Shift:
    """Population stability index: sum over bins of (a - e) * ln(a / e), a and e being shares of people.

    Args:
        expected: (N,) scores before, in points.
        actual: (M,) scores now; another number of people is fine.
        bins: 2 to 100; point masses make them fewer.

    Raises:
        InvalidInputError: either is empty, or not finite numbers.

    Source: a convention of credit scoring; Yurdakul 2018. It is the symmetric Kullback-Leibler divergence.
    """
    before, now = arrays.numbers(expected, "expected"), arrays.numbers(actual, "actual")
    if not before.size or not now.size:
        raise InvalidInputError("must both hold scores", field="expected, actual")
    ends = edges(before, bins)
    counts = [np.bincount(np.searchsorted(ends, side), minlength=ends.size + 1) for side in (before, now)]
    e, a = (np.where(count, count, _HALF_A_PERSON) / count.sum() for count in counts)
    parts = np.where(counts[0] + counts[1], (a - e) * np.log(a / e), 0.0)
    return Shift(float(parts.sum()), ends, counts[0], counts[1], parts)


def edges(scores: Numbers, bins: int = 10) -> Numbers:
    """(at most bins - 1,) where bins end: the quantiles of `scores`, each a score that somebody has.

    A score at which two or more quantiles fall also begins its bin: the score below it is an edge too.

    Raises:
        InvalidInputError: bins are not 2 to 100.
    """
    if not 2 <= bins <= 100:
        raise InvalidInputError("must be 2 to 100", field="bins")
    values = np.sort(scores)
    # In whole numbers: a quantile's place must not hang on the last bit of a fraction.
    places = -(-np.arange(1, bins) * values.size // bins) - 1
    ends, falls = np.unique(values[places], return_counts=True)
    below = np.searchsorted(values, ends[falls > 1]) - 1
    return np.union1d(ends, values[below[below >= 0]])


def measure_stability(expected: ArrayLike, actual: ArrayLike) -> Measurement:
    """PSI-1 with its verdict. Rows are what each bin adds. Not measured below `FEWEST_SCORES` on a side."""
    shift = psi(expected, actual)
    rows = tuple(
        Row(label, float(part), int(people))
        for label, part, people in zip(_labels(shift.edges), shift.parts, shift.actual, strict=True)
    )
    if min(shift.expected.sum(), shift.actual.sum()) < FEWEST_SCORES:
        return Measurement(STABILITY, None, rows, f"needs {FEWEST_SCORES} people before and now")
    return Measurement(STABILITY, shift.psi, rows)


def _labels(ends: Numbers) -> list[str]:
    upto = [f"up to {end:g}" for end in ends]
    return [*upto, f"above {ends[-1]:g}"]
