"""What a post looks like as a whole: figures, capitals, any coarse word, tags. No length: long is not bad."""

import numpy as np

from sesame_social.classifier.array_types import Bools, Floats, Ints
from sesame_social.classifier.normalize import DIGIT, HAN, LETTER, Folded, sorts
from sesame_social.classifier.pattern_tags import TAGS, Tags

#: A column each: at least so many digits, then at least this share of capitals.
DIGITS = (1, 4, 9)
CAPITALS = (0.1, 0.3, 0.6)
#: Two tags are a pair if the later is one of the next so many, and begins within so many units.
_NEXT, _REACH = 3, 30
#: The column that says that no coarse word is there.
MILD = len(DIGITS) + len(CAPITALS)
_PLAIN = MILD + 1
COLUMNS = _PLAIN + len(TAGS) + len(TAGS) ** 2


def form(folded: Folded, tags: Tags, coarse: Bools) -> Floats:
    """One row a post of zeros and ones, `COLUMNS` wide: what it is made of.

    Figures, capitals, that no coarse word is in it, each tag, each pair of tags. Nearly all posts that are
    known as abuse have a coarse word, and few others do: without that column the heads would learn of the
    others that every letter of theirs is harmless.
    """
    digits = counted(folded, DIGIT)
    share = folded.capitals / np.maximum(np.diff(folded.posts) - 1, 8)
    made = np.zeros((len(folded.posts) - 1, COLUMNS))
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


def scripts(folded: Folded) -> tuple[Ints, Ints]:
    """How many letters and how many Han characters each post has."""
    return counted(folded, LETTER), counted(folded, HAN)


def counted(folded: Folded, sort: int) -> Ints:
    """How many units of a sort each post has."""
    places = np.flatnonzero(sorts()[folded.units] == sort)
    made: Ints = np.diff(np.searchsorted(places, folded.posts))
    return made
