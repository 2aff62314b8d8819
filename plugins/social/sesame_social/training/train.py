"""Trains a model on the data sets in a directory. Equal data, seed and libraries make an equal file.

Each head is a logistic regression over counts that are scaled by the log-count ratio of each feature (Wang
and Manning 2012); the scale is multiplied into the weights, and the weights are rounded to whole steps. Each
head is calibrated by a sigmoid (Platt 1999) on texts of which it has seen neither the text nor a near
duplicate in training.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen
from scipy import sparse  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

from sesame_social.classifier.entity_masking import COARSE, TONES, PhraseTable, mask_entities, tone_features
from sesame_social.classifier.features import (
    NO_COARSE_WORD,
    count_features,
    hash_features,
    surface_features,
)
from sesame_social.classifier.model import BITS, SURFACE, Model
from sesame_social.classifier.normalize import Bools, Buckets, Floats, Ints, encode, join
from sesame_social.classifier.spelling import respell
from sesame_social.training import datasets, training_sets
from sesame_social.training.datasets import LabelledText, number_groups, similarity_key
from sesame_social.training.training_sets import TrainingSet

#: By head; chosen by cross-validation over texts that are not held out.
_THRESHOLDS = (0.6, 0.35, 0.45, 0.5, 0.58, 0.6, 0.6, 0.45, 0.5, 0.5, 0.5, 0.5, 0.45, 0.5)
_STEPS = 8191
_STEPS_PER_UNIT = 1 << 20
SEED = 20261101
FOLDS = 4
_ROUNDS = 30
#: A bucket counts if it is in so many texts, and in at most this share; its usual inverse document frequency.
_MIN_TEXTS, _MAX_SHARE, _USUAL_FREQUENCY = 3, 0.3, 6.0
_TONE_SCALE = 0.3
_BATCH = 1000
#: A scipy.sparse.csr_matrix, which has no types.
Matrix: TypeAlias = Any


@frozen(eq=False)
class FittedHead:
    """A head: weights of buckets and of surface features, and a bias.

    `out_of_fold` has the calibrated sum of each text by a head that learned from no near copy of it.
    """

    weights: Floats
    surface_weights: Floats
    bias: float
    out_of_fold: Floats


def train_model(
    folder: Path,
    *,
    labels: Path | None = None,
    seed: int = SEED,
    progress: Callable[[str], None] = lambda _: None,
) -> Model:
    """Train on the texts of the data sets in `folder` that are not held out, and on a site's own labels.

    Args:
        folder: has the directories of the data sets.
        labels: the file of labels that the moderators' page keeps; see `datasets.load_site_rows`.
        seed: of all random draws.
        progress: called with a line for each step.

    Raises:
        InvalidInputError: a data set or the file of labels is missing or invalid.
    """
    rows = [row for row in datasets.load_rows(folder, *datasets.SETS) if not row.held_out]
    if labels is not None:
        site, skipped = datasets.load_site_rows(labels)
        rows += site
        progress(f"labels of moderators: {len(site)}")
        for reason, count in sorted(skipped.items()):
            progress(f"skipped: {count} x {reason}")
    return train_on_rows(rows, seed=seed, progress=progress)


def train_on_rows(
    rows: Sequence[LabelledText], *, seed: int, progress: Callable[[str], None] = lambda _: None
) -> Model:
    """Train on these texts."""
    heads = []
    for name, training_set in training_sets.TRAINING_SETS.items():
        progress(f"training: {name}")
        heads.append(fit_head(training_set(rows, seed), training_sets.training_phrases(), seed))
    return assemble_model(heads, training_sets.find_known_words(rows))


def assemble_model(heads: Sequence[FittedHead], known_words: Bools) -> Model:
    """Make a model of its heads, in their order."""
    weights = np.array([head.weights for head in heads])
    steps = np.round(np.abs(weights).max(axis=1) / _STEPS, 12)  # so that the largest weight is in range
    return Model(
        weights=np.clip(np.rint(weights / steps[:, None]), -_STEPS, _STEPS).astype(np.int16),
        steps=steps,
        surface_weights=_round_exactly([head.surface_weights for head in heads]),
        bias=_round_exactly([head.bias for head in heads]),
        thresholds=np.array(_THRESHOLDS),
        phrases=training_sets.prediction_phrases(),
        known_words=known_words,
    )


def _round_exactly(values: Sequence[Floats | float]) -> Floats:
    """Round to multiples of 2^-20, so that sums are exact, and no probability depends on the batch."""
    rounded: Floats = np.rint(np.array(values) * _STEPS_PER_UNIT) / _STEPS_PER_UNIT
    return rounded


def fit_head(data: TrainingSet, phrases: PhraseTable, seed: int) -> FittedHead:
    """Fit and calibrate one head.

    Synthetic texts of abuse teach in each fold, as they do in the whole: only real texts are left out.
    """
    texts, probability, weight = data.texts, data.probability, data.weight
    matrix = _make_matrix(tuple(texts), phrases)
    if not data.families:  # spam: coarse words and tone become 0
        kept = np.ones(matrix.shape[1])
        kept[-SURFACE + NO_COARSE_WORD] = 0
        kept[-TONES:] = 0
        matrix = (matrix @ sparse.diags(kept)).tocsr()
    solve = _solve_shared if data.families else _solve
    sums = np.full(len(texts), np.nan)
    groups = number_groups(data.families or map(similarity_key, texts))
    for train, test in split_texts(data, groups, seed):
        weights, bias = solve(matrix[train], probability[train], weight[train], data.strength, seed)
        sums[test] = matrix[test] @ weights + bias
    weights, bias = solve(matrix, probability, weight, data.strength, seed)
    # Fitting uses the shares of raters, calibration the majority.
    real = data.real
    line = LogisticRegression(C=1e6).fit(
        sums[real][:, None], probability[real] >= 0.5, sample_weight=_calibration_weights(data)
    )
    slope, shift = float(line.coef_[0, 0]) * data.trust, float(line.intercept_[0]) * data.trust
    out_of_fold = sums * slope + shift
    return FittedHead(
        weights[:-SURFACE] * slope, weights[-SURFACE:] * slope, bias * slope + shift, out_of_fold
    )


def _calibration_weights(data: TrainingSet) -> Floats | None:
    """Weights of the texts that a head of abuse is calibrated on: each set has the same weight.

    Otherwise the largest set would decide what a probability means in all of them.
    """
    if not data.families:
        return None
    sources = number_groups(row.source if row else "" for row, _ in data.origins)[data.real]
    weight = data.weight[data.real]
    shares = weight / np.bincount(sources, weight)[sources]
    result: Floats = shares * len(shares) / shares.sum()
    return result


def split_texts(data: TrainingSet, groups: Ints, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """Split into folds: the places of the texts that a fold learns from, and of those that are left out."""
    is_split = data.real if data.families else np.ones(len(data.texts), dtype=bool)
    places, always = np.flatnonzero(is_split), np.flatnonzero(~is_split)
    folds = min(FOLDS, len(np.unique(groups[places])))
    splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(places, groups=groups[places]):
        yield np.concatenate((places[train], always)), places[test]


@lru_cache(maxsize=1)  # the heads of a language learn from the same texts
def _make_matrix(texts: Sequence[str], phrases: PhraseTable) -> Matrix:
    batches = [_make_features(texts[at : at + _BATCH], phrases) for at in range(0, len(texts), _BATCH)]
    return sparse.vstack(batches, format="csr")


def _make_features(texts: Sequence[str], phrases: PhraseTable) -> Matrix:
    """The features of texts as in prediction: counts over the root of their number, then surface features."""
    joined = join(texts)
    seen = mask_entities(encode(respell(joined)), phrases)
    text = seen.text
    hashed = hash_features(text, BITS)
    at_unit = np.searchsorted(text.starts, np.arange(len(text.units)), side="right") - 1
    places = np.concatenate([at_unit[run != 0] for run in hashed.ngrams])
    ngrams = np.concatenate([run[run != 0] for run in hashed.ngrams])
    inside = (places >= 0) & (places < len(texts))
    sizes = count_features(hashed, text)
    counted = _count(ngrams[inside], places[inside], sizes[0]) + _count(
        hashed.words, hashed.word_posts, sizes[1]
    )
    surface = surface_features(encode(joined), seen.tags, seen.flags[COARSE])
    every = [counted, sparse.csr_matrix(surface), sparse.csr_matrix(tone_features(seen.flags))]
    return sparse.hstack(every, format="csr")


def _count(buckets: Buckets, posts: Ints, sizes: Ints) -> Matrix:
    """Count each bucket in each post, over the root of the size of the post."""
    ones, shape = np.ones(len(buckets)), (len(sizes), 1 << BITS)
    counted = sparse.csr_matrix((ones, (posts, buckets)), shape=shape)
    counted.sum_duplicates()
    return sparse.diags(1 / np.sqrt(sizes)) @ counted


def _solve(
    matrix: Matrix, chance: Floats, weight: Floats, strength: float, seed: int
) -> tuple[Floats, float]:
    # Unused features and texts without weight would only cost time.
    here = np.union1d(np.unique(matrix.indices), np.arange(matrix.shape[1] - SURFACE, matrix.shape[1]))
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


def _solve_shared(
    matrix: Matrix, chance: Floats, weight: Floats, strength: float, seed: int
) -> tuple[Floats, float]:
    """Solve for buckets that three texts share, scaled by their inverse document frequency.

    The log-count ratio learns one set well, and transfers badly to others.
    """
    texts_of = np.bincount(matrix.indices, minlength=matrix.shape[1])
    counts = (texts_of >= _MIN_TEXTS) & (texts_of <= _MAX_SHARE * matrix.shape[0])
    counts[-SURFACE:-TONES], counts[-TONES:] = False, True
    here = np.flatnonzero(counts)
    scale = (np.log(matrix.shape[0] / np.maximum(texts_of[here], 1)) + 1) / _USUAL_FREQUENCY
    scale[-TONES:] = _TONE_SCALE
    scaled = (matrix[:, here] @ sparse.diags(scale)).tocsr()
    yes, no = np.flatnonzero(chance * weight > 0), np.flatnonzero((1 - chance) * weight > 0)
    labels = np.repeat([1, 0], [len(yes), len(no)])
    weights = np.concatenate(((chance * weight)[yes], ((1 - chance) * weight)[no]))
    solver = LogisticRegression(
        C=strength, solver="liblinear", dual=True, tol=0.1, random_state=seed, max_iter=_ROUNDS
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # contrasting pairs never settle: rounds are enough
        solver.fit(scaled[np.concatenate((yes, no))], labels, sample_weight=weights)
    made = np.zeros(matrix.shape[1])
    made[here] = solver.coef_[0] * scale
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
    ratio[-SURFACE:] = 0.3
    return ratio
