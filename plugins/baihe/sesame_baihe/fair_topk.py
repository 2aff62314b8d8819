"""FA*IR: every top of the ranking holds at least as many of a group as chance would put there.

Rules:
1. The site states which profiles are of the group, for its own audit and on a legal ground of its own.
   Membership is never inferred, never sent, and never part of a score.
2. Within the group, and within the others, the order does not change.
3. A profile is moved up only if a top would otherwise hold too few.
4. If the group has no more profiles, the rule cannot hold; the result states from which rank on.

Source: Zehlike et al. 2017, FA*IR: a fair top-k ranking algorithm, algorithm 2.
"""

from collections.abc import Collection, Sequence
from itertools import chain

from attrs import evolve, field, frozen

from sesame_baihe.result import FairnessResult
from sesame_sdk import InvalidInputError, adjusted_alpha, fa_ir_table

#: Ranks that the rule covers; the order below them does not change.
MAX_PLACES = 1_000


@frozen
class FairnessRule:
    """The rule, as a site sets it.

    Attributes:
        group: the candidates of the group; other names are ignored.
        share: of the group that every top is held to, 0 to 1; its share of the candidates by default.
        alpha: probability that the rule changes a ranking that is fair already.
        adjusted: bound the probability over all tops together by `alpha`, and not that of each.
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

    def requirements(self, places: int, members: int, candidates: int) -> FairnessResult:
        """What a ranking of so many places requires, before a profile is moved."""
        share = members / candidates if self.share is None else self.share
        alpha = adjusted_alpha(places, share, self.alpha) if self.adjusted else self.alpha
        return FairnessResult(share, alpha, tuple(fa_ir_table(places, share, alpha).tolist()), None, 0)


@frozen
class FairRanking:
    """A ranking under the rule: indices, best first, and those of them that it moved up."""

    order: tuple[int, ...]
    moved_up: frozenset[int]
    fairness: FairnessResult


def apply_rule(order: Sequence[int], members: Sequence[int], rule: FairnessResult) -> FairRanking:
    """Take the best of all, or the best of the group if a top would otherwise hold too few of it.

    Both are best first, and at least as many as the rule has places; `members` may also be the whole group.
    """
    group, taken = frozenset(members), dict[int, None]()
    fails_at, count = None, 0
    best, best_members = iter(order), iter(members)
    for place, required in enumerate(rule.required, start=1):
        queues = (best_members, best) if count < required else (best,)
        chosen = next(at for at in chain(*queues) if at not in taken)
        taken[chosen] = None
        count += chosen in group
        if count < required and fails_at is None:
            fails_at = place
    before = {at: place for place, at in enumerate(order)}
    moved_up = frozenset(at for place, at in enumerate(taken) if before.get(at, len(order)) > place)
    taken |= dict.fromkeys(order)
    fairness = evolve(rule, fails_at=fails_at, moved_up=len(moved_up))
    return FairRanking(tuple(taken)[: len(order)], moved_up, fairness)
