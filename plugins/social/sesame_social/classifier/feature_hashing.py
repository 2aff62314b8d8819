"""Hashes the features of texts: n-grams of units, words and pairs of words, without a loop over posts.

Hashes are polynomials modulo 2^64 (Karp and Rabin, 1987): a cumulative sum gives the hash of any span by one
subtraction. The high bits are used, since the low bits of such a sum mix badly.
"""

from functools import cache

import numpy as np
from attrs import frozen

from sesame_social.classifier.normalize import (
    DIGIT,
    LETTER,
    Bools,
    Buckets,
    Hashes,
    Ints,
    NormalizedText,
    Units,
    character_classes,
)

#: The longest n-gram of units that is a feature.
MAX_NGRAM = 4
_BASE = 0x9E3779B97F4A7C15
_SPREAD = np.uint64(0xD6E8FEB86659FD93)
_PAIR = np.uint64(0xA0761D6478BD642F)
_WORD = np.uint64(0xE7037ED1A0B428DB)
_NGRAM_BASE = np.uint32(0x01000193)
_NGRAM_SPREAD = np.uint32(0x9E3779B1)


@frozen
class HashedWords:
    """The words of a batch: begin, end and hash."""

    begins: Ints
    ends: Ints
    hashes: Hashes


@frozen
class HashedFeatures:
    """The features of a batch: `buckets[i]` belongs to the post that `posts[i]` counts.

    Attributes:
        ngrams: for each length, the buckets of the n-grams that begin at each unit; an n-gram that leaves
            its post has bucket 0, whose weight is always 0.
        words: buckets of words and of pairs of words.
        word_posts: index of the post of each entry of `words`.
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
    inverse = pow(_BASE, -1, 1 << 64)
    ones = np.ones(size, dtype=np.uint64)
    result = []
    for base in (_BASE, inverse):
        ones[1:] = base
        result.append(np.cumprod(ones, dtype=np.uint64))
    return result[0], result[1]


def hash_words(units: Units, sums: RollingHash) -> HashedWords:
    """Find and hash words: runs of letters and digits."""
    classes = character_classes()[units]
    inside: Bools = (classes == LETTER) | (classes == DIGIT)
    edges = np.diff(inside.astype(np.int8))
    begins, ends = np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1
    return HashedWords(begins, ends, sums.hash_spans(begins, ends))


def hash_features(text: NormalizedText, bits: int) -> HashedFeatures:
    """Hash all n-grams, words and pairs of words into buckets of `bits` bits."""
    words = hash_words(text.units, RollingHash(text.units))
    post = np.searchsorted(text.starts, words.begins, side="right") - 1
    together = post[1:] == post[:-1]
    pairs = (words.hashes[:-1] * _PAIR + words.hashes[1:])[together] * _SPREAD
    hashes = np.concatenate((words.hashes * _WORD, pairs))
    buckets = (hashes >> np.uint64(64 - bits)).astype(np.uint32)
    return HashedFeatures(
        tuple(_hash_ngrams(text.units, bits)), buckets, np.concatenate((post, post[1:][together]))
    )


def _hash_ngrams(units: Units, bits: int) -> list[Buckets]:
    values = (units.astype(np.uint32) + np.uint32(0x9D)) * np.uint32(0x85EBCA6B)
    values ^= values >> np.uint32(15)
    outside = units == 0
    rolling, leaving = values.copy(), outside.copy()
    result = []
    for length in range(1, MAX_NGRAM + 1):
        buckets = (rolling * _NGRAM_SPREAD) >> np.uint32(32 - bits)
        buckets[leaving] = 0
        result.append(buckets)
        rolling[:-length] = rolling[:-length] * _NGRAM_BASE + values[length:]
        leaving[:-length] |= outside[length:]
        leaving[-length:] = True
    return result
