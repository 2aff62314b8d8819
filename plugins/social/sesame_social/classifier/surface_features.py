"""What a post looks like as a whole: figures, capitals, any coarse word, tags. No length: long is not bad."""

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

#: Signs of phrases that are tags, then of what is seen without a list. Private use, as in `masking`.
TAGS = CALL, MINE, MEDIA, GAIN, LINK, MOMENT, NUMBER, DOMAIN = tuple(range(0xE020, 0xE028))
#: A number of so many digits is one to call.
_LONG = 5
#: Letters of a top-level domain: ``.org`` after a word.
_SHORTEST, _LONGEST = 2, 3
_ZERO, _DOT = ord("0"), ord(".")
_MONEY = np.array([ord(sign) for sign in "$£€¥"], dtype=np.uint16)


@frozen(eq=False)
class Tags:
    """The tags of a batch, in order.

    Attributes:
        begins: the unit at which each begins, before anything was masked.
        kinds: which of `TAGS` it is, from 0.
        posts: the post that each is in.
    """

    begins: Ints
    kinds: Ints
    posts: Ints


def select_tags(begins: Ints, signs: Units, posts: Ints) -> Tags:
    """From phrases found, the longest first: of those that begin at one unit, the longest counts."""
    marked = np.flatnonzero(signs >= TAGS[0])
    places, first = np.unique(begins[marked], return_index=True)
    kept = marked[first]
    return Tags(places, signs[kept].astype(np.int64) - TAGS[0], posts[kept])


def find_patterns(units: Units, spoken: HashedWords) -> tuple[Ints, Ints, Units]:
    """Amounts of money (a gain), long numbers, ends of domains: where each begins and ends, its sign."""
    length = spoken.ends - spoken.begins
    number = units[spoken.begins] == _ZERO
    money = number & np.isin(units[spoken.begins - 1], _MONEY)
    long = number & (length >= _LONG) & (units[spoken.ends - 1] == _ZERO)
    domain = ~number & (units[spoken.begins - 1] == _DOT) & (length >= _SHORTEST) & (length <= _LONGEST)
    domain &= character_classes()[units[spoken.begins - 2]] == LETTER
    domain[1:] &= length[:-1] > _SHORTEST
    found = money | long | domain
    signs = np.select([money, long], [GAIN, NUMBER], DOMAIN).astype(np.uint16)
    return spoken.begins[found], spoken.ends[found], signs[found]


#: A column each: at least so many digits, then at least this share of capitals.
DIGITS = (1, 4, 9)
CAPITALS = (0.1, 0.3, 0.6)
#: Two tags are a pair if the later is one of the next so many, and begins within so many units.
_NEXT, _REACH = 3, 30
#: The column that says that no coarse word is there.
MILD = len(DIGITS) + len(CAPITALS)
_PLAIN = MILD + 1
COLUMNS = _PLAIN + len(TAGS) + len(TAGS) ** 2


def surface_features(folded: NormalizedText, tags: Tags, coarse: Bools) -> Floats:
    """One row a post of zeros and ones, `COLUMNS` wide: what it is made of.

    Figures, capitals, that no coarse word is in it, each tag, each pair of tags. Nearly all posts that are
    known as abuse have a coarse word, and few others do: without that column the heads would learn of the
    others that every letter of theirs is harmless.
    """
    digits = count_characters(folded, DIGIT)
    share = folded.capitals / np.maximum(np.diff(folded.starts) - 1, 8)
    made = np.zeros((len(folded.starts) - 1, COLUMNS))
    plain = [digits >= least for least in DIGITS] + [share >= least for least in CAPITALS] + [~coarse]
    made[:, :_PLAIN] = np.array(plain).T
    made[tags.posts, _PLAIN + tags.kinds] = 1
    for ahead in range(1, _NEXT + 1):
        _pair(made[:, _PLAIN + len(TAGS) :], tags, ahead)
    return made


def _pair(made: Floats, tags: Tags, ahead: int) -> None:
    near = tags.begins[ahead:] - tags.begins[:-ahead] <= _REACH
    near &= tags.posts[ahead:] == tags.posts[:-ahead]
    pairs = tags.kinds[:-ahead] * len(TAGS) + tags.kinds[ahead:]
    made[tags.posts[ahead:][near], pairs[near]] = 1


def count_scripts(folded: NormalizedText) -> tuple[Ints, Ints]:
    """How many letters and how many Han characters each post has."""
    return count_characters(folded, LETTER), count_characters(folded, HAN)


def count_characters(folded: NormalizedText, sort: int) -> Ints:
    """How many units of a sort each post has."""
    places = np.flatnonzero(character_classes()[folded.units] == sort)
    made: Ints = np.diff(np.searchsorted(places, folded.starts))
    return made
