"""Texts that mean the same become the same: equivalent encodings, invisible characters, disguised words."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sesame_social.classifier import Attribute, Model, classify, explain
from sesame_social.classifier.entity_masking import mask_entities
from sesame_social.classifier.features import RollingHash, hash_words
from sesame_social.classifier.normalize import MAX_CHARACTERS, normalize
from sesame_social.classifier.spelling import respell
from sesame_social.training.training_sets import prediction_phrases

FAMILY, RAINBOW_FLAG = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f3f3\ufe0f\u200d\U0001f308"
PERSIAN = "\u0645\u06cc\u200c\u0631\u0648\u0645"
INVISIBLE = ["\u00ad", "\u034f", "\u200b", "\u200c", "\u200d", "\u2060", "\ufe0f", "\ufeff", "\U000e0041"]


def count_words(text: str) -> int:
    """The number of words of a post."""
    units = normalize([text]).units
    return len(hash_words(units, RollingHash(units)).hashes)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_canonically_equivalent_posts_are_equal(text: str) -> None:
    """Composed or not, in every script."""
    composed, decomposed = (normalize([unicodedata.normalize(form, text)]) for form in ("NFC", "NFD"))
    assert np.array_equal(composed.units, decomposed.units)
    assert composed.capitals.tolist() == decomposed.capitals.tolist()


def test_equivalent_posts_end_at_the_same_character() -> None:
    """The limit of characters counts letters, however they are encoded."""
    text = "\u00e9" * MAX_CHARACTERS + " end"
    decomposed = unicodedata.normalize("NFD", text)
    assert len(decomposed) > len(text)
    for cut in (text, decomposed):
        assert np.array_equal(normalize([cut]).units, normalize(["\u00e9" * MAX_CHARACTERS]).units)


@pytest.mark.parametrize("character", INVISIBLE, ids=[f"U+{ord(each):04X}" for each in INVISIBLE])
def test_a_default_ignorable_character_leaves_no_blank(character: str, model: Model) -> None:
    """A word that it divides is the word, to a reader and to the classifier."""
    text, divided = "you are an idiot", f"you are an id{character}iot"
    assert np.array_equal(normalize([text]).units, normalize([divided]).units)
    plain, other = classify([text, divided], model).abuse
    assert plain == other


@pytest.mark.parametrize("text", [FAMILY, RAINBOW_FLAG], ids=["a family", "a flag"])
def test_an_emoji_of_several_characters_is_whole(text: str) -> None:
    """No blank is within it, so its n-grams are of one thing."""
    units = normalize([text]).units[1:-1]
    assert ord(" ") not in units
    assert units.tobytes().decode("utf-16-le") == text.replace("\u200d", "").replace("\ufe0f", "")


def test_a_persian_word_with_a_non_joiner_is_one_word() -> None:
    """The non-joiner shapes letters and divides nothing."""
    assert count_words(PERSIAN) == 1
    assert count_words(f"{PERSIAN} {PERSIAN}") == 2


def test_accents_without_a_composed_letter_are_removed() -> None:
    """Stacked accents hide no word."""
    stacked = "".join(letter + "\u0335\u0301\u0316" for letter in "idiot")
    assert np.array_equal(normalize([stacked]).units, normalize(["idiot"]).units)


def test_a_post_cannot_hold_a_sign_of_the_classifier(model: Model) -> None:
    """The sign of an institution prevents suspicion; typed by an author it is a blank."""
    assert np.array_equal(normalize(["a\ue001\ue002b"]).units, normalize(["a b"]).units)
    plain, signed = classify(["shut up you dumb faggot", "shut up\ue001you dumb faggot"], model).abuse
    assert plain == signed


def test_a_word_with_an_invisible_character_is_explained_whole(model: Model) -> None:
    """A moderator sees the word, and not its halves."""
    text = "you are a stu\u200bpid bit\u00adch"
    spans = explain(text, model, Attribute.TOXICITY)
    assert "bit\u00adch" in {text[span.begin : span.end] for span in spans}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I h4te th1s", "I hate this"),
        ("what a b1tch", "what a bitch"),
        ("they are s c u m", "they are scum"),
        ("I h a t e it", "I hate it"),
        ("f.u.c.k off", "fuck off"),
        ('he said "they are bad" to me', "he said  \ue003they are bad\ue003  to me"),
        ('"they are bad"', '"they are bad"'),
        ('"@ann: they are bad" yes', '"@ann: they are bad" yes'),
        ("\U0001d421\U0001d41a\U0001d42d\U0001d41e", "hate"),
        ("\U0001f177ate", "hate"),
        ("h\u0430t\u0435", "hate"),
        ("see http://t.co/a1b2c3d or @ann1e4 #b1tch", "see http://t.co/a1b2c3d or @ann1e4 #b1tch"),
        ("room 101 at 5pm, 3 of 4", "room 101 at 5pm, 3 of 4"),
        ("\u043f\u0440\u0438\u0432\u0435\u0442", "\u043f\u0440\u0438\u0432\u0435\u0442"),
        ("a b", "a b"),
    ],
    ids=[
        "digits for letters",
        "a digit for a letter of a slur",
        "letters set apart",
        "letters set apart after a pronoun",
        "dots between letters",
        "a quotation within a post has a sign at both ends",
        "a post that is a quotation as a whole stays",
        "a post that is repeated with its author stays",
        "mathematical letters",
        "a letter in a square",
        "Cyrillic look-alikes",
        "addresses and names stay",
        "numbers stay",
        "words of another script stay",
        "two letters stay",
    ],
)
def test_disguised_words_are_written_out(text: str, expected: str) -> None:
    """As a reader reads them."""
    assert respell(f"\0{text}\0") == f"\0{expected}\0"


@pytest.mark.parametrize(
    ("emoji", "word"),
    [("\U0001f52a", "knife"), ("\U0001f34d", "pineapple"), ("\U0001f1e9\U0001f1ea", "flag")],
    ids=["of our list", "of Unicode", "a flag"],
)
def test_an_emoji_is_followed_by_its_name(emoji: str, word: str) -> None:
    """Several of one kind are named once."""
    assert respell(emoji * 3).split() == [emoji, *word.split()]


def test_an_emoji_of_people_is_masked_as_their_name_is() -> None:
    """So that a flag at the end of a post is no reason for suspicion."""
    sign = chr(0xE002)
    for text in (RAINBOW_FLAG, "\U0001f9d5", "\u267f"):
        masked = mask_entities(
            normalize([respell(normalize([text]).units[1:-1].tobytes().decode("utf-16-le"))]),
            prediction_phrases(),
        )
        assert sign in masked.text.units.tobytes().decode("utf-16-le")


@pytest.mark.parametrize(
    ("plain", "disguised"),
    [
        ("I hate black people", "I h4te black people"),
        ("gay people are scum", "gay people are s c u m"),
        ("you stupid bitch", "you stupid b1tch"),
    ],
)
def test_a_disguised_post_is_judged_as_the_plain_one(plain: str, disguised: str, model: Model) -> None:
    """A disguise changes no probability."""
    result = classify([plain, disguised], model)
    for name in (Attribute.TOXICITY, Attribute.IDENTITY_ATTACK, Attribute.INSULT, Attribute.THREAT):
        assert result.probability[name][0] == pytest.approx(result.probability[name][1], abs=1e-9)
