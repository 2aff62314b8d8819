"""Fits the heads. Same data, same seed and same libraries make the same file.

Each head is a logistic regression over counts that are scaled by how far each feature leans to one label
(Wang and Manning 2012); the scale is folded into the weights, and the weights are rounded to whole steps.
Each is calibrated by a straight line (Platt 1999) on what it says of rows that it was not trained on, nor
on anything nearly like them: else it would learn to trust its memory.
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
from sesame_social.classifier.surface_features import COLUMNS, MILD, surface_features
from sesame_social.training.datasets import number_groups, similarity_key

_FOLDS = 4
_BATCH = 1000
#: A scipy.sparse.csr_matrix, which has no types.
Matrix: TypeAlias = Any


@frozen(eq=False)
class TrainingSet:
    """What one head learns from.

    Attributes:
        texts: what was written.
        probability: of each text, how surely it is of the head's label: 0, 1 or the share of raters between.
        weight: how much each counts in fitting.
        real: which of them the head is calibrated on.
        strength: inverse of the regularisation.
        coarse: whether it may look at coarse words. Spam has them no more often than other posts.
        trust: what the calibrated sums are multiplied by; less than 1 makes a head less sure of itself.
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
    """One head: a weight a bucket and a column of form, a bias, and its chances for rows not seen."""

    weights: Floats
    surface_weights: Floats
    bias: float
    unseen: Floats


def fit_head(lesson: TrainingSet, phrases: PhraseTable, seed: int) -> FittedHead:
    """Fit and calibrate one head."""
    matrix = feature_matrix(lesson.texts, phrases)
    if not lesson.coarse:
        matrix = _without(matrix, matrix.shape[1] - COLUMNS + MILD)
    sums = np.zeros(len(lesson.texts))
    alike = number_groups(similarity_key(text) for text in lesson.texts)
    for train, test in GroupKFold(_FOLDS, shuffle=True, random_state=seed).split(sums, groups=alike):
        weights, bias = _solved(
            matrix[train], lesson.probability[train], lesson.weight[train], lesson.strength, seed
        )
        sums[test] = matrix[test] @ weights + bias
    weights, bias = _solved(matrix, lesson.probability, lesson.weight, lesson.strength, seed)
    # Raters who disagree teach how sure to be; what is promised is what most of them said.
    slope, shift = (
        part * lesson.trust for part in _line(sums[lesson.real], lesson.probability[lesson.real] >= 0.5)
    )
    unseen = 1 / (1 + np.exp(-(slope * sums + shift)))
    return FittedHead(weights[:-COLUMNS] * slope, weights[-COLUMNS:] * slope, bias * slope + shift, unseen)


def feature_matrix(texts: Sequence[str], phrases: PhraseTable) -> Matrix:
    """The features of texts, as the classifier sees them: counts over the root of their number, then form."""
    return sparse.vstack(
        [_matrix(texts[at : at + _BATCH], phrases) for at in range(0, len(texts), _BATCH)], format="csr"
    )


def _matrix(texts: Sequence[str], phrases: PhraseTable) -> Matrix:
    plain = normalize(texts)
    seen = mask_entities(plain, phrases)
    folded = seen.text
    found = hash_features(folded, BITS)
    at_unit = np.searchsorted(folded.starts, np.arange(len(folded.units)), side="right") - 1
    posts = np.concatenate([*[at_unit[run != 0] for run in found.ngrams], found.word_posts])
    buckets = np.concatenate([*[run[run != 0] for run in found.ngrams], found.words])
    inside = (posts >= 0) & (posts < len(texts))
    ones = np.ones(int(inside.sum()))
    counted = sparse.csr_matrix((ones, (posts[inside], buckets[inside])), shape=(len(texts), 1 << BITS))
    counted.sum_duplicates()
    scale = sparse.diags(1 / np.sqrt(np.maximum(count_features(found, folded), 1)))
    return sparse.hstack(
        [scale @ counted, sparse.csr_matrix(surface_features(plain, seen.tags, seen.flags[COARSE]))],
        format="csr",
    )


def _without(matrix: Matrix, column: int) -> Matrix:
    """With nothing in a column."""
    kept = np.ones(matrix.shape[1])
    kept[column] = 0
    return (matrix @ sparse.diags(kept)).tocsr()


def _solved(
    matrix: Matrix, chance: Floats, weight: Floats, strength: float, seed: int
) -> tuple[Floats, float]:
    # A feature that no row has, and a row that counts nothing, would only cost time.
    here = np.union1d(np.unique(matrix.indices), np.arange(matrix.shape[1] - COLUMNS, matrix.shape[1]))
    lean = _lean(matrix[:, here], chance, weight)
    scaled = (matrix[:, here] @ sparse.diags(lean)).tocsr()
    yes, no = np.flatnonzero(chance * weight > 0), np.flatnonzero((1 - chance) * weight > 0)
    labels = np.repeat([1, 0], [len(yes), len(no)])
    weights = np.concatenate(((chance * weight)[yes], ((1 - chance) * weight)[no]))
    solver = LogisticRegression(C=strength, solver="liblinear", random_state=seed, max_iter=200)
    solver.fit(sparse.vstack([scaled[yes], scaled[no]]), labels, sample_weight=weights)
    made = np.zeros(matrix.shape[1])
    made[here] = solver.coef_[0] * lean
    return made, float(solver.intercept_[0])


def _lean(matrix: Matrix, chance: Floats, weight: Floats) -> Floats:
    """How far each feature leans to the label: the log of the ratio of its shares, by presence and weight."""
    present = matrix.copy()
    present.data[:] = 1
    shares = []
    for side in (chance * weight, (1 - chance) * weight):
        seen = present.T @ side + 1
        shares.append(seen / seen.sum())
    lean: Floats = np.log(shares[0] / shares[1])
    lean[-COLUMNS:] = 0.3
    return lean


def _line(sums: Floats, label: NDArray[np.bool_]) -> tuple[float, float]:
    line = LogisticRegression(C=1e6).fit(sums[:, None], label)
    return float(line.coef_[0, 0]), float(line.intercept_[0])
