"""The topics that a text is checked for, their word lists, and the regular expressions made of these.

The lists are text files in `guard/wordlists`, which state their format. Each is read when it is first needed.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Final, TypeAlias

_Trie: TypeAlias = dict[str, "_Trie"]
_END = ""
_ANY_ENDING = {"*": "[a-z]*"}


class Topic(StrEnum):
    """What a text may mention that some rule refuses. The value names its sections in the word lists."""

    POLITICS = "politics"
    SPECIAL_CATEGORIES = "special_categories"
    TASTE = "taste"
    OTHER_PEOPLE = "other_people"

    BIOMETRICS = "biometrics"
    LOCATION = "location"
    RIGHTS = "rights"
    INFERENCES = "inferences"
    EXTERNAL_RECORDS = "external_records"

    WORK = "work"
    PUBLIC_SERVICES = "public_services"
    ESSENTIALS = "essentials"
    CREDIT = "credit"
    RESALE = "resale"
    PUBLICITY = "publicity"

    FORCED_ENROLMENT = "forced_enrolment"
    MINORS = "minors"


#: Topics of the names of policies and consumers: what a score must not be used for.
USE_TOPICS: Final = tuple(Topic)[9:]

_FILES: Final[Mapping[str, tuple[Topic, ...]]] = {
    "protected_topics": tuple(Topic)[:4],
    "biometrics_location_rights": tuple(Topic)[4:7],
    "external_records": tuple(Topic)[7:9],
    "high_stakes_uses": USE_TOPICS,
}
#: The word list that holds a topic.
WORDLISTS: Final[Mapping[Topic, str]] = {
    topic: wordlist for wordlist, topics in _FILES.items() for topic in topics
}


def entries(wordlist: str, section: str) -> tuple[str, ...]:
    """The entries of one section, such as "politics.en", of a word list."""
    return _sections(wordlist)[section]


def latin_entries(wordlist: str, section: str) -> tuple[str, ...]:
    """The entries of one section in English, and in the other languages that have such a section."""
    sections = _sections(wordlist)
    names = [f"{section}.{language}" for language in ("de", "es", "fr")]
    return (*sections[f"{section}.en"], *(entry for name in names for entry in sections.get(name, ())))


@cache
def _sections(wordlist: str) -> Mapping[str, tuple[str, ...]]:
    from importlib.resources import files  # many processes need no word list

    text = (files("sesame_sdk.guard") / "wordlists" / f"{wordlist}.txt").read_text(encoding="utf-8")
    return parse_wordlist(text)


def parse_wordlist(text: str) -> Mapping[str, tuple[str, ...]]:
    """The sections of a word list, by name. A section without entries would switch off a check: an error."""
    sections: dict[str, tuple[str, ...]] = {}
    section = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            section = line[1:-1]
            sections[section] = ()
        elif not line.startswith("#"):
            words = (" ".join(entry.split()) for entry in line.split(";"))
            sections[section] = (*sections.get(section, ()), *filter(None, words))
    if "" in sections or not all(sections.values()):
        raise ValueError("a word list has a section without entries, or entries without a section")
    return sections


def alternatives(phrases: Iterable[str]) -> str:
    """A pattern for any of `phrases`, the longest first. A star matches any ending of a word.

    Common prefixes are shared, so that matching does not slow down with the list.
    """
    root: _Trie = {}
    for phrase in phrases:
        node = root
        for char in phrase:
            node = node.setdefault(char, {})
        node[_END] = {}
    return _pattern(root)


def _pattern(node: _Trie) -> str:
    # The star comes last: it also matches nothing, and would hide longer phrases that begin with its word.
    chars = sorted(node.keys() - {_END}, key=lambda char: (char in _ANY_ENDING, char))
    branches = [_ANY_ENDING.get(char, char) + _pattern(node[char]) for char in chars]
    if not branches:
        return ""
    optional = "?" if _END in node else ""
    return branches[0] if len(branches) == 1 and not optional else f"(?:{'|'.join(branches)}){optional}"
