"""What each head is taught: which rows, with which weight, and which of our own texts beside them."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random

import numpy as np
from attrs import evolve

from sesame_social.classifier import entity_masking, surface_features
from sesame_social.classifier.entity_masking import PhraseTable
from sesame_social.training import synthetic_texts
from sesame_social.training.datasets import NEITHER, LabelledText
from sesame_social.training.logistic_regression import TrainingSet

#: Pairs of texts of ours a language, and what each text counts for abuse in English.
_PAIRS, _OURS = 3000, 0.5
#: What an ordinary message or comment counts for abuse in English: davidson has few posts that are not abuse.
_ORDINARY = 0.1
#: How far the head that tells comments from messages is believed: it knows two sites.
_TRUST = 0.4
_SIGNS = {
    "things_en": entity_masking.THING,
    "things_zh": entity_masking.THING,
    "people_en": entity_masking.PEOPLE,
    "people_zh": entity_masking.PEOPLE,
    "persons_en": entity_masking.PERSON,
    "persons_zh": entity_masking.PERSON,
    "insults_en": entity_masking.INSULT,
    "coarse_en": entity_masking.COARSE,
}
_MANNERS = {
    "advice": entity_masking.ADVICE,
    "step": entity_masking.STEP,
    "reason": entity_masking.REASON,
    "example": entity_masking.EXAMPLE,
    "against": entity_masking.AGAINST,
    "call": surface_features.CALL,
    "mine": surface_features.MINE,
    "media": surface_features.MEDIA,
    "gain": surface_features.GAIN,
    "link": surface_features.LINK,
    "moment": surface_features.MOMENT,
}

Piece = tuple[str, float, float, bool]


@cache
def training_phrases() -> PhraseTable:
    """Every name that is masked and every phrase that is noted, for training."""
    return _made(_found())


@cache
def prediction_phrases() -> PhraseTable:
    """The same for judging, and slurs that are told of become people too.

    Not for training: most that is known of such posts is abuse, and the heads would learn it of the sign.
    """
    mentions = dict(_named("mentions"))
    told = (f"{before} {slur}" for before in mentions["before"] for slur in mentions["slurs"])
    return _made(_found() | dict.fromkeys(told, entity_masking.PEOPLE))


def _found() -> dict[str, int]:
    found: dict[str, int] = {}
    for name, sign in _SIGNS.items():
        found |= {word: sign for line in _lines(name) for word in _split(line)}
    for manner, told in [pair for name in ("helpful", "tags", "against") for pair in _named(name)]:
        found |= dict.fromkeys(told, _MANNERS[manner])
    return found


def _made(found: Mapping[str, int]) -> PhraseTable:
    return PhraseTable.from_phrases({word: sign for word, sign in found.items() if len(word) > 1})


def message_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Spam and scams sent to somebody, and in Chinese; posts about other matters are what is none."""
    pieces = _labelled(rows, "sms") + [
        (row.text, 0.0, 0.1, False) for row in rows if row.source == "youtube" and not row.label
    ]
    pieces += _elsewhere(rows, seed, 0.05, 0.1) + _linked(rows, 0.3)
    return _lesson(pieces + _chinese_spam(seed, 0.1), 64.0)


def comment_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Spam under what somebody else made. Few such posts are known, so others count for little."""
    pieces = _labelled(rows, "youtube") + _elsewhere(rows, seed, 0.003, 0.05)
    return _lesson(pieces + _linked(rows, 0.018), 64.0)


def kind_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """How far a post is written like a comment: spam or not is no matter here."""
    pieces = [(row.text, 1.0, 1.0, True) for row in rows if row.source == "youtube"]
    pieces += [(row.text, 0.0, 0.4, True) for row in rows if row.source == "sms"]
    others = [
        (text, 0.0, weight, real)
        for text, _, weight, real in _elsewhere(rows, seed, 0.1, 0.1) + _chinese_spam(seed, 0.1)
    ]
    return evolve(_lesson(pieces + others, 16.0), trust=_TRUST)


def _labelled(rows: Sequence[LabelledText], source: str) -> list[Piece]:
    return [(row.text, float(row.label), 1.0, True) for row in rows if row.source == source]


def _elsewhere(rows: Sequence[LabelledText], seed: int, weight: float, ours: float) -> list[Piece]:
    """Posts that are no spam: other people's, and texts of ours for and against."""
    random = _dice(seed)
    others = [row.text for row in rows if row.source == "cold" or _harmless(row)]
    fewer = min(_PAIRS // 3, len(rows))
    made_up = _ours("en", random, fewer, ours) + _ours("zh", random, fewer, ours)
    return [(text, 0.0, weight, False) for text in random.sample(others, min(len(others), 3000))] + made_up


def _linked(rows: Sequence[LabelledText], weight: float) -> list[Piece]:
    """Harmless posts with a link: of messages and comments with one nearly all are spam."""
    return [(row.text, 0.0, weight, False) for row in rows if _harmless(row) and "http" in row.text]


def _harmless(row: LabelledText) -> bool:
    return row.source == "davidson" and row.label == NEITHER


def _chinese_spam(seed: int, weight: float) -> list[Piece]:
    bad, good = synthetic_texts.make_chinese_spam(400, _dice(seed))
    return [(text, 1.0, weight, False) for text in bad] + [(text, 0.0, weight, False) for text in good]


def english_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Abuse in English, by what most raters said; messages and comments are what is none."""
    pieces = [(row.text, float(row.label != NEITHER), 1.0, True) for row in rows if row.source == "davidson"]
    clean = [row.text for row in rows if row.source in ("sms", "youtube") and not row.label]
    pieces += [(text, 0.0, _ORDINARY, False) for text in clean]
    # Without voices: ``RT @user`` is how its own posts begin, and says nothing of them.
    pieces += _ours("en", _dice(seed), min(_PAIRS, len(rows)), _OURS, voiced=False)
    return _lesson(pieces, 8.0, coarse=True)


def hate_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:  # noqa: ARG001
    """Hate among what is abuse, by what most raters said."""
    found = [row for row in rows if row.source == "davidson" and row.label != NEITHER]
    return _lesson([(row.text, float(row.label == 0), 1.0, True) for row in found], 2.0, coarse=True)


def chinese_set(rows: Sequence[LabelledText], seed: int) -> TrainingSet:
    """Abuse in Chinese."""
    pieces = [(row.text, float(row.label), 1.0, True) for row in rows if row.source == "cold"]
    return _lesson(pieces + _ours("zh", _dice(seed), min(_PAIRS, len(rows)), 4.0), 8.0)


def _ours(language: str, random: Random, pairs: int, weight: float, *, voiced: bool = True) -> list[Piece]:
    return [
        (text, 0.0, weight, False)
        for text in synthetic_texts.make_neutral_texts(language, pairs, random, voiced=voiced)
    ]


def _dice(seed: int) -> Random:
    """Draws texts, the same each time; no secret hangs on it."""
    return Random(seed)  # noqa: S311


def _lesson(pieces: Sequence[Piece], strength: float, *, coarse: bool = False) -> TrainingSet:
    texts, chance, weight, real = zip(*pieces, strict=True)
    return TrainingSet(texts, np.array(chance), np.array(weight), np.array(real), strength, coarse)


def _lines(name: str) -> list[str]:
    text = (files(__package__) / "words" / f"{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _named(name: str) -> list[tuple[str, list[str]]]:
    """Lines of which each says first what it holds."""
    parts = [line.partition(":") for line in _lines(name)]
    return [(what, _split(rest)) for what, _, rest in parts]


def _split(line: str) -> list[str]:
    return [word.strip() for word in line.split(",") if word.strip()]
