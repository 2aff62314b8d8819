"""From a folder of labelled texts to a model."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from sesame_social.classifier.model import Model
from sesame_social.classifier.normalize import Floats
from sesame_social.training import datasets, training_sets
from sesame_social.training.datasets import LabelledText
from sesame_social.training.logistic_regression import FittedHead, fit_head

#: Heads in the order of `HEADS`.
_LESSONS = (
    training_sets.message_set,
    training_sets.comment_set,
    training_sets.kind_set,
    training_sets.english_set,
    training_sets.hate_set,
    training_sets.chinese_set,
)
#: Chosen by cross-validation over what is not held out.
_THRESHOLDS = (0.5, 0.45, 0.4, 0.6, 0.3, 0.65)
_STEPS = 8191
_PARTS = 1 << 20
SEED = 20261101


def train_model(folder: Path, *, seed: int = SEED, progress: Callable[[str], None] = lambda _: None) -> Model:
    """Train on what is not held out.

    Args:
        folder: where the public sets are.
        seed: of everything that is drawn.
        progress: told what is being done.

    Raises:
        Rejected: the data are not there.
    """
    rows = [row for row in datasets.load_rows(folder, *datasets.SETS) if not row.held_out]
    return train_on_rows(rows, seed=seed, progress=progress)


def train_on_rows(
    rows: Sequence[LabelledText], *, seed: int, progress: Callable[[str], None] = lambda _: None
) -> Model:
    """Train on these rows."""
    heads = []
    for lesson in _LESSONS:
        progress(f"learning: {lesson.__name__}")
        heads.append(fit_head(lesson(rows, seed), training_sets.training_phrases(), seed))
    return _packed(heads)


def _packed(heads: Sequence[FittedHead]) -> Model:
    steps = np.array([_step(head.weights) for head in heads])
    weights = [
        np.clip(np.rint(head.weights / step), -_STEPS, _STEPS)
        for head, step in zip(heads, steps, strict=True)
    ]
    return Model(
        weights=np.array(weights).astype(np.int16),
        steps=steps,
        surface_weights=_exact([head.surface_weights for head in heads]),
        bias=_exact([head.bias for head in heads]),
        thresholds=np.array(_THRESHOLDS),
        phrases=training_sets.prediction_phrases(),
    )


def _exact(values: Sequence[Floats | float]) -> Floats:
    """In whole parts of 2^-20, so that sums are exact: no chance depends on who is judged beside."""
    made: Floats = np.rint(np.array(values) * _PARTS) / _PARTS
    return made


def _step(weights: Floats) -> float:
    """What one step is worth, so that the largest weight still has a number."""
    return float(np.round(np.abs(weights).max() / _STEPS, 12))
