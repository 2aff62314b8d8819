"""The lexical check: does a text speak of what its declaration leaves out?

What it sees: the words of `words`, in English and Chinese, whole words only, through capitals,
full-width forms, accents, look-alike letters, zero-width characters, digits for letters, and words
cut in two or spelled out. What it cannot see: other languages, euphemisms, and a lie that uses none
of the words. It stands behind the declaration, and does not replace it.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

from sesame_sdk.guard.words import BODIES, CHINESE, ENGLISH, INNOCENT, STANCE, Topic

_TOKEN = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_SPELLED_OUT = re.compile(r"(?<!\S)[a-z](?: [a-z]){2,}(?!\S)")
#: Cyrillic and Greek letters that look like Latin ones.
_LOOKALIKES = str.maketrans("авекмнорстухіјѕԁɡαεικνορτυχ", "abekmhopctyxijsdgaeiknoptux")
_DIGITS = str.maketrans("013457", "oieast")
_FEW_WORDS = r"(?: [a-z]+){0,5}? "


def _alternatives(entries: str) -> str:
    phrases = [" ".join(entry.split()) for entry in entries.split(";")]
    return "|".join(phrase.replace("*", "[a-z]*") for phrase in phrases)


def _whole_words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)(?:{pattern})(?!\S)")


_STANCE, _BODIES = (f"(?:{_alternatives(entries)})(?:e?s)?" for entries in (STANCE, BODIES))
_INNOCENT = _whole_words(f"(?:{_alternatives(INNOCENT)})s?")
_ENGLISH = {topic: _whole_words(f"(?:{_alternatives(words)})(?:e?s)?") for topic, words in ENGLISH.items()}
_CHINESE = {topic: re.compile("|".join(words.split())) for topic, words in CHINESE.items()}
_STANCE_ON_A_BODY = _whole_words(f"{_STANCE}{_FEW_WORDS}{_BODIES}|{_BODIES}{_FEW_WORDS}{_STANCE}")


@lru_cache(maxsize=2048)
def mentioned(topic: Topic, text: str) -> str:
    """The first words of `text` that are about `topic`, or an empty string."""
    words = tokens(text)
    plain = _INNOCENT.sub("…", " ".join(words))
    found = _ENGLISH[topic].search(_variants(plain)) or _CHINESE[topic].search("".join(words))
    if not found and topic is Topic.POLITICS:
        found = _STANCE_ON_A_BODY.search(plain)
    return found[0] if found else ""


def tokens(text: str) -> list[str]:
    """The words of `text`, folded so that two spellings that look alike are equal."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(letter for letter in folded if unicodedata.category(letter) not in {"Mn", "Cf"})
    return _TOKEN.findall(kept.translate(_LOOKALIKES))


def _variants(plain: str) -> str:
    """`plain`, and after it what it may be hiding: cut words joined, digits read as letters."""
    words = plain.split()
    joined = [first + second for first, second in pairwise(words)]
    spelled = [found[0].replace(" ", "") for found in _SPELLED_OUT.finditer(plain)]
    lettered = [word.translate(_DIGITS) for word in words if not word.isdigit()]
    # The dots keep phrases from forming across the parts.
    return " … ".join((plain, " … ".join(joined), " ".join(spelled), " ".join(lettered)))
