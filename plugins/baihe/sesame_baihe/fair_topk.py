"""FA*IR: in every top of the ranking at least as many of a group as chance would put there.

Rules:
1. Whose profile is of the group is for the site to say, for its own audit and on a ground of its own.
   It is never inferred, never sent, and never part of what a score is made of.
2. Within the group, and within the others, nobody is moved past anybody.
3. Somebody is moved up only where a top would else hold too few.
4. Where the group has no more, the rule cannot hold; the answer says from which place on.

Source: Zehlike et al. 2017, FA*IR: a fair top-k ranking algorithm, algorithm 2.
"""

from collections.abc import Collection, Sequence
from itertools import chain

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from sesame_baihe.result import Fairness
from sesame_sdk import InvalidInputError, adjusted_alpha, fa_ir_table

#: Tops that are held to the rule; who stands further down stands as before.
MOST_PLACES = 1_000


@frozen
class Fair:
    """The rule, as a site sets it.

    Attributes:
        group: the candidates who are of the group; whoever is no candidate is passed over.
        share: of the group that every top is held to, 0 to 1; its share of the candidates by default.
        alpha: chance that a ranking which is fair by itself would be touched.
        adjusted: hold the chance over all tops together to `alpha`, and not only that of each.
    """

    group: Collection[str] = field(converter=frozenset)
    share: float | None = None
    alpha: float = 0.1
    adjusted: bool = True

    def __attrs_post_init__(self) -> None:
        if self.share is not None and not 0 <= self.share <= 1:
            raise InvalidInputError("must be 0 to 1", field="share")
        if not 0 <= self.alpha < 1:
            raise InvalidInputError("must be 0 to less than 1", field="alpha")

    def rule(self, places: int, members: int, candidates: int) -> Fairness:
        """What is needed in a ranking of so many places, before anybody was moved."""
        share = members / candidates if self.share is None else self.share
        alpha = adjusted_alpha(places, share, self.alpha) if self.adjusted else self.alpha
        return Fairness(share, alpha, tuple(fa_ir_table(places, share, alpha).tolist()), None, 0)


@frozen
class Merged:
    """A ranking under the rule.

    Attributes:
        order: places, best first.
        lifted: those of them that were moved up.
        fairness: what came of the rule.
    """

    order: tuple[int, ...]
    lifted: frozenset[int]
    fairness: Fairness


def merged(order: Sequence[int], members: Sequence[int], rule: Fairness) -> Merged:
    """Take the best of all, or the best of the group wherever a top would else hold too few of it.

    Args:
        order: the best of all, best first; at least as many as the rule has places.
        members: the best of the group, best first; as many as that, or the whole group.
        rule: what every top needs.
    """
    of_group, taken = frozenset(members), dict[int, None]()
    fails_at, held = None, 0
    everybody, own = iter(order), iter(members)
    for place, need in enumerate(rule.needed, start=1):
        queues = (own, everybody) if held < need else (everybody,)
        chosen = next(one for one in chain(*queues) if one not in taken)
        taken[chosen] = None
        held += chosen in of_group
        if held < need and fails_at is None:
            fails_at = place
    before = {one: place for place, one in enumerate(order)}
    lifted = frozenset(one for place, one in enumerate(taken) if before.get(one, len(order)) > place)
    taken |= dict.fromkeys(order)
    return Merged(tuple(taken)[: len(order)], lifted, evolve(rule, fails_at=fails_at, lifted=len(lifted)))


def flags(names: Sequence[str], fair: Fair) -> NDArray[np.bool_]:
    """(N,) whether each candidate is of the group."""
    return np.fromiter(map(fair.group.__contains__, names), dtype=np.bool_, count=len(names))
