"""The lexical check: does a text mention a topic that its declaration leaves out?

It detects the entries of the word lists, in English and Chinese, as whole words only, through capitals,
full-width forms, accents, look-alike letters, zero-width characters, digits for letters, CamelCase, and words
cut into up to four pieces or spelled out. It cannot detect other languages, euphemisms, or a lie that uses
none of the words. A list is compiled when it is first needed: most processes need few of them.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from attrs import frozen

from sesame_sdk.guard.text.normalize import TooLongError, join_words, skeleton, split_words
from sesame_sdk.guard.text.topics import WORDLISTS, Topic, alternatives, entries, latin_entries

#: What `find_mention` returns for a text that is too long to check.
UNREADABLE = "too much text to check"

_PLURAL = "(?:e?s)?"
_FEW_WORDS = "(?: [a-z]++){0,5}? "
#: Matched against the skeleton, in which "if you like" has other letters.
_OPTIONAL = (
    f".*? {skeleton('if you')} (?:{'|'.join(map(skeleton, ('want', 'wish', 'like', 'choose', 'ask')))})"
)
_LATIN = re.compile("[a-z0-9]+")


def _phrases(wordlist: str, section: str) -> str:
    return alternatives(map(skeleton, latin_entries(wordlist, section)))


def _whole_words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)(?:{pattern})(?!\S)")


@cache
def _english_pattern(topic: Topic) -> re.Pattern[str]:
    return _whole_words(f"(?:{_phrases(WORDLISTS[topic], topic)}){_PLURAL}")


@cache
def _chinese_pattern(topic: Topic) -> re.Pattern[str]:
    return re.compile(alternatives(entries(WORDLISTS[topic], f"{topic}.zh")))


@cache
def _exceptions_pattern(wordlist: str) -> re.Pattern[str]:
    return _whole_words(f"(?:{_phrases(wordlist, 'exceptions')})s?")


@cache
def _combined_pattern(topic: Topic) -> re.Pattern[str] | None:
    """What needs more than a list: a stance on the state, the origin of goods, a mark beside a name."""
    wordlist = WORDLISTS[topic]
    if topic is Topic.POLITICS:
        stance, body = (f"(?:{_phrases(wordlist, name)}){_PLURAL}" for name in ("stances", "state_bodies"))
        return _whole_words(f"{stance}{_FEW_WORDS}{body}|{body}{_FEW_WORDS}{stance}")
    if topic is Topic.TASTE:
        goods = f"(?:{_phrases(wordlist, 'goods')}){_PLURAL}"
        origin = f"from (?:the )?(?:{_phrases(wordlist, 'places')})|{_phrases(wordlist, 'origins')}"
        return _whole_words(f"{goods}(?: [a-z]++){{0,3}}? (?:{origin})")
    if topic is Topic.PUBLICITY:
        owned = f"(?:your|the|a|each|every|their) (?:{_phrases(wordlist, 'marked_places')})"
        return _whole_words(f"(?:{_phrases(wordlist, 'marks')})(?: [a-z]++){{0,3}}? {owned}(?!{_OPTIONAL})")
    return None


@frozen
class _Variant:
    """One way to read a text: its words with spaces, and those that are not Latin without.

    `exceptions` are the spans of excepted phrases in `plain`. `joined` has what cut words may have been,
    unless an earlier variant has it, separated so that no phrase forms across two of them.
    """

    plain: str
    exceptions: tuple[tuple[int, int], ...]
    joined: str
    chinese: str


@lru_cache(maxsize=4096)
def find_mention(topic: Topic, text: str) -> str:
    """The first words of `text` that mention `topic`; empty if none, `UNREADABLE` if it is too long."""
    try:
        variants = _variants(WORDLISTS[topic], text)
    except TooLongError:
        return UNREADABLE
    return next(filter(None, (_find_in(topic, variant) for variant in variants)), "")


@cache
def _unmistakable() -> re.Pattern[str]:
    return _whole_words(f"(?:{_phrases('high_stakes_uses', 'unmistakable')}){_PLURAL}")


@lru_cache(maxsize=4096)
def is_plain(topic: Topic, text: str) -> bool:
    """Whether what a name mentions leaves no doubt: several words, Chinese, or a word without another use."""
    mention = find_mention(topic, text)
    if not mention:
        return False
    if mention == UNREADABLE or not _LATIN.fullmatch(skeleton(mention)):
        return True
    words = {
        variant.plain[start:end]
        for variant in _variants(WORDLISTS[topic], text)
        for start, end in _unexcepted(_english_pattern(topic), variant)
    }
    return len(words) > 1 or any(" " in word or _unmistakable().fullmatch(skeleton(word)) for word in words)


@lru_cache(maxsize=1024)
def _variants(wordlist: str, text: str) -> tuple[_Variant, ...]:
    known: set[str] = set()
    return tuple(_variant(words, known, _exceptions_pattern(wordlist)) for words in split_words(text))


def _variant(words: list[str], known: set[str], excepted: re.Pattern[str]) -> _Variant:
    plain = pieces = " ".join(words)
    exceptions = tuple(match.span() for match in excepted.finditer(skeleton(plain)))
    for start, end in reversed(exceptions):  # a word of an excepted phrase is not a piece of a cut word
        pieces = f"{pieces[:start]}…{pieces[end:]}"
    joined = [word for word in dict.fromkeys(join_words(pieces.split())) if word not in known]
    known.update(joined)
    chinese = "".join(word for word in words if not _LATIN.fullmatch(word))
    return _Variant(plain, exceptions, " … ".join(joined), chinese)


def _find_in(topic: Topic, variant: _Variant) -> str:
    if chinese := _chinese_pattern(topic).search(variant.chinese):
        return chinese[0]
    if words := _find_unexcepted(_english_pattern(topic), variant):
        return words
    if joined := _english_pattern(topic).search(skeleton(variant.joined)):
        return variant.joined[slice(*joined.span())]
    pattern = _combined_pattern(topic)
    return _find_unexcepted(pattern, variant) if pattern else ""


def _find_unexcepted(pattern: re.Pattern[str], variant: _Variant) -> str:
    """The first match that is not, as a whole, within an excepted phrase."""
    return next((variant.plain[start:end] for start, end in _unexcepted(pattern, variant)), "")


def _unexcepted(pattern: re.Pattern[str], variant: _Variant) -> Iterator[tuple[int, int]]:
    folded, match = skeleton(variant.plain), None
    while match := pattern.search(folded, match.start() + 1 if match else 0):
        start, end = match.span()
        if not any(first <= start and end <= last for first, last in variant.exceptions):
            yield start, end
