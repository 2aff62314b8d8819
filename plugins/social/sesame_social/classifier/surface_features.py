"""Surface features of a post: digits, capitals, coarse words and the tags of spam. Its length is no feature.

Tags are what spam is made of: a call to act, whose thing it is, media, a gain, a link, a number. N-grams know
``subscribe to my channel`` only from training data; tags detect such a call in other words too. They name no
institution and no side.
"""

import numpy as np
from attrs import frozen

from sesame_social.classifier.feature_hashing import HashedWords
from sesame_social.classifier.normalize import (
    DIGIT,
    HAN,
    LETTER,
    Bools,
    Floats,
    Ints,
    NormalizedText,
    Units,
    character_classes,
)

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


@frozen(eq=False)
class Tags:
    """The tags of a batch, in order.

    Attributes:
        begins: the unit at which each begins, before masking.
        kinds: index in `TAGS`.
        posts: index of its post.
    """

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
    digits = count_characters(text, DIGIT)
    capitals = text.capitals / np.maximum(np.diff(text.starts) - 1, 8)
    features = np.zeros((len(text.starts) - 1, COLUMNS))
    columns = [digits >= minimum for minimum in DIGITS]
    columns += [capitals >= minimum for minimum in CAPITALS] + [~coarse]
    features[:, :_FIRST_TAG] = np.array(columns).T
    features[tags.posts, _FIRST_TAG + tags.kinds] = 1
    for apart in range(1, _MAX_TAGS_APART + 1):
        _set_pairs(features[:, _FIRST_TAG + len(TAGS) :], tags, apart)
    return features


def _set_pairs(features: Floats, tags: Tags, apart: int) -> None:
    near = tags.begins[apart:] - tags.begins[:-apart] <= _MAX_UNITS_APART
    near &= tags.posts[apart:] == tags.posts[:-apart]
    pairs = tags.kinds[:-apart] * len(TAGS) + tags.kinds[apart:]
    features[tags.posts[apart:][near], pairs[near]] = 1


def count_scripts(text: NormalizedText) -> tuple[Ints, Ints]:
    """Count the letters and the Han characters of each post."""
    return count_characters(text, LETTER), count_characters(text, HAN)


def count_characters(text: NormalizedText, class_: int) -> Ints:
    """Count the units of a class in each post."""
    places = np.flatnonzero(character_classes()[text.units] == class_)
    counts: Ints = np.diff(np.searchsorted(places, text.starts))
    return counts
