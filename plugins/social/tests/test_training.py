"""Training is the same each time, and is what made the file that is shipped."""

from pathlib import Path

import numpy as np
import pytest
from sesame_social.classifier import Attribute, Model, classify
from sesame_social.training import datasets, training_sets
from sesame_social.training.train import SEED, fit_head, train_model

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
