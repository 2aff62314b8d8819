"""What spam is made of is noted with its place, from lists and without."""

import numpy as np
import pytest
from sesame_social.classifier.entity_masking import COARSE, GROUP, PERSON, mask_entities
from sesame_social.classifier.features import (
    COLUMNS,
    NO_COARSE_WORD,
    PEOPLE,
    TAGS,
    hash_features,
    surface_features,
)
from sesame_social.classifier.model import BITS
from sesame_social.classifier.normalize import normalize
from sesame_social.training.training_sets import prediction_phrases, training_phrases

NAMES = ("call", "mine", "media", "gain", "link", "moment", "number", "domain")


def tags_of(*texts: str) -> list[list[str]]:
    """The names of the tags of each text, in order."""
    result = mask_entities(normalize(texts), training_phrases()).tags
    return [
        [NAMES[kind] for kind, post in zip(result.kinds, result.posts, strict=True) if post == at]
        for at in range(len(texts))
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hey, check out my channel", ["call", "mine", "media"]),
        ("Call 09061701461", ["call", "number"]),
        ("you get £500", ["gain"]),
        ("Incmedia.org where truth is", ["domain"]),
        ("see trojmiasto.pl/bus", ["call", "domain"]),
        ("watch?v=abc&t=2m19s", ["link", "moment", "moment"]),
        ("see http://a.example", ["call", "link"]),
        ("see you at 5.30 i.e. later", ["call"]),
        ("we ate cake", []),
        ("", []),
    ],
    ids=[
        "a call to see something of one's own",
        "a number to call",
        "an amount of money is a gain",
        "a domain at the start",
        "a domain with a path, after a call",
        "a time in a film is no link to another page",
        "an address",
        "a time of day and an abbreviation are no domain",
        "nothing of the sort",
        "nothing at all",
    ],
)
def test_tags_are_found_in_their_order(text: str, expected: list[str]) -> None:
    """The same alone and after another post."""
    assert tags_of(text) == [expected]
    assert tags_of("subscribe", text, "x")[1] == expected


def test_adjacent_tags_are_a_pair() -> None:
    """In their order, within reach, and never across posts."""
    texts = [
        "check my page",
        "page my check",
        "check " + "so it goes on and on " * 4 + "my",
        "check",
        "my page",
    ]
    folded = normalize(texts)
    looks = surface_features(
        folded, mask_entities(folded, training_phrases()).tags, np.zeros(len(texts), bool)
    )
    assert looks.shape == (len(texts), COLUMNS)
    call_mine = COLUMNS - len(TAGS) ** 2 + 1
    assert looks[:, call_mine].tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "coarse", "person"),
    [
        ("this song is trash", True, False),
        ("what a bastard", True, True),
        ("see you in a bit", False, True),
        ("we ate cake", False, False),
        ("the word bitch hurts", False, False),
        ("the word bitch hurts, idiot", True, True),
    ],
    ids=[
        "of a thing",
        "of a person",
        "no coarse word",
        "no person",
        "third person",
        "third person, and another",
    ],
)
def test_quoted_coarse_words_set_no_flag(text: str, coarse: bool, person: bool) -> None:
    """Those that speak of persons are both; and form has a column that says there is none."""
    folded = normalize(["x", text])
    result = mask_entities(folded, prediction_phrases())
    assert result.flags[COARSE].tolist() == [False, coarse]
    assert result.flags[PERSON][1] == (person or "bitch" in text)
    features = surface_features(folded, result.tags, result.flags[COARSE])
    assert features[:, NO_COARSE_WORD].tolist() == [1, not coarse]


def word_buckets(text: str) -> set[int]:
    """The buckets of the words and pairs of a post, with names masked."""
    masked = mask_entities(normalize([text]), training_phrases())
    return set(hash_features(masked.text, BITS).words.tolist())


def test_a_name_is_a_word_of_pairs() -> None:
    """``hate`` beside any group is one pair, and another beside an institution or nothing."""
    muslims, immigrants = word_buckets("I hate muslims"), word_buckets("I hate immigrants")
    assert muslims == immigrants
    assert muslims - word_buckets("I hate") - word_buckets("muslims")
    assert muslims != word_buckets("I hate germany")


def test_words_one_apart_are_a_pair() -> None:
    """So that a negation reaches over an article; words two apart are none."""
    near, far = word_buckets("not a friend"), word_buckets("not such a friend")
    shared = near & far - word_buckets("not") - word_buckets("friend") - word_buckets("a friend")
    assert len(near - far) == 2  # "not a" and "not ... friend"
    assert not shared


def test_swapped_letters_leave_one_feature_equal() -> None:
    """The letters of a word of four or more count in any order, except the first."""
    assert word_buckets("stupid") & word_buckets("stpuid")
    assert not word_buckets("stupid") & word_buckets("tsupid")
    assert not word_buckets("cat") & word_buckets("cta")


def test_no_ngram_crosses_a_blank() -> None:
    """Posts of the same words in another order have the same n-grams, except at their ends."""
    one, other = (hash_features(normalize([text]), BITS).ngrams for text in (" ab cd ", " cd ab "))
    for left, right in zip(one, other, strict=True):
        assert set(left.tolist()) == set(right.tolist())


def test_a_group_that_is_not_masked_has_a_flag() -> None:
    """What is said of women or of 黑人 is learned by their name, and the rules know that it is a name."""
    texts = ["women came", "muslims came", "we came", "我是黑人"]
    masked = mask_entities(normalize(texts), prediction_phrases())
    assert masked.flags[GROUP].tolist() == [True, False, False, True]
    assert masked.flags[PEOPLE].tolist() == [False, True, False, False]
    assert masked.flags[PERSON][[0, 3]].all()
