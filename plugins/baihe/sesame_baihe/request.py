"""The request for a ranking."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from sesame_sdk import InvalidInputError

if TYPE_CHECKING:
    from sesame_baihe.fair_topk import FairnessRule
    from sesame_baihe.score_blend import ReciprocalMean, Values
    from sesame_baihe.score_source import CandidatePool

#: As in the matchmaking policy in `examples/`.
SCORE_RANGE = (350.0, 950.0)
SCORE_WEIGHT = 0.3


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
