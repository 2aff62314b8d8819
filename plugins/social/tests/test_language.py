"""Posts in other languages are said to be unsupported instead of being classified."""

from pathlib import Path

import numpy as np
import pytest
from sesame_social.classifier import Attribute, Model, classify, explain
from sesame_social.classifier.language import CHINESE, ENGLISH, OTHER, detect_languages
from sesame_social.classifier.normalize import normalize
from sesame_social.training import datasets

#: The first article of the Universal Declaration of Human Rights in 24 languages, and what people write.
OTHERS = (Path(__file__).parent / "speech" / "other_languages.txt").read_text("utf-8").splitlines()
OURS = {
    "ok": ENGLISH,
    "lol": ENGLISH,
    "Los Angeles": ENGLISH,
    "omw 2 ur place xx": ENGLISH,
    "u r so dumb smh": ENGLISH,
    "la la la": ENGLISH,
    "k": ENGLISH,
    "👍👍 100": ENGLISH,
    "f u c k y o u": ENGLISH,
    "ur an 1d10t": ENGLISH,
    "I went to Côte d'Ivoire and had a crème brûlée": ENGLISH,
    "你好": CHINESE,
    "滚": CHINESE,
    "傻b": CHINESE,
    "这个app真好用": CHINESE,
    "我爱日本の料理": CHINESE,
}


def detect(texts: list[str]) -> list[str]:
    """The language of each text."""
    return detect_languages(normalize(texts)).tolist()


def test_other_languages_are_not_classified(model: Model) -> None:
    """Whatever their script; no probability is claimed, and nothing is suspected."""
    result = classify(OTHERS, model)
    assert not result.supported.any(), [
        text for text, known in zip(OTHERS, result.supported, strict=True) if known
    ]
    assert all(np.isnan(values).all() for values in result.probability.values())
    assert not any(flags.any() for flags in result.suspected.values())
    assert not result.helpful.any()
    assert explain(OTHERS[0], model) == []


def test_short_posts_and_slang_are_classified() -> None:
    """No word of a language is needed to be English; and foreign names and dishes are no foreign language."""
    assert dict(zip(OURS, detect(list(OURS)), strict=True)) == OURS


@pytest.mark.parametrize(
    ("source", "language", "most"),
    [
        ("sms", ENGLISH, 0.002),
        ("youtube", ENGLISH, 0.005),
        ("davidson", ENGLISH, 0.002),
        ("cold", CHINESE, 0.001),
    ],
)
def test_posts_of_the_data_sets_are_of_their_language(
    source: str, language: str, most: float, shared_data: Path
) -> None:
    """All but the few that are indeed in other languages."""
    texts = [row.text for row in datasets.load_rows(shared_data, source)]
    result = [name for at in range(0, len(texts), 1000) for name in detect(texts[at : at + 1000])]
    assert sum(name != language for name in result) / len(result) <= most


def test_a_language_is_found_beside_others() -> None:
    """Each post by itself."""
    assert detect(["hello you", OTHERS[0], "", "你好", OTHERS[16]]) == [
        ENGLISH,
        OTHER,
        ENGLISH,
        CHINESE,
        OTHER,
    ]


@pytest.mark.parametrize(
    ("text", "word"),
    [("my friend, you are a stupid bitch", "bitch"), ("你这个黑鬼真是垃圾", "黑鬼")],
    ids=["en", "zh"],
)
def test_the_words_that_weigh_most_are_named(text: str, word: str, model: Model) -> None:
    """By their place in the post as it was written, the heaviest first."""
    spans = explain(text, model, Attribute.TOXICITY)
    assert word in [text[span.begin : span.end] for span in spans[:2]]
    assert [span.weight for span in spans] == sorted((span.weight for span in spans), reverse=True)
