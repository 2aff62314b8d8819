"""The score consumer of Baihe: it ranks one viewer's candidates, by the rules in `sesame_baihe.ranking`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from sesame_baihe.result import RankingResult
from sesame_sdk import ConsumerDeclaration, InvalidInputError, Ranking, Score, ScoreConsumer, Terms

if TYPE_CHECKING:
    from sesame_baihe.fair_topk import FairnessRule
    from sesame_baihe.score_blend import ReciprocalMean, Values
    from sesame_baihe.score_source import CandidatePool

PURPOSE = "urn:sesame-sdk:purpose:MatchmakingRanking"
CONTEXT = "matchmaking"
#: As in the matchmaking policy in `examples/`.
SCORE_RANGE = (350.0, 950.0)
SCORE_WEIGHT = 0.3
#: The parameters shown to members, and the order that they may choose instead.
TERMS = Terms(ranking=Ranking(parameters=("relevance", "score"), other_order="relevance alone"))


@frozen
class RankingRequest:
    """The candidates to rank for one viewer.

    Attributes:
        profiles: the site's pseudonyms, each once; or a `CandidatePool` of them.
        relevance: how well each fits the viewer, 0 to 1; in the same order.
        score_weight: share of the score in the blend, 0 to 0.5.
        score_range: lowest and highest score of the policy.
        top: how many of the best to return; all by default.
        viewer: the member who sees the ranking, by any stable name; it breaks ties and has no other effect.
        reciprocal_relevance: how well the viewer fits each; relevance is then the mean of both sides'.
        mean: which mean: harmonic or geometric.
        fairness_rule: for a group that the site names.
    """

    profiles: "tuple[str, ...] | CandidatePool"
    relevance: "Sequence[float] | Values"
    score_weight: float = SCORE_WEIGHT
    score_range: tuple[float, float] = SCORE_RANGE
    top: int | None = None
    viewer: str = ""
    reciprocal_relevance: "Sequence[float] | Values | None" = None
    mean: "ReciprocalMean" = "harmonic"
    fairness_rule: "FairnessRule | None" = None

    def __attrs_post_init__(self) -> None:
        for name in ("relevance", "reciprocal_relevance"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.profiles):
                raise InvalidInputError("must have one value for each profile", field=name)
        # A pool has no duplicates.
        if isinstance(self.profiles, tuple) and len(set(self.profiles)) != len(self.profiles):
            raise InvalidInputError("must not hold duplicates", field="profiles")


class Matchmaking(ScoreConsumer[RankingRequest, RankingResult]):
    """Ranks profiles. Having no score is no disadvantage; see `sesame_baihe.ranking`."""

    declaration: ClassVar[ConsumerDeclaration] = ConsumerDeclaration("baihe", PURPOSE, CONTEXT, TERMS)

    def subjects(self, request: RankingRequest) -> tuple[str, ...]:
        """All candidates."""
        return tuple(request.profiles)

    def use(self, request: RankingRequest, scores: Mapping[str, Score | None]) -> RankingResult:
        """Rank the candidates; a relevance, weight or range out of bounds is an InvalidInputError."""
        from sesame_baihe.ranking import rank_request

        return rank_request(request, scores)
