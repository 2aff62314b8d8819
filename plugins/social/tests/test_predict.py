"""Whatever is written, it is judged, alone or among others, and nothing of it breaks anything."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sesame_social.classifier import Model, Predictions, classify
from sesame_social.classifier.normalize import normalize
from sesame_social.classifier.predict import POST_KINDS, find_unlikely

from sesame_sdk import InvalidInputError

ODD = [
    "",
    " ",
    "\0",
    "\0\0abuse\0",
    "\ud800",
    "\udfff\ud83d",
    "\U0001f600" * 50,
    "\x1b[31m\x07\x08\x7f",
    "\u202edesrever\u202c",
    "&#0;&#55357;&bogus;&",
    "@",
    "@@ @a @",
    "a" * 2_000_000,
    "\u4e2d" * 100_000,
    "\ue001\ue002\ue010",
    "e\u0301" * 300,
]
ANY = st.text(st.characters(exclude_categories=[]), max_size=60)


def row(result: Predictions, at: int) -> tuple[float, ...]:
    """The result for one post."""
    each = [*result.probability.values(), *result.suspected.values(), result.helpful, result.supported]
    return tuple(float(values[at]) for values in each)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_an_odd_post_is_judged_and_leaves_its_neighbours_alone(text: str, model: Model) -> None:
    """Its chances are chances, and the post after it is what it would have been."""
    neighbour = "win a FREE prize now, text WIN to 80888"
    result = classify([neighbour, text, neighbour], model)
    assert row(result, 0) == row(result, 2) == row(classify([neighbour], model), 0)
    for values in result.probability.values():
        assert np.isnan(values[1]) or 0 <= values[1] <= 1


def test_no_posts_are_no_verdicts(model: Model) -> None:
    """An empty batch is fine."""
    assert len(classify([], model).spam) == 0


def test_what_a_platform_knows_of_its_posts_counts(model: Model) -> None:
    """An invitation to one's own videos is spam under a stranger's, and no scam among friends."""
    texts = ["check out my new song on my channel and subscribe"]
    comment, message, unknown = (
        classify(texts, model, kind).spam[0] for kind in ("comment", "message", "any")
    )
    assert comment > 0.9
    assert message < comment
    assert message <= unknown <= comment


def test_the_kind_of_posts_is_no_matter_for_abuse(model: Model) -> None:
    """It says where spam is expected, and nothing of people."""
    texts = ["you are a stupid bitch", "see you tonight"]
    assert len({tuple(classify(texts, model, kind).abuse) for kind in POST_KINDS}) == 1


def test_another_kind_is_refused(model: Model) -> None:
    """By name, with those that there are."""
    with pytest.raises(InvalidInputError, match="kind: must be one of any, comment, message"):
        classify(["x"], model, "email")  # type: ignore[arg-type]


@settings(max_examples=60)
@given(texts=st.lists(ANY, min_size=1, max_size=6))
def test_a_post_is_judged_the_same_alone_and_among_others(texts: list[str], model: Model) -> None:
    """What somebody else wrote never changes a verdict."""
    together = classify(texts, model)
    for at, text in enumerate(texts):
        assert row(together, at) == pytest.approx(row(classify([text], model), 0), abs=1e-9, nan_ok=True)


@given(texts=st.lists(ANY, max_size=5))
def test_folding_keeps_every_post_apart(texts: list[str]) -> None:
    """One NUL before each post and one at the end, whatever the posts hold."""
    folded = normalize(texts)
    assert len(folded.starts) == len(texts) + 1
    assert (folded.units == 0).sum() == len(texts) + 1
    assert folded.starts[-1] == len(folded.units)


def test_case_width_and_entities_make_no_difference_to_words() -> None:
    """Full-width characters and escaped ones are equal to the plain ones."""
    assert np.array_equal(normalize(["\uff34ext"]).units, normalize(["text"]).units)
    assert np.array_equal(normalize(["a &amp; b"]).units, normalize(["a & b"]).units)
    assert np.array_equal(normalize(["noooooo"]).units, normalize(["noo"]).units)


def test_a_post_helps_by_its_form_and_never_by_its_side(model: Model) -> None:
    """Steps with a reason help; the same about a party does not."""
    steps = "First open the settings, then restart the router, because the old address is kept otherwise."
    party = "First read what the party says, then vote for the party, because the others lie otherwise."
    result = classify([steps, party, "nice one"], model)
    assert result.helpful.tolist() == [True, False, False]


def test_importing_the_plugin_loads_no_numpy() -> None:
    """Every command of the command line imports it."""
    code = "import sys, sesame_social; sys.exit('numpy' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_classifying_needs_no_scikit_learn() -> None:
    """That is for training alone."""
    code = (
        "import sys; from sesame_social.classifier import classify, load_model\n"
        "classify(['hello'], load_model())\n"
        "sys.exit('sklearn' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_post_that_quotes_needs_a_higher_probability(model: Model) -> None:
    """To report an insult is not to use it. A post that is a quotation as a whole is no report."""
    texts = [
        'he wrote "you idiot" to me',
        "\u201c\u4f60\u662f\u767d\u75f4\u201d\uff0c\u4ed6\u8bf4",
        "you idiot wrote to me",
        '"you idiot"',
    ]
    never, at_least = find_unlikely(texts, model)
    assert not never.any()
    assert at_least[:2].min() >= 0.7
    assert at_least[2:].max() == 0
