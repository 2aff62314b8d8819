"""The plugin keeps the SDK's contract."""

from sesame_baihe import RankingRequest, RankingResult

from sesame_sdk.testing import plugin_contract

EQUALS = RankingRequest(("a", "b", "c"), (0.5, 0.5, 0.5))
SEVERAL = RankingRequest(tuple("abcdefgh"), (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2), score_weight=0.5, top=3)


def benefit(answer: RankingResult, profile: str) -> float:
    """What decided a profile's place; below all who have one if it is not among the best."""
    return next((place.blended for place in answer.profiles if place.profile == profile), -1.0)


TestContract = plugin_contract("sesame_baihe", requests=[EQUALS, SEVERAL], benefit=benefit)
