"""CNF-1 and CNF-2: whether a policy scores people's free choices, or makes people change them for points."""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit import arrays
from sesame_sdk.audit.arrays import Numbers
from sesame_sdk.audit.metrics.definitions import CONFORMITY_LOSS, CONFORMITY_WEIGHT
from sesame_sdk.audit.metrics.measurement import Measurement, make_rows
from sesame_sdk.errors import InvalidInputError


@frozen(eq=False)
class ConformityLoss:
    """Loss of variety: at most 1, below 0 where variety grew."""

    overall: float  # over all choices together
    choices: Numbers  # (T,) of each choice


def conformity_weight(weights: ArrayLike, conforming: ArrayLike) -> float:
    """Sum of |weight| on expression, taste and associates / sum of all |weight|, 0 to 1; 0 without weights.

    `weights` are the points that each of K kinds can move a score by; (K,) `conforming` flags those kinds.
    Source: ours, after C(2025) 5052, 165-169. The sign does not matter: a reward presses as a penalty does.
    """
    size = np.abs(arrays.check_numbers(weights, "weights"))
    flags = arrays.check_flags(conforming, "conforming")
    arrays.check_same_length(weights=size, conforming=flags)
    total = size.sum()
    return float(size[flags].sum() / total) if total else 0.0


def entropy(counts: ArrayLike) -> Numbers:
    """(T,) entropy of each row of (T, C) counts, in bits: -sum of share * log2(share). 0 for an empty row."""
    table = np.asarray(counts, np.float64)
    if table.ndim != 2:
        raise InvalidInputError("must have two dimensions: choices, options", field="counts")
    if not np.isfinite(table).all() or (table < 0).any():
        raise InvalidInputError("must be 0 or more, and finite", field="counts")
    total = table.sum(axis=1, keepdims=True)
    share = np.divide(table, total, out=np.zeros_like(table), where=total > 0)
    # From log2(1 / share), so that a single option gives 0 and not -0.
    return np.asarray((share * np.log2(np.divide(1, share, out=np.ones_like(share), where=share > 0))).sum(1))


def conformity_loss(before: ArrayLike, after: ArrayLike) -> ConformityLoss:
    """1 - entropy of free choices after people adapt / before; over all choices, the entropies are summed.

    Both hold (T, C) people who take each of C options in each of T choices. A choice without variety loses
    none. Source: ours, after Hardt et al. 2016, Strategic Classification.
    """
    if np.shape(before) != np.shape(after):
        raise InvalidInputError("must be of one shape", field="before, after")
    old, new = entropy(before), entropy(after)
    overall = _loss(old.sum(keepdims=True), new.sum(keepdims=True))
    return ConformityLoss(float(overall[0]), _loss(old, new))


def measure_conformity_weight(weights: ArrayLike, conforming: ArrayLike, kinds: Sequence[str]) -> Measurement:
    """Measure CNF-1. Rows are the share of all weight on each conforming kind."""
    value = conformity_weight(weights, conforming)
    size = np.abs(np.asarray(weights, np.float64)) * np.asarray(conforming)
    rows = make_rows(kinds, size / max(np.abs(weights).sum(), np.finfo(np.float64).tiny))
    return Measurement(CONFORMITY_WEIGHT, value, tuple(row for row in rows if row.value))


def measure_conformity_loss(before: ArrayLike, after: ArrayLike, choices: Sequence[str]) -> Measurement:
    """Measure CNF-2 on the worst choice: variety gained in one does not offset another's loss."""
    loss = conformity_loss(before, after)
    worst = float(loss.choices.max()) if loss.choices.size else None
    note = f"over all choices together: {CONFORMITY_LOSS.format_value(loss.overall)}"
    return Measurement(CONFORMITY_LOSS, worst, make_rows(choices, loss.choices), note)


def _loss(before: Numbers, after: Numbers) -> Numbers:
    return 1 - np.divide(after, before, out=np.ones_like(before), where=before > 0)
