"""Says which posts are English or Chinese; the classifier does not judge any other.

Rules:
1. The script decides first: a post mostly in Han is Chinese unless it has kana, one mostly in Latin letters
   may be English, any other is of another language.
2. In Latin letters, frequent short words decide: a post is of another language if it has more of the words of
   one such language than of English. A post with none of either, such as a name or slang, counts as English.
3. A post without letters, such as numbers and emoji, counts as English.
"""

from functools import cache
from importlib.resources import files

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from sesame_social.classifier.features import HashedWords, RollingHash, count_units, hash_words
from sesame_social.classifier.normalize import (
    HAN,
    LETTER,
    Bools,
    Bytes,
    Hashes,
    NormalizedText,
    character_classes,
    normalize,
)

#: Values of `detect_languages`; the empty one is of another language.
ENGLISH, CHINESE, OTHER = "en", "zh", ""
LATIN, HAN_SCRIPT, KANA, OTHER_SCRIPT = 1, 2, 3, 4
_LAST_LATIN = 0x250
#: A post in Latin letters has at least so many foreign words that are not English words too.
_MIN_FOREIGN = 2
_KANA = slice(0x3041, 0x3100)
_HANGUL, _JAMO, _HALF_KANA = slice(0xAC00, 0xD7B0), slice(0x3130, 0x3190), slice(0xFF66, 0xFFA0)


@frozen(eq=False)
class _WordTable:
    """Frequent words, by sorted hash: whether each is English, each other language, or a single letter."""

    hashes: Hashes
    english: Bools
    others: Bools
    letters: Bools


def detect_languages(text: NormalizedText) -> NDArray[np.str_]:
    """The language of each post: `ENGLISH`, `CHINESE` or `OTHER`."""
    scripts = _script_table()[text.units]
    latin, han, kana, other = (
        count_units(text, scripts == script) for script in (LATIN, HAN_SCRIPT, KANA, OTHER_SCRIPT)
    )
    japanese = (kana >= 3) & (kana * 6 > han)
    chinese = (han >= 1) & (2 * han >= latin) & (han >= other) & ~japanese
    english = ~chinese & ~japanese & (latin >= other) & (latin >= kana)
    if english.any():
        english &= ~_has_foreign_words(text)
    return np.select([chinese, english], [CHINESE, ENGLISH], OTHER)


def _has_foreign_words(text: NormalizedText) -> Bools:
    table = _word_table()
    words: HashedWords = hash_words(text.units, RollingHash(text.units))
    at = np.minimum(np.searchsorted(table.hashes, words.hashes), len(table.hashes) - 1)
    known = np.flatnonzero(table.hashes[at] == words.hashes)
    post = np.searchsorted(text.starts, words.begins[known], side="right") - 1
    size = len(text.starts) - 1
    pairs = np.unique(post * len(table.hashes) + at[known])  # a repeated word counts once
    post, at = np.divmod(pairs, len(table.hashes))
    english = np.bincount(post, table.english[at], minlength=size)
    other = ~(table.english | table.letters)[at]
    foreign = np.zeros((size, table.others.shape[1]), dtype=np.int64)
    certain = np.bincount(post[other], minlength=size)
    np.add.at(foreign, post, table.others[at])
    result: Bools = (certain >= _MIN_FOREIGN) & (foreign.max(axis=1) > english)
    return result


@cache
def _word_table() -> _WordTable:
    lines = (files(__package__) / "words" / "languages.txt").read_text("utf-8").splitlines()
    lists = [line.partition(": ")[2].split(", ") for line in lines if not line.startswith("#")]
    words = sorted({word for each in lists for word in each})
    text = normalize([" ".join(words)])
    hashes = hash_words(text.units, RollingHash(text.units)).hashes
    order = np.argsort(hashes)
    members = np.array([[words[at] in each for each in map(set, lists)] for at in order])
    letters = np.array([len(words[at]) == 1 for at in order])
    return _WordTable(hashes[order], members[:, 0], members[:, 1:], letters)


@cache
def _script_table() -> Bytes:
    """The script of each normalized unit; 0 if it is no letter."""
    classes = character_classes()
    table = np.zeros(1 << 16, dtype=np.uint8)
    letters = np.flatnonzero(classes == LETTER)
    table[letters] = np.where(letters < _LAST_LATIN, LATIN, OTHER_SCRIPT)
    table[classes == HAN] = HAN_SCRIPT
    for block in (_KANA, _HALF_KANA):
        table[block] = KANA
    for block in (_HANGUL, _JAMO):
        table[block] = OTHER_SCRIPT
    table[ord("_")] = 0
    table.setflags(write=False)
    return table
