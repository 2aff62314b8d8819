"""What each head is taught: which rows, with which weight, and which of our own texts beside them."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from random import Random

import numpy as np

from sesame_social.classifier import masking
from sesame_social.classifier.masking import Phrases
from sesame_social.training import made
from sesame_social.training.corpora import Row
from sesame_social.training.fitting import Lesson

#: Pairs of texts of ours a language, and what each text counts.
_PAIRS, _OURS = 3000, 0.5
#: What a message between friends counts beside a comment: four in five texts are such messages.
_MESSAGE, _COMMENT = 0.3, 2.0
_SIGNS = {
    "things_en": masking.THING,
    "things_zh": masking.THING,
    "people_en": masking.PEOPLE,
    "people_zh": masking.PEOPLE,
    "persons_en": masking.PERSON,
    "persons_zh": masking.PERSON,
}
_MANNERS = {
    "advice": masking.ADVICE,
    "step": masking.STEP,
    "reason": masking.REASON,
    "example": masking.EXAMPLE,
}

Piece = tuple[str, float, float, bool]


@cache
def phrases() -> Phrases:
    """Every name that is masked and every phrase that is noted."""
    found: dict[str, int] = {}
    for name, sign in _SIGNS.items():
        found |= {word: sign for line in _lines(name) for word in _split(line)}
    for line in _lines("helpful"):
        manner, _, rest = line.partition(":")
        found |= dict.fromkeys(_split(rest), _MANNERS[manner])
    return Phrases.of({word: sign for word, sign in found.items() if len(word) > 1})


def spam(rows: Sequence[Row], seed: int) -> Lesson:
    """Spam and scams: messages and comments, with posts about other matters as what is none."""
    random = Random(seed)  # noqa: S311
    pieces = [
        (row.text, float(row.label), _weight(row), True) for row in rows if row.source in ("sms", "youtube")
    ]
    others = [
        row.text for row in rows if row.source == "cold" or (row.source == "davidson" and row.label == 2)
    ]
    pieces += [(text, 0.0, 0.05, False) for text in random.sample(others, min(len(others), 3000))]
    fewer = min(_PAIRS // 3, len(rows))
    bad, good = made.chinese_spam(400, random)
    pieces += [(text, 1.0, 0.3, False) for text in bad] + [(text, 0.0, 0.3, False) for text in good]
    pieces += _ours("en", random, fewer) + _ours("zh", random, fewer)
    return _lesson(pieces, 32.0)


def _weight(row: Row) -> float:
    if row.source == "youtube":
        return _COMMENT
    return 1.0 if row.label else _MESSAGE


def english(rows: Sequence[Row], seed: int) -> Lesson:
    """Abuse in English, as far as the raters agreed; messages and comments are what is none."""
    pieces = [(row.text, 1 - row.votes[2], 1.0, True) for row in rows if row.source == "davidson"]
    clean = [row.text for row in rows if row.source in ("sms", "youtube") and not row.label]
    pieces += [(text, 0.0, 0.5, False) for text in clean]
    return _lesson(pieces + _ours("en", Random(seed), min(_PAIRS, len(rows))), 16.0)  # noqa: S311


def hate(rows: Sequence[Row], seed: int) -> Lesson:  # noqa: ARG001
    """Hate among what is abuse: the more raters called it abuse, the more it counts."""
    found = [row for row in rows if row.source == "davidson" and row.votes[2] < 1]
    pieces = [(row.text, row.votes[0] / (1 - row.votes[2]), 1 - row.votes[2], True) for row in found]
    return _lesson(pieces, 8.0)


def chinese(rows: Sequence[Row], seed: int) -> Lesson:
    """Abuse in Chinese."""
    pieces = [(row.text, float(row.label), 1.0, True) for row in rows if row.source == "cold"]
    return _lesson(pieces + _ours("zh", Random(seed), min(_PAIRS, len(rows)), 1.0), 8.0)  # noqa: S311


def _ours(language: str, random: Random, pairs: int, weight: float = _OURS) -> list[Piece]:
    return [(text, 0.0, weight, False) for text in made.neutral(language, pairs, random)]


def _lesson(pieces: Sequence[Piece], strength: float) -> Lesson:
    texts, chance, weight, real = zip(*pieces, strict=True)
    return Lesson(texts, np.array(chance), np.array(weight), np.array(real), strength)


def _lines(name: str) -> list[str]:
    text = (files(__package__) / "words" / f"{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _split(line: str) -> list[str]:
    return [word.strip() for word in line.split(",") if word.strip()]
