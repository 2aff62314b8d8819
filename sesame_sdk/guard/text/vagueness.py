"""Is a text vague? "Score too low", "various reasons" and a single word are.

For what people read: reasons, aims, parameters of a ranking. It knows English and Chinese, with the same
normalization as the lexical check; of other languages it only counts words.
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Literal

from sesame_sdk.guard.text.normalize import TooLongError, join_words, skeleton, split_words
from sesame_sdk.guard.text.topics import alternatives, entries

_LATIN = re.compile("[a-z0-9]+")
#: Words, or characters of a script without spaces, of the shortest text that may be specific.
_MIN_WORDS, _MIN_CHARACTERS = 2, 4


@cache
def _english(section: str) -> frozenset[str]:
    return frozenset(map(skeleton, entries("vague_wording", f"{section}.en")))


@cache
def _chinese(*sections: str) -> re.Pattern[str]:
    words = (word for name in sections for word in entries("vague_wording", f"{name}.zh"))
    return re.compile(alternatives(words))


@cache
def _generic_chinese() -> re.Pattern[str]:
    return re.compile(f"(?:{_chinese('generic', 'score').pattern})*+")


@lru_cache(maxsize=1024)
def is_vague(text: str, name: str = "") -> bool:
    """Whether `text` tells a person nothing: too short, generic, or only the words of the dotted `name`."""
    variants = _variants(text)
    short = bool(variants) and _is_short(variants[0])
    in_name = f" {' '.join(re.split('[.-]', name))} "
    return short or is_generic(text) or any(f" {' '.join(words)} " in in_name for words in variants)


@lru_cache(maxsize=1024)
def is_generic(text: str) -> bool:
    """Whether every word of `text` is generic."""
    return any(map(_are_generic, _variants(text)))


@lru_cache(maxsize=1024)
def mentions(text: str, section: Literal["score", "reputation"]) -> bool:
    """Whether `text` mentions the score; or reputation: the score under another name, or no order at all."""
    variants = _variants(text)
    candidates = (word for words in variants for word in (*words, *join_words(words)))
    return any(skeleton(word) in _english(section) for word in candidates) or any(
        _chinese(section).search("".join(words)) for words in variants
    )


def _variants(text: str) -> list[list[str]]:
    """The readings of `text`; none if it is too long, which the lexical check refuses."""
    try:
        return split_words(text)
    except TooLongError:
        return []


def _is_short(words: list[str]) -> bool:
    return len(words) < _MIN_WORDS and len(_not_latin(words)) < _MIN_CHARACTERS


def _are_generic(words: list[str]) -> bool:
    latin = filter(_LATIN.fullmatch, words)
    return all(map(_is_generic_word, latin)) and bool(_generic_chinese().fullmatch(_not_latin(words)))


def _not_latin(words: Iterable[str]) -> str:
    return "".join(word for word in words if not _LATIN.fullmatch(word))


def _is_generic_word(word: str) -> bool:
    folded = skeleton(word)
    return len(word) == 1 or word.isdigit() or folded in _english("generic") or folded in _english("score")
