"""How good a model is on the rows held out: by set, by group, and how far its chances can be believed."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import asdict, frozen
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

from sesame_social.classifier import Model, PostKind, Predictions, classify
from sesame_social.classifier.model import HATE
from sesame_social.classifier.normalize import Bools, Floats
from sesame_social.training import datasets
from sesame_social.training.datasets import LabelledText, number_groups, similarity_key
from sesame_social.training.train import train_on_rows

_BINS = 10
#: What the posts of a set may be said to be.
KINDS_OF: Mapping[str, tuple[PostKind, ...]] = {"sms": ("any", "message"), "youtube": ("any", "comment")}
Labels = NDArray[np.int64]


@frozen
class Evaluation:
    """One line of the model card.

    Attributes:
        source: the set.
        kind: what the posts were said to be: ``any`` is what the platform gets that says nothing.
        group: its part, or ``all``.
        rows: how many rows were held out there.
        f1: of the label (spam), or macro (cold), or weighted over three classes (davidson).
        precision: of what was called spam or abuse.
        recall: of what is.
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
    """Every figure of a model, over the rows held out.

    Raises:
        Rejected: the data are not there.
    """
    made = []
    for source in datasets.SETS:
        rows = [row for row in datasets.load_rows(folder, source) if row.held_out]
        groups = sorted({row.group for row in rows} - {""}) if source == "cold" else []
        made += [evaluate_rows(model, rows, kind=kind) for kind in KINDS_OF.get(source, ("any",))]
        made += [evaluate_rows(model, [row for row in rows if row.group == group], group) for group in groups]
    return made


def as_rows(figures: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """For a table."""
    return [asdict(one) for one in figures]


def evaluate_rows(
    model: Model, rows: Sequence[LabelledText], group: str = "all", kind: PostKind = "any"
) -> Evaluation:
    """The figures of rows of one set."""
    source = rows[0].source
    found = classify([row.text for row in rows], model, kind)
    label = np.array([row.label for row in rows])
    if source == "davidson":
        three = davidson_classes(found, model)
        wanted, chance, said = label < 2, found.abuse, three < 2
        score = _mean_f1(label, three, weighted=True)
    else:
        chance = found.abuse if source == "cold" else found.spam
        said = found.suspected_abuse if source == "cold" else found.suspected_spam
        wanted = label == 1
        score = (
            _mean_f1(label, said.astype(np.int64), weighted=False)
            if source == "cold"
            else f1_score(wanted, said)
        )
    right = int((wanted & said).sum())
    return Evaluation(
        source,
        kind,
        group,
        len(rows),
        score,
        right / max(int(said.sum()), 1),
        right / max(int(wanted.sum()), 1),
        calibration_error(wanted, chance),
    )


def davidson_classes(found: Predictions, model: Model) -> Labels:
    """Davidson's three: 0 hate, 1 offensive, 2 neither."""
    share = found.hate / np.maximum(found.abuse, 1e-12)
    three: Labels = np.where(~found.suspected_abuse, 2, np.where(share >= model.thresholds[HATE], 0, 1))
    return three


def f1_score(wanted: Bools, said: Bools) -> float:
    """Harmonic mean of precision and recall."""
    return float(2 * (wanted & said).sum() / max(int(wanted.sum() + said.sum()), 1))


def calibration_error(wanted: Bools, chance: Floats) -> float:
    """Expected calibration error: how far chances stand from shares, in bins of equal width (Guo 2017)."""
    bins = np.minimum((chance * _BINS).astype(int), _BINS - 1)
    total = np.abs(np.bincount(bins, wanted - chance, minlength=_BINS)).sum()
    return float(total / len(chance))


def _mean_f1(label: Labels, said: Labels, *, weighted: bool) -> float:
    names = sorted(set(label.tolist()))
    each = [f1_score(label == name, said == name) for name in names]
    return float(np.average(each, weights=[(label == name).sum() for name in names] if weighted else None))


def cross_validate(
    folder: Path, folds: int, *, seed: int, progress: Callable[[str], None] = lambda _: None
) -> list[dict[str, Any]]:
    """Train on all but one part of the rows, measure on that part, and so on for each part.

    Returns:
        One row a set and kind: the mean F1 and its standard deviation over the parts, the lowest, and the
        mean calibration error.

    Raises:
        Rejected: the data are not there.
    """
    rows = datasets.load_rows(folder, *datasets.SETS)
    alike = number_groups(f"{row.source} {similarity_key(row.text)}" for row in rows)
    found: dict[tuple[str, str], list[Evaluation]] = defaultdict(list)
    split = GroupKFold(folds, shuffle=True, random_state=seed).split(alike, groups=alike)
    for number, (kept, left) in enumerate(split, 1):
        progress(f"part {number} of {folds}")
        model = train_on_rows([rows[at] for at in kept], seed=seed)
        for source in datasets.SETS:
            part = [rows[at] for at in left if rows[at].source == source]
            for kind in KINDS_OF.get(source, ("any",)):
                found[source, kind].append(evaluate_rows(model, part, kind=kind))
    return [_spread(*name, each) for name, each in found.items()]


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
