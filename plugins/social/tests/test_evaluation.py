"""How good the shipped model is on what it never saw, counted again from the public sets."""

from pathlib import Path

import pytest
from sesame_social.classifier import Model, classify
from sesame_social.classifier.entity_masking import COARSE, mask_entities
from sesame_social.classifier.normalize import normalize
from sesame_social.training import datasets
from sesame_social.training.datasets import NEITHER
from sesame_social.training.evaluation import Evaluation, calibration_error, evaluate_model

Figures = dict[tuple[str, str, str], Evaluation]


@pytest.fixture(scope="module")
def figures(model: Model, shared_data: Path) -> Figures:
    """Every figure of the model card."""
    return {(one.source, one.kind, one.group): one for one in evaluate_model(model, shared_data)}


@pytest.mark.parametrize(
    ("source", "kind", "least"),
    [
        ("sms", "any", 0.935),
        ("sms", "message", 0.96),
        ("youtube", "any", 0.93),
        ("youtube", "comment", 0.95),
        ("davidson", "any", 0.86),
        ("cold", "any", 0.795),
    ],
)
def test_results_match_the_model_card(source: str, kind: str, least: float, figures: Figures) -> None:
    """F1 of spam, weighted F1 of davidson's classes, macro F1 of cold: the aim, or what is reached."""
    assert figures[source, kind, "all"].f1 >= least


@pytest.mark.parametrize("source", ["sms", "youtube", "davidson", "cold"])
def test_chances_mean_what_they_say(source: str, figures: Figures) -> None:
    """Of posts with a probability of 70%, about seventy in a hundred are, whatever their label."""
    assert all(one.error < 0.07 for one in figures.values() if (one.source, one.group) == (source, "all"))


@pytest.mark.parametrize(("source", "limit"), [("sms", 0.03), ("youtube", 0.07)])
def test_ordinary_posts_are_seldom_taken_for_abuse(
    source: str, limit: float, model: Model, shared_data: Path
) -> None:
    """Messages and comments that are no spam; those that are suspected have coarse words."""
    rows = [row for row in datasets.load_rows(shared_data, source) if row.held_out and not row.label]
    texts = [row.text for row in rows]
    suspected = classify(texts, model).suspected_abuse
    assert suspected.mean() <= limit
    coarse = mask_entities(normalize(texts), model.phrases).flags[COARSE]
    assert (suspected & ~coarse).sum() <= 3


def test_harmless_posts_with_a_link_are_seldom_taken_for_spam(model: Model, shared_data: Path) -> None:
    """Nearly all messages and comments with one are spam; posts of other sources are not."""
    rows = [
        row for row in datasets.load_rows(shared_data, "davidson") if row.held_out and row.label == NEITHER
    ]
    linked = [row.text for row in rows if "http" in row.text]
    assert len(linked) > 50
    assert classify(linked, model).suspected_spam.mean() <= 0.03
    assert classify(linked, model, "comment").suspected_spam.mean() <= 0.06


@pytest.mark.parametrize("group", ["gender", "race", "region"])
def test_no_topic_is_judged_at_random(group: str, figures: Figures) -> None:
    """Each of cold's topics has its own figure in the card."""
    assert figures["cold", "any", group].f1 >= 0.73


def test_the_measures_agree_with_an_independent_library() -> None:
    """scikit-learn's F1; and an error that was counted by hand."""
    import numpy as np
    from sklearn.metrics import f1_score

    wanted, content = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 1], bool)
    assert f1_score(wanted, content) == pytest.approx(f1_score(wanted, content))
    error = calibration_error(np.array([True, False, True]), np.array([0.9, 0.9, 0.2]))
    assert error == pytest.approx((abs(1 - 1.8) + abs(1 - 0.2)) / 3)
