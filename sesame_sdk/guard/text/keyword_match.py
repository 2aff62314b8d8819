"""The lexical check: does a text speak of what its declaration leaves out?

What it sees: the word lists of `vocabulary`, in English and Chinese, whole words only, through capitals,
full-width forms, accents, look-alike letters, zero-width characters, digits for letters, CamelCase,
and words cut into up to four pieces or spelled out. What it cannot see: other languages, euphemisms,
and a lie that uses none of the words. It stands behind the declaration, and does not replace it.

A list becomes a pattern when it is first asked for: most processes ask for few of them.
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from attrs import frozen

from sesame_sdk.guard.text.normalize import TooLongError, joined, readings, skeleton
from sesame_sdk.guard.text.regex_trie import alternatives
from sesame_sdk.guard.text.topics import LISTS, Topic
from sesame_sdk.guard.wordlists.high_stakes_uses import MARKS, SEATS
from sesame_sdk.guard.wordlists.protected_topics import BODIES, GOODS, ORIGINS, PLACES, STANCE, UNITS

#: What `mentioned` answers about a text that is too long to be judged.
UNREADABLE = "more text than can be judged"

_PLURAL = "(?:e?s)?"
_FEW_WORDS = "(?: [a-z]++){0,5}? "
#: Read after the skeleton, which makes "if you like" of it.
_WANTED = f".*? {skeleton('if you')} (?:{'|'.join(map(skeleton, ('want', 'wish', 'like', 'choose', 'ask')))})"
_LATIN = re.compile("[a-z0-9]+")


def _phrases(entries: str) -> str:
    return alternatives(skeleton(" ".join(entry.split())) for entry in entries.split(";"))


def _whole_words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)(?:{pattern})(?!\S)")


@cache
def _words_of(topic: Topic) -> re.Pattern[str]:
    return _whole_words(f"(?:{_phrases(LISTS[topic].english)}){_PLURAL}")


@cache
def _chinese_of(topic: Topic) -> re.Pattern[str]:
    return re.compile(alternatives(LISTS[topic].chinese.split()))


@cache
def _innocent(phrases: str) -> re.Pattern[str]:
    return _whole_words(f"(?:{_phrases(phrases)})s?")


@cache
def _beyond_words(topic: Topic) -> re.Pattern[str] | None:
    """What takes more than a list: a stance on the state, the origin of goods, a mark beside a name."""
    stance, bodies, goods = (f"(?:{_phrases(entries)}){_PLURAL}" for entries in (STANCE, BODIES, GOODS))
    if topic is Topic.POLITICS:
        return _whole_words(f"{stance}{_FEW_WORDS}{bodies}|{bodies}{_FEW_WORDS}{stance}")
    if topic is Topic.TASTE:
        whence = f"from (?:the )?(?:{_phrases(PLACES)})|{_phrases(ORIGINS)}"
        return _whole_words(f"{goods}(?: [a-z]++){{0,3}}? (?:{whence})")
    if topic is Topic.PUBLICITY:
        beside = (
            f"(?:{_phrases(MARKS)})(?: [a-z]++){{0,3}}? (?:your|the|a|each|every|their) (?:{_phrases(SEATS)})"
        )
        return _whole_words(f"{beside}(?!{_WANTED})")
    return None


@frozen
class _Reading:
    """One way to read a text.

    Attributes:
        plain: its words, one space between two.
        innocent: where the innocent phrases begin and end in `plain`.
        hidden: words that cut words may have been, unless an earlier reading has them; dots keep phrases
            from forming across them.
        chinese: its words that are not Latin, without what stood between.
    """

    plain: str
    innocent: tuple[tuple[int, int], ...]
    hidden: str
    chinese: str


@lru_cache(maxsize=4096)
def mentioned(topic: Topic, text: str) -> str:
    """The first words of `text` that are about `topic`; empty if none, `UNREADABLE` if it is too long."""
    try:
        read = _read(LISTS[topic].innocent, text)
    except TooLongError:
        return UNREADABLE
    return next(filter(None, (_found(topic, reading) for reading in read)), "")


@lru_cache(maxsize=1024)
def _read(phrases: str, text: str) -> tuple[_Reading, ...]:
    known: set[str] = set()
    return tuple(_reading(words, known, _innocent(phrases)) for words in readings(text))


def _reading(words: list[str], known: set[str], harmless: re.Pattern[str]) -> _Reading:
    plain = " ".join(words)
    folded = skeleton(plain)
    innocent = tuple(match.span() for match in harmless.finditer(folded))
    # What is innocent as it stands gives no piece of a hidden word.
    pieces = _without(plain, innocent).split()
    hidden = [word for word in dict.fromkeys(joined(pieces)) if word not in known]
    known.update(hidden)
    chinese = "".join(word for word in words if not _LATIN.fullmatch(word))
    return _Reading(plain, innocent, " … ".join(hidden), chinese)


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in reversed(tuple(spans)):
        text = f"{text[:start]}…{text[end:]}"
    return text


def _found(topic: Topic, reading: _Reading) -> str:
    if reading.plain in UNITS:
        return ""
    if chinese := _chinese_of(topic).search(reading.chinese):
        return chinese[0]
    if found := _outside(_words_of(topic), reading):
        return found
    if hidden := _words_of(topic).search(skeleton(reading.hidden)):
        return reading.hidden[slice(*hidden.span())]
    pattern = _beyond_words(topic)
    return _outside(pattern, reading) if pattern else ""


def _outside(pattern: re.Pattern[str], reading: _Reading) -> str:
    """The first match that is not, as a whole, within an innocent phrase."""
    folded, match = skeleton(reading.plain), None
    while match := pattern.search(folded, match.start() + 1 if match else 0):
        start, end = match.span()
        if not any(first <= start and end <= last for first, last in reading.innocent):
            return reading.plain[start:end]
    return ""
