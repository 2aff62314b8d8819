"""What Baihe does with scores: one member's candidates, ranked for that member.

Not a list of people by score: only the candidates that are given are ranked, for whoever looks for a
match, and the same order without the score stands beside it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from attrs import frozen

from sesame_sdk import ConsumerDeclaration, Ranking, Rejected, Score, ScoreConsumer, Terms

if TYPE_CHECKING:
    from sesame_baihe.ranking import Parameters

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
        profiles: the site's own pseudonyms, each once.
        relevance: how well each fits the member, 0 to 1; in the same order.
        score_weight: share of the score in the blend, 0 to 0.5.
        score_range: lowest and highest score that the policy gives.
        top: how many of the best to return; all by default.
    """

    profiles: tuple[str, ...]
    relevance: tuple[float, ...]
    score_weight: float = SCORE_WEIGHT
    score_range: tuple[float, float] = SCORE_RANGE
    top: int | None = None

    def __attrs_post_init__(self) -> None:
        if len(self.profiles) != len(self.relevance):
            raise Rejected("must be one a profile", field="relevance")
        if len(set(self.profiles)) != len(self.profiles):
            raise Rejected("must not name anybody twice", field="profiles")


@frozen
class Place:
    """One candidate's place.

    Attributes:
        profile: the site's own pseudonym.
        relevance: as given.
        score: points; None for no score.
        blended: what decided the place, 0 to 1.
    """

    profile: str
    relevance: float
    score: float | None
    blended: float


@frozen
class Ranked:
    """The answer for one member.

    Attributes:
        places: best first.
        order_without_score: profiles by relevance alone, best first.
        parameters: what made the order; to be shown beside it.
    """

    places: tuple[Place, ...]
    order_without_score: tuple[str, ...]
    parameters: "Parameters"


class Matchmaking(ScoreConsumer[Candidates, Ranked]):
    """Ranks profiles. Nobody without a score is worse off for it; see `sesame_baihe.ranking`."""

    declaration: ClassVar[ConsumerDeclaration] = ConsumerDeclaration("baihe", PURPOSE, CONTEXT, TERMS)

    def subjects(self, request: Candidates) -> tuple[str, ...]:
        """All candidates."""
        return request.profiles

    def use(self, request: Candidates, scores: Mapping[str, Score | None]) -> Ranked:
        """Rank them.

        Raises:
            Rejected: a relevance, the weight or the range is out of bounds.
        """
        from sesame_baihe.ranking import rank

        found = [scores.get(profile) for profile in request.profiles]
        points = [None if score is None else score.points for score in found]
        made = rank(
            request.relevance,
            [float("nan") if value is None else value for value in points],
            score_weight=request.score_weight,
            score_range=request.score_range,
            top=request.top,
        )
        best = zip(made.order.tolist(), made.blended.tolist(), strict=True)
        return Ranked(
            places=tuple(
                Place(request.profiles[i], request.relevance[i], points[i], value) for i, value in best
            ),
            order_without_score=tuple(request.profiles[i] for i in made.order_without_score.tolist()),
            parameters=made.parameters,
        )
