"""Features of texts: hashed n-grams, words and pairs of words, and surface features. No loop is over posts.

N-grams do not cross a blank. A sign in place of a name (`SIGNS`) is a word, so that ``I hate`` and ``hate
NAME`` are pairs. Words one apart are pairs as well (``not a NAME``), and a word of four letters or more also
counts by its letters in any order, so that two swapped ones matter little.

Hashes are polynomials modulo 2^64 (Karp and Rabin, 1987): a cumulative sum gives the hash of any span by one
subtraction. The high bits are used, since the low bits of such a sum mix badly.

Surface features are digits, capitals, coarse words and the tags of spam; the length of a post is no feature.
Tags are what spam is made of: a call to act, whose thing it is, media, a gain, a link, a number. N-grams know
``subscribe to my channel`` only from training data; tags detect such a call in other words too. They name no
institution and no side.
"""

from functools import cache

import numpy as np
from attrs import frozen

from sesame_social.classifier.normalize import (
    DIGIT,
    LETTER,
    Bools,
    Buckets,
    Floats,
    Hashes,
    Ints,
    NormalizedText,
    Units,
    character_classes,
)

#: The longest n-gram of units that is a feature.
MAX_NGRAM = 3
#: Private-use characters that stand for a name: of a thing, and of people.
SIGNS = THING, PEOPLE = 0xE001, 0xE002
#: Private-use character at both ends of a quotation.
QUOTATION = 0xE003
#: A word of so many units is hashed by its letters in any order too.
_MIN_SHUFFLED = 4
_BASE = 0x9E3779B97F4A7C15
_SPREAD = np.uint64(0xD6E8FEB86659FD93)
_PAIR = np.uint64(0xA0761D6478BD642F)
_WORD = np.uint64(0xE7037ED1A0B428DB)
_APART = np.uint64(0x589965CC75374CC3)
_FIRST_LETTER = np.uint64(0x94D049BB133111EB)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_NGRAM_BASE = np.uint32(0x01000193)
_NGRAM_SPREAD = np.uint32(0x9E3779B1)
#: Tags of phrases, then of patterns. Private-use characters, as in `entity_masking`.
TAGS = CALL, MINE, MEDIA, GAIN, LINK, MOMENT, NUMBER, DOMAIN = tuple(range(0xE020, 0xE028))
_MIN_PHONE_DIGITS = 5
#: Letters of a top-level domain, such as ``.org`` after a word.
_MIN_DOMAIN, _MAX_DOMAIN = 2, 3
_ZERO, _DOT = ord("0"), ord(".")
_MONEY = np.array([ord(sign) for sign in "$£€¥"], dtype=np.uint16)
#: Columns: at least so many digits, then at least this share of capitals.
DIGITS = (1, 4, 9)
CAPITALS = (0.1, 0.3, 0.6)
#: Column: the post has no coarse word.
NO_COARSE_WORD = len(DIGITS) + len(CAPITALS)
_FIRST_TAG = NO_COARSE_WORD + 1
COLUMNS = _FIRST_TAG + len(TAGS) + len(TAGS) ** 2
#: Two tags are a pair if they are at most so many tags and so many units apart.
_MAX_TAGS_APART, _MAX_UNITS_APART = 3, 30


@frozen
class HashedWords:
    """The words of a batch: begin, end and hash."""

    begins: Ints
    ends: Ints
    hashes: Hashes


@frozen
class HashedFeatures:
    """The features of a batch: buckets of n-grams, and buckets of words and pairs of words, with their posts.

    The two are of equal importance, whatever their numbers: the sums of each are divided by the root of its
    `count_features`.

    `ngrams` has, for each length, the bucket of the n-gram that begins at each unit; if it leaves the post,
    that is bucket 0, whose weight is always 0.
    """

    ngrams: tuple[Buckets, ...]
    words: Buckets
    word_posts: Ints


class RollingHash:
    """Cumulative sums over a batch, for the hash of any span of it."""

    def __init__(self, units: Units) -> None:
        powers, self._inverse = _powers(1 << max(16, len(units).bit_length()))
        values = units.astype(np.uint64) + np.uint64(0x1F)
        self._sums = np.zeros(len(units) + 1, dtype=np.uint64)
        np.cumsum(values * powers[: len(units)], out=self._sums[1:])

    def hash_spans(self, begins: Ints, ends: Ints) -> Hashes:
        """Hash spans; equal units have equal hashes at any position."""
        result: Hashes = (self._sums[ends] - self._sums[begins]) * self._inverse[begins] * _SPREAD
        return result


@cache
def _powers(size: int) -> tuple[Hashes, Hashes]:
    powers = np.ones((2, size), dtype=np.uint64)
    powers[:, 1:] = [[_BASE], [pow(_BASE, -1, 1 << 64)]]
    np.cumprod(powers, axis=1, out=powers)
    return powers[0], powers[1]


def hash_words(units: Units, sums: RollingHash) -> HashedWords:
    """Find and hash words: runs of letters and digits."""
    classes = character_classes()[units]
    inside: Bools = (classes == LETTER) | (classes == DIGIT)
    edges = np.diff(inside.astype(np.int8))
    begins, ends = np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1
    return HashedWords(begins, ends, sums.hash_spans(begins, ends))


def hash_features(text: NormalizedText, bits: int) -> HashedFeatures:
    """Hash all n-grams, words and pairs of words into buckets of `bits` bits."""
    words = _hash_words_and_signs(text.units)
    post = np.searchsorted(text.starts, words.begins, side="right") - 1
    hashes, posts = [words.hashes * _WORD], [post]
    for apart, factor in ((1, _PAIR), (2, _APART)):
        together = post[apart:] == post[:-apart]
        hashes.append((words.hashes[:-apart] * factor + words.hashes[apart:])[together] * _SPREAD)
        posts.append(post[apart:][together])
    long = words.ends - words.begins >= _MIN_SHUFFLED
    hashes.append(_hash_letters(text.units, words.begins[long], words.ends[long]))
    posts.append(post[long])
    buckets = (np.concatenate(hashes) >> np.uint64(64 - bits)).astype(np.uint32)
    return HashedFeatures(tuple(_hash_ngrams(text.units, bits)), buckets, np.concatenate(posts))


def _hash_words_and_signs(units: Units) -> HashedWords:
    sums = RollingHash(units)
    words, signs = hash_words(units, sums), np.flatnonzero((units == THING) | (units == PEOPLE))
    begins, ends = np.concatenate((words.begins, signs)), np.concatenate((words.ends, signs + 1))
    order = np.argsort(begins, kind="stable")
    return HashedWords(begins[order], ends[order], sums.hash_spans(begins, ends)[order])


def _hash_letters(units: Units, begins: Ints, ends: Ints) -> Hashes:
    """Hash spans by their first unit and by all of them in any order."""
    values = (units.astype(np.uint64) + np.uint64(1)) * np.uint64(_BASE)
    values = (values ^ (values >> np.uint64(29))) * _MIX
    sums = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(values)))
    first = units[begins].astype(np.uint64) * _FIRST_LETTER
    result: Hashes = (sums[ends] - sums[begins] + first) * _SPREAD * _SPREAD
    return result


def count_features(features: HashedFeatures, text: NormalizedText) -> tuple[Ints, Ints]:
    """Count the n-grams, blanks or not, and the words and pairs of words of each post; 1 at least."""
    length: Ints = np.diff(text.starts) - 1
    words = np.bincount(features.word_posts, minlength=len(length))
    return np.maximum(length * MAX_NGRAM, 1), np.maximum(words, 1)


def hash_single_words(text: NormalizedText, bits: int) -> tuple[Ints, Ints]:
    """The bucket of each word, and its post."""
    words = hash_words(text.units, RollingHash(text.units))
    posts = np.searchsorted(text.starts, words.begins, side="right") - 1
    return ((words.hashes * _WORD) >> np.uint64(64 - bits)).astype(np.int64), posts.astype(np.int64)


def _hash_ngrams(units: Units, bits: int) -> list[Buckets]:
    values = (units.astype(np.uint32) + np.uint32(0x9D)) * np.uint32(0x85EBCA6B)
    values ^= values >> np.uint32(15)
    outside, blank = units == 0, units == ord(" ")
    rolling, leaving = values.copy(), outside.copy()
    result = []
    for length in range(1, MAX_NGRAM + 1):
        buckets = (rolling * _NGRAM_SPREAD) >> np.uint32(32 - bits)
        buckets[leaving] = 0
        result.append(buckets)
        rolling[:-length] = rolling[:-length] * _NGRAM_BASE + values[length:]
        leaving[:-length] |= outside[length:]
        leaving[-length:] = True
        if length > 1:  # the last unit so far is now within the n-gram
            leaving[: 1 - length] |= blank[length - 1 :]
    return result


@frozen(eq=False)
class Tags:
    """The tags of a batch, in order: first unit before masking, index in `TAGS`, and index of the post."""

    begins: Ints
    kinds: Ints
    posts: Ints


def select_tags(begins: Ints, signs: Units, posts: Ints) -> Tags:
    """Select the tags among phrases, longest first: of those that begin at one unit, the longest counts."""
    tagged = np.flatnonzero(signs >= TAGS[0])
    places, first = np.unique(begins[tagged], return_index=True)
    longest = tagged[first]
    return Tags(places, signs[longest].astype(np.int64) - TAGS[0], posts[longest])


def find_patterns(units: Units, words: HashedWords) -> tuple[Ints, Ints, Units]:
    """Find amounts of money (a gain), long numbers and domains: begin, end and tag of each."""
    length = words.ends - words.begins
    number = units[words.begins] == _ZERO
    money = number & np.isin(units[words.begins - 1], _MONEY)
    long = number & (length >= _MIN_PHONE_DIGITS) & (units[words.ends - 1] == _ZERO)
    domain = ~number & (units[words.begins - 1] == _DOT) & (length >= _MIN_DOMAIN) & (length <= _MAX_DOMAIN)
    domain &= character_classes()[units[words.begins - 2]] == LETTER
    domain[1:] &= length[:-1] > _MIN_DOMAIN
    matched = money | long | domain
    signs = np.select([money, long], [GAIN, NUMBER], DOMAIN).astype(np.uint16)
    return words.begins[matched], words.ends[matched], signs[matched]


def surface_features(text: NormalizedText, tags: Tags, coarse: Bools) -> Floats:
    """(N, `COLUMNS`) zeros and ones: the surface features of each post.

    The columns are digits, capitals, the absence of coarse words, each tag, and each pair of tags. Nearly all
    known abuse has a coarse word, and few other posts do: without that column the heads would learn that all
    n-grams of the others are harmless.
    """
    digits = count_units(text, character_classes()[text.units] == DIGIT)
    capitals = text.capitals / np.maximum(np.diff(text.starts) - 1, 8)
    features = np.zeros((len(text.starts) - 1, COLUMNS))
    columns = [digits >= minimum for minimum in DIGITS]
    columns += [capitals >= minimum for minimum in CAPITALS] + [~coarse]
    features[:, :_FIRST_TAG] = np.array(columns).T
    features[tags.posts, _FIRST_TAG + tags.kinds] = 1
    for apart in range(1, _MAX_TAGS_APART + 1):
        near = tags.begins[apart:] - tags.begins[:-apart] <= _MAX_UNITS_APART
        near &= tags.posts[apart:] == tags.posts[:-apart]
        pairs = tags.kinds[:-apart] * len(TAGS) + tags.kinds[apart:]
        features[tags.posts[apart:][near], _FIRST_TAG + len(TAGS) + pairs[near]] = 1
    return features


def count_units(text: NormalizedText, selected: Bools) -> Ints:
    """Count the selected units in each post."""
    places = np.flatnonzero(selected)
    counts: Ints = np.diff(np.searchsorted(places, text.starts))
    return counts
