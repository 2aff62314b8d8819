"""Measures the heads for abuse on texts of another sort than those that they learned from.

Four divisions, each with near copies on one side: by template (of HateCheck; by contrasting pair or near
copy in other sets), by function of HateCheck, by topic of cold, and by source. Synthetic texts teach, and are
never evaluated. The rules of the classifier and its threshold apply to ours. A plain model learns from the
same texts of the sets, without the synthetic ones, and is evaluated beside ours on the same divisions: TF-IDF
over words, pairs of words and two to five letters, with logistic regression.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from attrs import evolve, frozen
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.metrics import f1_score, roc_auc_score  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline, make_union  # type: ignore[import-untyped]

from sesame_social.classifier.attributes import Attribute
from sesame_social.classifier.model import ABUSE_ATTRIBUTES, ABUSE_HEADS, LANGUAGES, load_model
from sesame_social.classifier.normalize import Bools, Floats
from sesame_social.classifier.predict import MAX_UNLIKELY, find_unlikely
from sesame_social.training import datasets
from sesame_social.training.datasets import LabelledText, number_groups
from sesame_social.training.evaluation import calibration_error
from sesame_social.training.train import fit_head, split_texts
from sesame_social.training.training_sets import TrainingSet, abuse_set, training_phrases

Division: TypeAlias = Literal["template", "function", "topic", "source"]
DIVISIONS: tuple[Division, ...] = get_args(Division)
#: Sets that are evaluated in a division; the others only teach.
_EVALUATED = {
    "template": ("hatecheck-en", "hatecheck-zh", "hatemoji", "edos", "davidson", "cold"),
    "function": ("hatecheck-en", "hatecheck-zh"),
    "topic": ("cold",),
    "source": ("hatecheck-en", "hatecheck-zh", "hatemoji", "edos", "davidson", "cold"),
}
_PLAIN_THRESHOLD = 0.5
_HATECHECK = ("hatecheck-en", "hatecheck-zh")


@frozen
class ShiftResult:
    """Results on the texts of one set, or of one function of HateCheck.

    Attributes:
        model: ``ours`` or ``plain``.
        auc: NaN if all texts have the same label.
        error: expected calibration error.
        flagged: share of the texts that are flagged.
    """

    division: str
    source: str
    group: str
    model: str
    rows: int
    accuracy: float
    macro_f1: float
    auc: float
    error: float
    flagged: float


def measure_shift(
    folder: Path,
    division: Division,
    attribute: Attribute = Attribute.TOXICITY,
    *,
    seed: int,
    plain: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> list[ShiftResult]:
    """Measure one attribute in both languages, by one division."""
    rows = datasets.load_rows(folder, *datasets.SETS)
    results: list[ShiftResult] = []
    for language in LANGUAGES:
        data = abuse_set(rows, seed, language, attribute)
        data = evolve(data, families=[_family(row, name, division) for row, name in data.origins])
        progress(f"{division}: ours, {language}")
        chance = 1 / (1 + np.exp(-fit_head(data, training_phrases(), seed).out_of_fold))
        results += _summarize(data, *_apply_rules(data, chance, language, attribute), division, "ours")
        if plain:
            progress(f"{division}: plain, {language}")
            chance = _fit_plain(data, seed)
            results += _summarize(data, chance, chance >= _PLAIN_THRESHOLD, division, "plain")
    return results


def _family(row: LabelledText | None, family: str, division: Division) -> str:
    """What stays on one side; without a row, the text is synthetic."""
    if row is None or division == "template":
        return family
    if division == "source":
        return row.source
    if division == "topic" and row.source == "cold":
        return f"cold {row.group}"
    if division == "function" and row.source in _HATECHECK:
        return f"{row.source} {row.group}"
    return family


def _apply_rules(
    data: TrainingSet, chance: Floats, language: str, attribute: Attribute
) -> tuple[Floats, Bools]:
    """The probabilities as the classifier gives them, and whether each text is suspected."""
    model = load_model()
    never, at_least = find_unlikely(data.texts, model)
    chance = np.where(never, np.minimum(chance, MAX_UNLIKELY), chance)
    head = ABUSE_HEADS[language][ABUSE_ATTRIBUTES.index(attribute)]
    return chance, chance >= np.maximum(model.thresholds[head], at_least)


def _fit_plain(data: TrainingSet, seed: int) -> Floats:
    """The plain model's probabilities, on the same divisions."""
    real = np.array([row is not None for row, _ in data.origins])
    label, groups = data.probability >= 0.5, number_groups(data.families)
    texts = np.array(data.texts, dtype=object)
    chance = np.full(len(texts), np.nan)
    for train, test in split_texts(data, groups, seed):
        train = train[real[train]]
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2)
        model = make_pipeline(make_union(words, letters), LogisticRegression(C=4, max_iter=300))
        model.fit(texts[train], label[train])
        chance[test] = model.predict_proba(texts[test])[:, 1]
    return chance


def _summarize(
    data: TrainingSet, chance: Floats, flagged: Bools, division: Division, model: str
) -> Iterator[ShiftResult]:
    """By set, and by function of HateCheck."""
    label = data.probability >= 0.5
    names = [(row.source, row.group) if row else ("", "") for row, _ in data.origins]
    for source in _EVALUATED[division]:
        inside = np.array([name[0] == source for name in names])
        groups = sorted({name[1] for name in names if name[0] == source}) if source in _HATECHECK else []
        for group in ["all", *groups]:
            part = inside & np.array([group in ("all", name[1]) for name in names])
            if part.any():
                yield _summarize_part(
                    label[part], chance[part], flagged[part], (division, source, group, model)
                )


def _summarize_part(
    label: Bools, chance: Floats, flagged: Bools, name: tuple[str, str, str, str]
) -> ShiftResult:
    return ShiftResult(
        *name,
        rows=len(label),
        accuracy=float((flagged == label).mean()),
        macro_f1=float(f1_score(label, flagged, average="macro")),
        auc=float(roc_auc_score(label, chance)) if 0 < label.mean() < 1 else float("nan"),
        error=calibration_error(label, chance),
        flagged=float(flagged.mean()),
    )
