"""Trains a model on the data sets in a directory."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from sesame_social.classifier.model import Model
from sesame_social.classifier.normalize import Floats
from sesame_social.training import datasets, training_sets
from sesame_social.training.datasets import LabelledText
from sesame_social.training.logistic_regression import FittedHead, fit_head

#: Training sets in the order of `HEADS`.
_TRAINING_SETS = (
    training_sets.message_set,
    training_sets.comment_set,
    training_sets.kind_set,
    training_sets.english_set,
    training_sets.hate_set,
    training_sets.chinese_set,
)
#: Chosen by cross-validation over texts that are not held out.
_THRESHOLDS = (0.5, 0.45, 0.4, 0.6, 0.3, 0.65)
_STEPS = 8191
_STEPS_PER_UNIT = 1 << 20
SEED = 20261101


def train_model(folder: Path, *, seed: int = SEED, progress: Callable[[str], None] = lambda _: None) -> Model:
    """Train on the texts that are not held out.

    Args:
        folder: directory of the data sets.
        seed: of all random draws.
        progress: called with each step.

    Raises:
        InvalidInputError: the data sets are missing.
    """
    rows = [row for row in datasets.load_rows(folder, *datasets.SETS) if not row.held_out]
    return train_on_rows(rows, seed=seed, progress=progress)


def train_on_rows(
    rows: Sequence[LabelledText], *, seed: int, progress: Callable[[str], None] = lambda _: None
) -> Model:
    """Train on these texts."""
    heads = []
    for training_set in _TRAINING_SETS:
        progress(f"training: {training_set.__name__}")
        heads.append(fit_head(training_set(rows, seed), training_sets.training_phrases(), seed))
    return _pack(heads)


def _pack(heads: Sequence[FittedHead]) -> Model:
    steps = np.array([_step_value(head.weights) for head in heads])
    weights = [
        np.clip(np.rint(head.weights / step), -_STEPS, _STEPS)
        for head, step in zip(heads, steps, strict=True)
    ]
    return Model(
        weights=np.array(weights).astype(np.int16),
        steps=steps,
        surface_weights=_round_exactly([head.surface_weights for head in heads]),
        bias=_round_exactly([head.bias for head in heads]),
        thresholds=np.array(_THRESHOLDS),
        phrases=training_sets.prediction_phrases(),
    )


def _round_exactly(values: Sequence[Floats | float]) -> Floats:
    """Round to multiples of 2^-20, so that sums are exact, and no probability depends on the batch."""
    rounded: Floats = np.rint(np.array(values) * _STEPS_PER_UNIT) / _STEPS_PER_UNIT
    return rounded


def _step_value(weights: Floats) -> float:
    """The value of a step, such that the largest weight is in range."""
    return float(np.round(np.abs(weights).max() / _STEPS, 12))
