"""Evaluates a model on held-out texts, by data set and group, and by cross-validation.

Cross-validation shows how far results depend on the split, which may be lucky for a small set. Near
duplicates are in the same fold, so that a model cannot profit from memory.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

from sesame_social.classifier import Attribute, Model, PostKind, classify
from sesame_social.classifier.normalize import Bools, Floats
from sesame_social.training import datasets
from sesame_social.training.datasets import LabelledText, number_groups, similarity_key
from sesame_social.training.train import train_on_rows

_BINS = 10
#: Kinds under which a set is evaluated, beside `any`.
KINDS_OF: Mapping[str, tuple[PostKind, ...]] = {"sms": ("any", "message"), "youtube": ("any", "comment")}
Labels = NDArray[np.int64]


@frozen
class Evaluation:
    """A row of the model card.

    Attributes:
        kind: stated kind of the posts; ``any`` is what a platform gets that does not state it.
        group: part of the set, or ``all``.
        f1: of the label (spam), or macro (cold), or weighted over three classes (davidson).
        error: expected calibration error over ten bins of equal width.
    """

    source: str
    kind: PostKind
    group: str
    rows: int
    f1: float
    precision: float
    recall: float
    error: float


def evaluate_model(model: Model, folder: Path) -> list[Evaluation]:
    """Evaluate a model on all held-out texts of the data sets in `folder`."""
    evaluations = []
    for source in datasets.HELD_OUT_SETS:
        rows = [row for row in datasets.load_rows(folder, source) if row.held_out]
        groups = sorted({row.group for row in rows} - {""}) if source == "cold" else []
        evaluations += [evaluate_rows(model, rows, kind=kind) for kind in KINDS_OF.get(source, ("any",))]
        evaluations += [
            evaluate_rows(model, [row for row in rows if row.group == group], group) for group in groups
        ]
    return evaluations


def evaluate_rows(
    model: Model, rows: Sequence[LabelledText], group: str = "all", kind: PostKind = "any"
) -> Evaluation:
    """Evaluate a model on texts of one set."""
    source = rows[0].source
    predictions = classify([row.text for row in rows], model, kind)
    label = np.array([row.label for row in rows])
    if source == "davidson":
        positive, probability, predicted = label < 2, predictions.abuse, predictions.suspected_abuse
        three = np.where(~predicted, 2, np.where(predictions.suspected[Attribute.IDENTITY_ATTACK], 0, 1))
        score = _mean_f1(label, three, weighted=True)
    elif source == "cold":
        positive, probability, predicted = label == 1, predictions.abuse, predictions.suspected_abuse
        score = _mean_f1(label, predicted.astype(np.int64), weighted=False)
    else:
        positive, probability, predicted = label == 1, predictions.spam, predictions.suspected_spam
        score = f1_score(positive, predicted)
    right = int((positive & predicted).sum())
    precision, recall = right / max(int(predicted.sum()), 1), right / max(int(positive.sum()), 1)
    error = calibration_error(positive[predictions.supported], probability[predictions.supported])
    return Evaluation(source, kind, group, len(rows), score, precision, recall, error)


def f1_score(positive: Bools, predicted: Bools) -> float:
    """Harmonic mean of precision and recall."""
    return float(2 * (positive & predicted).sum() / max(int(positive.sum() + predicted.sum()), 1))


def calibration_error(positive: Bools, probability: Floats) -> float:
    """Expected calibration error, in bins of equal width (Guo 2017)."""
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    total = np.abs(np.bincount(bins, positive - probability, minlength=_BINS)).sum()
    return float(total / len(probability))


def _mean_f1(label: Labels, predicted: Labels, *, weighted: bool) -> float:
    names = sorted(set(label.tolist()))
    each = [f1_score(label == name, predicted == name) for name in names]
    return float(np.average(each, weights=[(label == name).sum() for name in names] if weighted else None))


def cross_validate(
    folder: Path, folds: int, *, seed: int, progress: Callable[[str], None] = lambda _: None
) -> list[dict[str, Any]]:
    """Train on all folds but one, evaluate on that one, and repeat for each fold.

    There is a row for each set and kind: mean F1, its standard deviation over the folds, the lowest F1, and
    the mean calibration error.
    """
    rows = datasets.load_rows(folder, *datasets.SETS)
    groups = number_groups(f"{row.source} {similarity_key(row.text)}" for row in rows)
    evaluations: dict[tuple[str, str], list[Evaluation]] = defaultdict(list)
    split = GroupKFold(folds, shuffle=True, random_state=seed).split(groups, groups=groups)
    for number, (kept, left) in enumerate(split, 1):
        progress(f"fold {number} of {folds}")
        model = train_on_rows([rows[at] for at in kept], seed=seed)
        for source in datasets.HELD_OUT_SETS:
            part = [rows[at] for at in left if rows[at].source == source]
            for kind in KINDS_OF.get(source, ("any",)):
                evaluations[source, kind].append(evaluate_rows(model, part, kind=kind))
    return [_spread(*name, each) for name, each in evaluations.items()]


def _spread(source: str, kind: str, each: list[Evaluation]) -> dict[str, Any]:
    scores = [one.f1 for one in each]
    return {
        "source": source,
        "kind": kind,
        "rows": sum(one.rows for one in each),
        "f1": float(np.mean(scores)),
        "deviation": float(np.std(scores)),
        "lowest": min(scores),
        "error": float(np.mean([one.error for one in each])),
    }
