"""Training is the same each time, and is what made the file that is shipped."""

from pathlib import Path

import numpy as np
import pytest
from sesame_social.classifier import Attribute, Model, classify
from sesame_social.classifier.features import hash_single_words
from sesame_social.classifier.model import BITS
from sesame_social.classifier.normalize import normalize
from sesame_social.labelled_posts import LabelledPost, LabelledPosts
from sesame_social.training import datasets, training_sets
from sesame_social.training.train import SEED, fit_head, split_texts, train_model

from sesame_sdk import InvalidInputError


def test_the_same_rows_and_seed_make_the_same_head(shared_data: Path) -> None:
    """To the last digit, with a little of one set, which is quick."""
    rows = datasets.load_rows(shared_data, "hatecheck-en")[::20]
    once, again = (
        fit_head(
            training_sets.abuse_set(rows, 7, "en", Attribute.IDENTITY_ATTACK),
            training_sets.training_phrases(),
            7,
        )
        for _ in "ab"
    )
    assert np.array_equal(once.weights, again.weights)
    assert (once.bias, *once.surface_weights) == (again.bias, *again.surface_weights)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_shipped_model_is_what_training_makes(shared_data: Path, model: Model) -> None:
    """With the default seed; nothing in the file came from other data.

    Another processor, or another version of a library, may move the last digit of a weight: so what the
    two say of unseen posts is compared, and not their bytes.
    """
    again = train_model(shared_data, seed=SEED)
    texts = [row.text for row in datasets.load_rows(shared_data, *datasets.SETS) if row.held_out]
    shipped, result = classify(texts, model), classify(texts, again)
    for name in Attribute:
        difference = np.abs(shipped.probability[name] - result.probability[name])
        assert np.nanquantile(difference, 0.999) < 0.01


def test_two_copies_of_a_text_are_on_the_same_side(shared_data: Path) -> None:
    """Held-out texts were never trained on, not even in another case or spacing."""
    rows = datasets.load_rows(shared_data, "sms")
    counts = {row.text for row in rows if row.held_out}
    assert 0.1 < sum(row.held_out for row in rows) / len(rows) < 0.2
    assert all(datasets.is_held_out(f"  {text.upper().lower()}\n") for text in counts)


def test_data_that_are_not_there_are_named(tmp_path: Path) -> None:
    """One clear error."""
    with pytest.raises(InvalidInputError, match="cannot be read"):
        datasets.load_rows(tmp_path, "sms")


def test_near_copies_are_of_one_family(shared_data: Path) -> None:
    """Texts of one template, and the two of a contrasting pair, whose labels differ."""
    rows = datasets.load_rows(shared_data, "hatecheck-en", "hatemoji")
    templates = {row.family for row in rows if row.source == "hatecheck-en"}
    assert len(templates) == 408
    pair = [
        row
        for row in rows
        if row.text in ("\U0001f400 make me \U0001f922", "\U0001f473\U0001f3fd make me \U0001f922")
    ]
    assert len({row.family for row in pair}) == 1
    assert {row.label for row in pair} == {0, 1}


def write_labels(path: Path, *posts: LabelledPost) -> Path:
    """A file of labels, as the moderators' page writes it."""
    labels = LabelledPosts(path)
    for post in posts:
        labels.append(post)
    return path


ABUSE = {name.value: float(name in (Attribute.TOXICITY, Attribute.INSULT)) for name in Attribute}
NONE = dict.fromkeys(Attribute, 0.0)


@pytest.mark.parametrize("attribute", [Attribute.TOXICITY, Attribute.INSULT])
def test_labels_of_moderators_change_what_is_learned(
    attribute: Attribute, shared_data: Path, tmp_path: Path
) -> None:
    """A word that only the moderators know as an insult becomes one; without their labels it is none."""
    insults = [f"{who} a right gormblatt {at}" for at in range(8) for who in ("you are", "he is", "what")]
    file = write_labels(
        tmp_path / "labels.jsonl", *(LabelledPost(text, ABUSE, "moderator") for text in insults)
    )
    rows = datasets.load_rows(shared_data, "hatecheck-en")[::10]
    site, _ = datasets.load_site_rows(file)
    before, after = (
        fit_head(training_sets.abuse_set(each, 7, "en", attribute), training_sets.training_phrases(), 7)
        for each in (rows, rows + site)
    )
    words, _ = hash_single_words(normalize(["gormblatt"]), BITS)
    assert before.weights[words[0]] == 0
    assert after.weights[words[0]] > 0


def test_the_last_label_of_a_text_counts(tmp_path: Path) -> None:
    """A moderator corrects an earlier decision by labelling the text again."""
    file = write_labels(
        tmp_path / "labels.jsonl",
        LabelledPost("you  gormblatt", ABUSE, "moderator"),
        LabelledPost("you gormblatt", NONE, "moderator"),
    )
    (row,), _ = datasets.load_site_rows(file)
    assert set(row.scores.values()) == {0.0}
    assert row.group == "en"


def test_only_labels_of_moderators_in_a_language_of_the_model_are_learned(tmp_path: Path) -> None:
    """A client's suggestion could be sent by anybody; the rest are counted by reason."""
    file = write_labels(
        tmp_path / "labels.jsonl",
        LabelledPost("you gormblatt", ABUSE, "moderator"),
        LabelledPost("you are kind", ABUSE, "suggestion"),
        LabelledPost("Das ist nicht der Weg und auch nicht das Ziel", ABUSE, "moderator"),
    )
    rows, skipped = datasets.load_site_rows(file)
    assert [row.text for row in rows] == ["you gormblatt"]
    assert skipped == {"not from a moderator": 1, "in another language": 1}


@pytest.mark.parametrize(
    ("post", "message"),
    [
        (LabelledPost("x", {"FUN": 1.0}, "moderator"), r"labels\.jsonl, post 1: has an attribute"),
        (LabelledPost("x", ABUSE, "suggestion"), r"labels\.jsonl: has no label of a moderator"),
    ],
    ids=["an attribute that the model lacks", "no label of a moderator"],
)
def test_a_file_that_teaches_nothing_is_refused(post: LabelledPost, message: str, tmp_path: Path) -> None:
    """The error names the file and the post."""
    with pytest.raises(InvalidInputError, match=message):
        datasets.load_site_rows(write_labels(tmp_path / "labels.jsonl", post))


def test_each_head_learns_the_attribute_that_was_judged(tmp_path: Path) -> None:
    """Spam and scams too; an attribute without a score teaches nothing."""
    scores = {"SPAM": 1.0, "SCAM": 0.0, "PROFANITY": 1.0}
    rows, _ = datasets.load_site_rows(
        write_labels(tmp_path / "labels.jsonl", LabelledPost("buy gormblatt", scores, "moderator"))
    )
    learned = {}
    for name, training_set in training_sets.TRAINING_SETS.items():
        data = training_set(rows, 7)
        learned[name] = [
            chance for text, chance in zip(data.texts, data.probability, strict=True) if text == rows[0].text
        ]
    assert learned.pop("messages") == learned.pop("comments") == learned.pop("en PROFANITY") == [1.0]
    assert learned.pop("scam") == [0.0]
    assert not any(learned.values())


def test_only_real_texts_are_left_out_and_near_copies_are_together(shared_data: Path) -> None:
    """Synthetic texts teach in each fold, as they do in the shipped model."""
    rows = datasets.load_rows(shared_data, "hatecheck-en")[::20]
    data = training_sets.abuse_set(rows, 7, "en", Attribute.TOXICITY)
    groups = datasets.number_groups(data.families)
    left_out = []
    for train, test in split_texts(data, groups, 7):
        assert data.real[test].all()
        assert set(np.flatnonzero(~data.real)) <= set(train)
        assert not set(groups[train]) & set(groups[test])
        left_out += test.tolist()
    assert sorted(left_out) == np.flatnonzero(data.real).tolist()
