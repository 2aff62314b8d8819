"""CNF-1 and CNF-2: whether a policy presses people to be alike.

Simulated people have free choices: what to read, say and like, and whom to know. None may count, and
none may narrow because people adapt to what does.
"""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit.metrics import arrays
from sesame_sdk.audit.metrics.arrays import Numbers
from sesame_sdk.audit.metrics.definitions import CONFORMITY_LOSS, CONFORMITY_WEIGHT
from sesame_sdk.audit.metrics.measurement import Measurement, rows_of
from sesame_sdk.errors import InvalidInputError


@frozen(eq=False)
class Loss:
    """What variety was lost.

    Attributes:
        overall: at most 1; below 0 where variety grew.
        choices: (T,) the same for each choice.
    """

    overall: float
    choices: Numbers


def conformity_weight(weights: ArrayLike, conforming: ArrayLike) -> float:
    """Sum of |weight| on expression, taste and associates / sum of all |weight|, 0 to 1; 0 without weights.

    Args:
        weights: (K,) what each kind can move a score by, in points; any sign.
        conforming: (K,) bools: whether the kind is about expression, taste or associates.

    Raises:
        InvalidInputError: an array is of the wrong kind, or the two differ in length.

    Source: ours, after C(2025) 5052, 165-169. Neither sign excuses: a reward presses as a penalty does.
    """
    size, pressing = np.abs(arrays.numbers(weights, "weights")), arrays.flags(conforming, "conforming")
    arrays.same_length(weights=size, conforming=pressing)
    total = size.sum()
    return float(size[pressing].sum() / total) if total else 0.0


def entropy(counts: ArrayLike) -> Numbers:
    """(T,) entropy of each row of (T, C) counts, in bits: -sum of share * log2(share). 0 for an empty row.

    Raises:
        InvalidInputError: not two-dimensional, negative, or not finite.
    """
    table = np.asarray(counts, np.float64)
    if table.ndim != 2:
        raise InvalidInputError("must have two dimensions: choices, options", field="counts")
    if not np.isfinite(table).all() or (table < 0).any():
        raise InvalidInputError("must be 0 or more, and finite", field="counts")
    total = table.sum(axis=1, keepdims=True)
    share = np.divide(table, total, out=np.zeros_like(table), where=total > 0)
    # From log2(1 / share), so that a single option gives 0 and not -0.
    return np.asarray((share * np.log2(np.divide(1, share, out=np.ones_like(share), where=share > 0))).sum(1))


def conformity_loss(before: ArrayLike, after: ArrayLike) -> Loss:
    """1 - entropy of free choices after people adapt / before; over all choices, the entropies are summed.

    Where there was no variety, none is lost.

    Args:
        before: (T, C) how many people take each of C options in each of T choices.
        after: the same, once everybody did what a score asks of them.

    Raises:
        InvalidInputError: not two tables of one shape, or not counts.

    Source: ours, after Hardt et al. 2016, Strategic Classification.
    """
    if np.shape(before) != np.shape(after):
        raise InvalidInputError("must be of one shape", field="before, after")
    had, has = entropy(before), entropy(after)
    overall = _loss(had.sum(keepdims=True), has.sum(keepdims=True))
    return Loss(float(overall[0]), _loss(had, has))


def measure_conformity_weight(weights: ArrayLike, conforming: ArrayLike, kinds: Sequence[str]) -> Measurement:
    """CNF-1 with its verdict. Rows are the share of all weight that each conforming kind has."""
    value = conformity_weight(weights, conforming)
    size = np.abs(np.asarray(weights, np.float64)) * np.asarray(conforming)
    rows = rows_of(kinds, size / max(np.abs(weights).sum(), np.finfo(np.float64).tiny))
    return Measurement(CONFORMITY_WEIGHT, value, tuple(row for row in rows if row.value))


def measure_conformity_loss(before: ArrayLike, after: ArrayLike, choices: Sequence[str]) -> Measurement:
    """CNF-2 with its verdict. Rows are the loss in each choice.

    The verdict is on the worst choice: variety gained in one does not make up for another's loss.
    """
    loss = conformity_loss(before, after)
    worst = float(loss.choices.max()) if loss.choices.size else None
    note = f"over all choices together: {CONFORMITY_LOSS.show(loss.overall)}"
    return Measurement(CONFORMITY_LOSS, worst, rows_of(choices, loss.choices), note)


def _loss(had: Numbers, has: Numbers) -> Numbers:
    return 1 - np.divide(has, had, out=np.ones_like(had), where=had > 0)
