"""Trains a model on the data sets in a directory. Equal data, seed and libraries make an equal file.

Each head is a logistic regression over counts that are scaled by the log-count ratio of each feature (Wang
and Manning 2012); the scale is multiplied into the weights, and the weights are rounded to whole steps. Each
head is calibrated by a sigmoid (Platt 1999) on texts of which it has seen neither the text nor a near
duplicate in training.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen
from scipy import sparse  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

from sesame_social.classifier.entity_masking import COARSE, PhraseTable, mask_entities
from sesame_social.classifier.features import COLUMNS, NO_COARSE_WORD, hash_features, surface_features
from sesame_social.classifier.model import BITS, Model
from sesame_social.classifier.normalize import Floats, normalize
from sesame_social.classifier.predict import count_features
from sesame_social.training import datasets, training_sets
from sesame_social.training.datasets import LabelledText, number_groups, similarity_key
from sesame_social.training.training_sets import TrainingSet

#: Chosen by cross-validation over texts that are not held out.
_THRESHOLDS = (0.5, 0.45, 0.4, 0.6, 0.3, 0.65)
_STEPS = 8191
_STEPS_PER_UNIT = 1 << 20
SEED = 20261101
_FOLDS = 4
_BATCH = 1000
#: A scipy.sparse.csr_matrix, which has no types.
Matrix: TypeAlias = Any


@frozen(eq=False)
class FittedHead:
    """A head: weights of buckets and of surface features, and a bias."""

    weights: Floats
    surface_weights: Floats
    bias: float


def train_model(folder: Path, *, seed: int = SEED, progress: Callable[[str], None] = lambda _: None) -> Model:
    """Train on the texts of the data sets in `folder` that are not held out."""
    rows = [row for row in datasets.load_rows(folder, *datasets.SETS) if not row.held_out]
    return train_on_rows(rows, seed=seed, progress=progress)


def train_on_rows(
    rows: Sequence[LabelledText], *, seed: int, progress: Callable[[str], None] = lambda _: None
) -> Model:
    """Train on these texts."""
    heads = []
    for training_set in training_sets.TRAINING_SETS:
        progress(f"training: {training_set.__name__}")
        heads.append(fit_head(training_set(rows, seed), training_sets.training_phrases(), seed))
    weights = np.array([head.weights for head in heads])
    steps = np.round(np.abs(weights).max(axis=1) / _STEPS, 12)  # so that the largest weight is in range
    return Model(
        weights=np.clip(np.rint(weights / steps[:, None]), -_STEPS, _STEPS).astype(np.int16),
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


def fit_head(data: TrainingSet, phrases: PhraseTable, seed: int) -> FittedHead:
    """Fit and calibrate one head."""
    texts, probability, weight = data.texts, data.probability, data.weight
    batches = [_make_features(texts[at : at + _BATCH], phrases) for at in range(0, len(texts), _BATCH)]
    matrix = sparse.vstack(batches, format="csr")
    if not data.coarse:  # that column becomes 0
        kept = np.ones(matrix.shape[1])
        kept[-COLUMNS + NO_COARSE_WORD] = 0
        matrix = (matrix @ sparse.diags(kept)).tocsr()
    sums = np.zeros(len(texts))
    groups = number_groups(similarity_key(text) for text in texts)
    for train, test in GroupKFold(_FOLDS, shuffle=True, random_state=seed).split(sums, groups=groups):
        weights, bias = _solve(matrix[train], probability[train], weight[train], data.strength, seed)
        sums[test] = matrix[test] @ weights + bias
    weights, bias = _solve(matrix, probability, weight, data.strength, seed)
    # Fitting uses the shares of raters, calibration the majority.
    line = LogisticRegression(C=1e6).fit(sums[data.real][:, None], probability[data.real] >= 0.5)
    slope, shift = float(line.coef_[0, 0]) * data.trust, float(line.intercept_[0]) * data.trust
    return FittedHead(weights[:-COLUMNS] * slope, weights[-COLUMNS:] * slope, bias * slope + shift)


def _make_features(texts: Sequence[str], phrases: PhraseTable) -> Matrix:
    """The features of texts as in prediction: counts over the root of their number, then surface features."""
    plain = normalize(texts)
    seen = mask_entities(plain, phrases)
    text = seen.text
    hashed = hash_features(text, BITS)
    at_unit = np.searchsorted(text.starts, np.arange(len(text.units)), side="right") - 1
    posts = np.concatenate([*[at_unit[run != 0] for run in hashed.ngrams], hashed.word_posts])
    buckets = np.concatenate([*[run[run != 0] for run in hashed.ngrams], hashed.words])
    inside = (posts >= 0) & (posts < len(texts))
    ones = np.ones(int(inside.sum()))
    counted = sparse.csr_matrix((ones, (posts[inside], buckets[inside])), shape=(len(texts), 1 << BITS))
    counted.sum_duplicates()
    scale = sparse.diags(1 / np.sqrt(np.maximum(count_features(hashed, text), 1)))
    surface = sparse.csr_matrix(surface_features(plain, seen.tags, seen.flags[COARSE]))
    return sparse.hstack([scale @ counted, surface], format="csr")


def _solve(
    matrix: Matrix, chance: Floats, weight: Floats, strength: float, seed: int
) -> tuple[Floats, float]:
    # Unused features and texts without weight would only cost time.
    here = np.union1d(np.unique(matrix.indices), np.arange(matrix.shape[1] - COLUMNS, matrix.shape[1]))
    ratio = _log_count_ratio(matrix[:, here], chance, weight)
    scaled = (matrix[:, here] @ sparse.diags(ratio)).tocsr()
    yes, no = np.flatnonzero(chance * weight > 0), np.flatnonzero((1 - chance) * weight > 0)
    labels = np.repeat([1, 0], [len(yes), len(no)])
    weights = np.concatenate(((chance * weight)[yes], ((1 - chance) * weight)[no]))
    solver = LogisticRegression(C=strength, solver="liblinear", random_state=seed, max_iter=200)
    solver.fit(sparse.vstack([scaled[yes], scaled[no]]), labels, sample_weight=weights)
    made = np.zeros(matrix.shape[1])
    made[here] = solver.coef_[0] * ratio
    return made, float(solver.intercept_[0])


def _log_count_ratio(matrix: Matrix, chance: Floats, weight: Floats) -> Floats:
    """The log-count ratio of each feature: log of the ratio of its shares, by presence and weight."""
    present = matrix.copy()
    present.data[:] = 1
    shares = []
    for side in (chance * weight, (1 - chance) * weight):
        seen = present.T @ side + 1
        shares.append(seen / seen.sum())
    ratio: Floats = np.log(shares[0] / shares[1])
    ratio[-COLUMNS:] = 0.3
    return ratio
