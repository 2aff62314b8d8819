"""The score consumer of Baihe: it ranks one viewer's candidates, by the rules in `sesame_baihe.ranking`."""

from collections.abc import Mapping
from typing import ClassVar

from sesame_baihe.request import RankingRequest
from sesame_baihe.result import RankingResult
from sesame_sdk import ConsumerDeclaration, Ranking, Score, ScoreConsumer, Terms

PURPOSE = "urn:sesame-sdk:purpose:MatchmakingRanking"
CONTEXT = "matchmaking"
#: The parameters shown to members, and the order that they may choose instead.
TERMS = Terms(ranking=Ranking(parameters=("relevance", "score"), other_order="relevance alone"))


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
