"""Fits the heads. Equal data, seed and libraries make an equal file.

Each head is a logistic regression over counts that are scaled by the log-count ratio of each feature (Wang
and Manning 2012); the scale is multiplied into the weights, and the weights are rounded to whole steps. Each
head is calibrated by a sigmoid (Platt 1999) on texts of which it has seen neither the text nor a near
duplicate in training.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

from sesame_social.classifier.entity_masking import COARSE, PhraseTable, mask_entities
from sesame_social.classifier.feature_hashing import hash_features
from sesame_social.classifier.model import BITS
from sesame_social.classifier.normalize import Floats, normalize
from sesame_social.classifier.predict import count_features
from sesame_social.classifier.surface_features import COLUMNS, NO_COARSE_WORD, surface_features
from sesame_social.training.datasets import number_groups, similarity_key

_FOLDS = 4
_BATCH = 1000
#: A scipy.sparse.csr_matrix, which has no types.
Matrix: TypeAlias = Any


@frozen(eq=False)
class TrainingSet:
    """The training data of one head.

    Attributes:
        texts: the texts.
        probability: that each text has the head's label: 0, 1 or the share of raters between.
        weight: of each text in fitting.
        real: the texts that the head is calibrated on.
        strength: inverse of the regularization.
        coarse: whether coarse words are a feature. Spam has them no more often than other posts.
        trust: factor of the calibrated sums; less than 1 makes the head less certain.
    """

    texts: Sequence[str]
    probability: Floats
    weight: Floats
    real: NDArray[np.bool_]
    strength: float
    coarse: bool = False
    trust: float = 1.0


@frozen(eq=False)
class FittedHead:
    """A head: weights of buckets and of surface features, a bias, and its probabilities for unseen texts."""

    weights: Floats
    surface_weights: Floats
    bias: float
    unseen: Floats


def fit_head(lesson: TrainingSet, phrases: PhraseTable, seed: int) -> FittedHead:
    """Fit and calibrate one head."""
    matrix = feature_matrix(lesson.texts, phrases)
    if not lesson.coarse:
        matrix = _without(matrix, matrix.shape[1] - COLUMNS + NO_COARSE_WORD)
    sums = np.zeros(len(lesson.texts))
    groups = number_groups(similarity_key(text) for text in lesson.texts)
    for train, test in GroupKFold(_FOLDS, shuffle=True, random_state=seed).split(sums, groups=groups):
        weights, bias = _solve(
            matrix[train], lesson.probability[train], lesson.weight[train], lesson.strength, seed
        )
        sums[test] = matrix[test] @ weights + bias
    weights, bias = _solve(matrix, lesson.probability, lesson.weight, lesson.strength, seed)
    # Fitting uses the shares of raters, calibration the majority.
    slope, shift = (
        part * lesson.trust for part in _calibrate(sums[lesson.real], lesson.probability[lesson.real] >= 0.5)
    )
    unseen = 1 / (1 + np.exp(-(slope * sums + shift)))
    return FittedHead(weights[:-COLUMNS] * slope, weights[-COLUMNS:] * slope, bias * slope + shift, unseen)


def feature_matrix(texts: Sequence[str], phrases: PhraseTable) -> Matrix:
    """The features of texts as in prediction: counts over the root of their number, then surface features."""
    return sparse.vstack(
        [_matrix(texts[at : at + _BATCH], phrases) for at in range(0, len(texts), _BATCH)], format="csr"
    )


def _matrix(texts: Sequence[str], phrases: PhraseTable) -> Matrix:
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
    return sparse.hstack(
        [scale @ counted, sparse.csr_matrix(surface_features(plain, seen.tags, seen.flags[COARSE]))],
        format="csr",
    )


def _without(matrix: Matrix, column: int) -> Matrix:
    """Set a column to 0."""
    kept = np.ones(matrix.shape[1])
    kept[column] = 0
    return (matrix @ sparse.diags(kept)).tocsr()


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


def _calibrate(sums: Floats, label: NDArray[np.bool_]) -> tuple[float, float]:
    line = LogisticRegression(C=1e6).fit(sums[:, None], label)
    return float(line.coef_[0, 0]), float(line.intercept_[0])
