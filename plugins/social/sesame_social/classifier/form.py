"""What a post looks like apart from its words: figures and capitals. No length: long is not bad."""

import numpy as np

from sesame_social.classifier.arrays import Floats, Ints
from sesame_social.classifier.folding import DIGIT, HAN, LETTER, Folded, sorts

#: A column each: at least so many digits, then at least this share of capitals.
DIGITS = (1, 4, 9)
CAPITALS = (0.1, 0.3, 0.6)
COLUMNS = len(DIGITS) + len(CAPITALS)


def form(folded: Folded) -> Floats:
    """One row a post of zeros and ones, `COLUMNS` wide."""
    digits = counted(folded, DIGIT)
    share = folded.capitals / np.maximum(np.diff(folded.posts) - 1, 8)
    rows = [digits >= least for least in DIGITS] + [share >= least for least in CAPITALS]
    return np.array(rows, dtype=np.float64).T


def scripts(folded: Folded) -> tuple[Ints, Ints]:
    """How many letters and how many Han characters each post has."""
    return counted(folded, LETTER), counted(folded, HAN)


def counted(folded: Folded, sort: int) -> Ints:
    """How many units of a sort each post has."""
    places = np.flatnonzero(sorts()[folded.units] == sort)
    made: Ints = np.diff(np.searchsorted(places, folded.posts))
    return made
