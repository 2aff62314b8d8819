"""PSI-1: whether the distribution of scores shifted.

Bins are the tenths of the expected scores. Many people have one and the same score, the policy's base
first of all, so several tenths may end at the same value: such a value gets a bin of its own, and there
are fewer bins. A bin that is empty on one side counts as half a person there, so that its logarithm exists;
the others stay as they are, so that equal distributions give exactly 0.
"""

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit import arrays
from sesame_sdk.audit.arrays import Codes, Numbers
from sesame_sdk.audit.metrics.definitions import STABILITY
from sesame_sdk.audit.metrics.measurement import Measurement, Row
from sesame_sdk.errors import InvalidInputError

#: By chance alone the index is near (bins - 1) * (1 / expected + 1 / actual): 0.036 for ten bins and 500
#: people twice (Yurdakul 2018). With fewer people, a value of 0.10 would say little. Our choice.
MIN_SCORES = 500
_HALF_A_PERSON = 0.5


@frozen(eq=False)
class StabilityIndex:
    """The population stability index and its bins."""

    psi: float
    edges: Numbers  # (B - 1,) rising; a bin goes up to its edge, the edge included
    expected: Codes  # (B,) people
    actual: Codes  # (B,) people
    parts: Numbers  # (B,) what each bin adds to `psi`, 0 or more


def population_stability_index(expected: ArrayLike, actual: ArrayLike, bins: int = 10) -> StabilityIndex:
    """Sum over bins of (a - e) * ln(a / e), a and e being shares of people; equal scores make fewer bins.

    Source: a convention of credit scoring; Yurdakul 2018. It is the symmetric Kullback-Leibler divergence.
    """
    before, now = arrays.check_numbers(expected, "expected"), arrays.check_numbers(actual, "actual")
    if not before.size or not now.size:
        raise InvalidInputError("must both hold scores", field="expected, actual")
    edges = bin_edges(before, bins)
    counts = [np.bincount(np.searchsorted(edges, side), minlength=edges.size + 1) for side in (before, now)]
    e, a = (np.where(count, count, _HALF_A_PERSON) / count.sum() for count in counts)
    parts = np.where(counts[0] + counts[1], (a - e) * np.log(a / e), 0.0)
    return StabilityIndex(float(parts.sum()), edges, counts[0], counts[1], parts)


def bin_edges(scores: Numbers, bins: int = 10) -> Numbers:
    """(at most bins - 1,) upper edges of the bins: the quantiles of `scores`, each an existing score.

    A score with two or more quantiles also begins its bin: the score below it is an edge too.
    """
    if not 2 <= bins <= 100:
        raise InvalidInputError("must be 2 to 100", field="bins")
    values = np.sort(scores)
    # In whole numbers: the index of a quantile must not depend on the last bit of a fraction.
    indices = -(-np.arange(1, bins) * values.size // bins) - 1
    edges, quantiles = np.unique(values[indices], return_counts=True)
    below = np.searchsorted(values, edges[quantiles > 1]) - 1
    return np.union1d(edges, values[below[below >= 0]])


def measure_stability(expected: ArrayLike, actual: ArrayLike) -> Measurement:
    """Measure PSI-1. Rows are what each bin adds. Not measured below `MIN_SCORES` on a side."""
    index = population_stability_index(expected, actual)
    labels = [*(f"up to {edge:g}" for edge in index.edges), f"above {index.edges[-1]:g}"]
    rows = tuple(
        Row(label, float(part), int(people))
        for label, part, people in zip(labels, index.parts, index.actual, strict=True)
    )
    if min(index.expected.sum(), index.actual.sum()) < MIN_SCORES:
        return Measurement(STABILITY, None, rows, f"needs {MIN_SCORES} people before and now")
    return Measurement(STABILITY, index.psi, rows)
