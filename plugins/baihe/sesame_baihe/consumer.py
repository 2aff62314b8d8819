"""What Baihe does with scores: one member's candidates, ranked for that member.

Not a list of people by score: only the candidates that are given are ranked, for whoever looks for a
match, and the same order without the score stands beside it. The context is matchmaking. What people did
elsewhere can only have raised their score, and only where their grant to this reader names that crossing:
the hub's policy and its guard (rule CTX-1) see to that, and the answer says so.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from sesame_baihe.result import Ranked
from sesame_sdk import ConsumerDeclaration, InvalidInputError, Ranking, Score, ScoreConsumer, Terms

if TYPE_CHECKING:
    from sesame_baihe.candidate_pool import Pool
    from sesame_baihe.fair_topk import Fair
    from sesame_baihe.score_blend import Mean
    from sesame_baihe.top_k import Values

PURPOSE = "urn:sesame-sdk:purpose:MatchmakingRanking"
CONTEXT = "matchmaking"
#: As the matchmaking policy in `examples/` has it.
SCORE_RANGE = (350.0, 950.0)
SCORE_WEIGHT = 0.3
#: What members are told, and the order that they may always choose instead.
TERMS = Terms(ranking=Ranking(parameters=("relevance", "score"), other_order="relevance alone"))


@frozen
class Candidates:
    """Whom to rank for one member.

    Attributes:
        profiles: the site's own pseudonyms, each once; or a pool of them.
        relevance: how well each fits the member, 0 to 1; in the same order. An array will do.
        score_weight: share of the score in the blend, 0 to 0.5.
        score_range: lowest and highest score that the policy gives.
        top: how many of the best to return; all by default.
        member: who looks, by any name that stays the same; decides among equals and nothing else.
        in_return: how well the member fits each, 0 to 1; then relevance is the mean of both ways.
        mean: which mean: harmonic or geometric.
        fair: a fairness rule over a group that the site names.
    """

    profiles: "tuple[str, ...] | Pool"
    relevance: "Sequence[float] | Values"
    score_weight: float = SCORE_WEIGHT
    score_range: tuple[float, float] = SCORE_RANGE
    top: int | None = None
    member: str = ""
    in_return: "Sequence[float] | Values | None" = None
    mean: "Mean" = "harmonic"
    fair: "Fair | None" = None

    def __attrs_post_init__(self) -> None:
        if len(self.profiles) != len(self.relevance):
            raise InvalidInputError("must be one a profile", field="relevance")
        if self.in_return is not None and len(self.in_return) != len(self.profiles):
            raise InvalidInputError("must be one a profile", field="in_return")
        # A pool has looked at that.
        if isinstance(self.profiles, tuple) and len(set(self.profiles)) != len(self.profiles):
            raise InvalidInputError("must not name anybody twice", field="profiles")


class Matchmaking(ScoreConsumer[Candidates, Ranked]):
    """Ranks profiles. Nobody without a score is worse off for it; see `sesame_baihe.ranking`."""

    declaration: ClassVar[ConsumerDeclaration] = ConsumerDeclaration("baihe", PURPOSE, CONTEXT, TERMS)

    def subjects(self, request: Candidates) -> tuple[str, ...]:
        """All candidates."""
        return tuple(request.profiles)

    def use(self, request: Candidates, scores: Mapping[str, Score | None]) -> Ranked:
        """Rank them.

        Raises:
            InvalidInputError: a relevance, the weight or the range is out of bounds.
        """
        from sesame_baihe.ranking import rank_request

        return rank_request(request, scores)
