"""What spam is made of, and where it stands: a call, whose it is, what is shown, a gain, a link, a number.

Runs of letters know ``subscribe to my channel`` only if it was learned; that somebody is called to look at
something of the writer's own holds for words that no data have. Tags name no institution and no side.
"""

import numpy as np
from attrs import frozen

from sesame_social.classifier.array_types import Ints, Units
from sesame_social.classifier.feature_hashing import Words
from sesame_social.classifier.normalize import LETTER, sorts

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


def tags(begins: Ints, signs: Units, posts: Ints) -> Tags:
    """From phrases found, the longest first: of those that begin at one unit, the longest counts."""
    marked = np.flatnonzero(signs >= TAGS[0])
    places, first = np.unique(begins[marked], return_index=True)
    kept = marked[first]
    return Tags(places, signs[kept].astype(np.int64) - TAGS[0], posts[kept])


def unlisted(units: Units, spoken: Words) -> tuple[Ints, Ints, Units]:
    """Amounts of money (a gain), long numbers, ends of domains: where each begins and ends, its sign."""
    length = spoken.ends - spoken.begins
    number = units[spoken.begins] == _ZERO
    money = number & np.isin(units[spoken.begins - 1], _MONEY)
    long = number & (length >= _LONG) & (units[spoken.ends - 1] == _ZERO)
    domain = ~number & (units[spoken.begins - 1] == _DOT) & (length >= _SHORTEST) & (length <= _LONGEST)
    domain &= sorts()[units[spoken.begins - 2]] == LETTER
    domain[1:] &= length[:-1] > _SHORTEST
    found = money | long | domain
    signs = np.select([money, long], [GAIN, NUMBER], DOMAIN).astype(np.uint16)
    return spoken.begins[found], spoken.ends[found], signs[found]
