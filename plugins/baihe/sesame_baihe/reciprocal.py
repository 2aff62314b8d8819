"""Both sides' interest as one relevance: a match needs two.

The harmonic mean is that of RECON: it is high only where both sides are, and 0 where either is. The
geometric mean forgives a gap a little more. Both are symmetric, so the two people of a pair see the same
figure, and both lie between the two interests.

Source of the harmonic mean: Pizzato et al. 2010, RECON: a reciprocal recommender for online dating
(RecSys).
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from sesame_baihe.score_blend import column, within_bounds
from sesame_baihe.top_k import Values
from sesame_sdk import InvalidInputError

Mean = Literal["harmonic", "geometric"]
_MEANS = ("harmonic", "geometric")


def both_ways(relevance: ArrayLike, in_return: ArrayLike, mean: Mean = "harmonic") -> Values:
    """(N,) the mean of both directions, 0 to 1.

    Args:
        relevance: how well each candidate fits the member, 0 to 1.
        in_return: how well the member fits each candidate, 0 to 1.
        mean: which one.

    Raises:
        InvalidInputError: a value is out of its bounds; names the argument.
    """
    there, back = _share(relevance, "relevance"), _share(in_return, "in_return")
    if len(there) != len(back):
        raise InvalidInputError(f"must be one a candidate: {len(there)}, not {len(back)}", field="in_return")
    if mean not in _MEANS:
        raise InvalidInputError(f"must be one of {', '.join(_MEANS)}", field="mean")
    if mean == "geometric":
        together = np.sqrt(there) * np.sqrt(back)  # the product of two small numbers would be 0 too soon
    else:
        both = there + back
        low = np.minimum(there, back)
        # 2ab/(a+b), without the product
        together = np.divide(2 * np.maximum(there, back), both, out=np.zeros(len(both)), where=both > 0) * low
    held: Values = np.clip(together, np.minimum(there, back), np.maximum(there, back))
    return held


def _share(values: ArrayLike, name: str) -> Values:
    found = column(values, name)
    if not within_bounds(found):
        raise InvalidInputError("must lie between 0 and 1", field=name)
    return found
