"""The result of a ranking: ranked profiles, their explanations, and the parameters of the order."""

from attrs import frozen


@frozen
class Explanation:
    """Why a profile has its rank. The two parts add up to `RankedProfile.blended`, to the last bit.

    Attributes:
        score: part of the score, or of the average score in its place.
        difference_to_average: `score` less the part of the average score; 0 without a score.
        moved_up: whether the site's fairness rule moved the profile up to this rank.
    """

    relevance: float
    score: float
    difference_to_average: float
    moved_up: bool = False


@frozen
class RankedProfile:
    """A candidate with what decided the rank.

    Attributes:
        profile: the site's pseudonym.
        score: points; None for no score.
        blended: the value that decided the rank, 0 to 1.
        reciprocal_relevance: how well the viewer fits the candidate; None if not given.
    """

    profile: str
    relevance: float
    score: float | None
    blended: float
    explanation: Explanation
    reciprocal_relevance: float | None = None

    def describe(self) -> str:
        """The explanation as one line for the viewer; its numbers add up as they are printed."""
        relevance, score, total = self._numbers()
        reciprocal = self.reciprocal_relevance
        both = "" if reciprocal is None else f" and reciprocal relevance {reciprocal:.2f}"
        text = f"{relevance} for relevance {self.relevance:.2f}{both}"
        if self.score is not None or self.explanation.score:
            whose = "no score, counted as average" if self.score is None else f"score {self.score:.2f}"
            text += f" + {score} for {whose}"
        moved = ", moved up by the fairness rule" if self.explanation.moved_up else ""
        return f"{text} = {total}{moved}"

    def describe_parts(self) -> str:
        """The explanation as numbers alone: the part of relevance and the part of the score."""
        relevance, score, _ = self._numbers()
        return f"{relevance} + {score}{' (rule)' if self.explanation.moved_up else ''}"

    def _numbers(self) -> tuple[str, str, str]:
        total, relevance = round(self.blended * 10_000), round(self.explanation.relevance * 10_000)
        return f"{relevance / 10_000:.4f}", f"{(total - relevance) / 10_000:.4f}", f"{total / 10_000:.4f}"


@frozen
class FairnessResult:
    """The result of the fairness rule.

    Attributes:
        share: of the group that every top is held to.
        alpha: significance level of each top.
        required: fewest of the group in the first 1, 2, ... ranks.
        fails_at: first rank whose top holds too few, because the group has no more; None if all hold.
        moved_up: number of profiles that were moved up.
    """

    share: float
    alpha: float
    required: tuple[int, ...]
    fails_at: int | None
    moved_up: int


@frozen
class RankingParameters:
    """The parameters of an order, to be shown beside it.

    Attributes:
        score_weight: share of the score in the blend.
        score_range: lowest and highest score of the policy.
        without_score: number of candidates without a score.
        neutral: value in place of a missing score, 0 to 1; None if no candidate has a score.
        stale: whether the source was too old, and so gave no score.
        mean: the mean of both sides' relevance; empty if only one side's was given.
        fairness: the result of the fairness rule; None without one.
    """

    score_weight: float
    score_range: tuple[float, float]
    candidates: int
    without_score: int
    neutral: float | None
    stale: bool = False
    mean: str = ""
    fairness: FairnessResult | None = None

    def describe(self) -> str:
        """The parameters in words, for the viewer."""
        parts = []
        if self.mean:
            parts.append(f"Relevance is the {self.mean} mean of both sides' relevance.")
        parts.append(self._describe_blend())
        if rule := self.fairness:
            holds = "holds" if rule.fails_at is None else f"cannot hold from rank {rule.fails_at} on"
            moved = f"{rule.moved_up} profiles moved up"
            parts.append(f"The site's fairness rule (FA*IR, share {rule.share:.2f}) {holds}; {moved}.")
        return " ".join(parts)

    def _describe_blend(self) -> str:
        if self.neutral is None:
            reason = "The scores are out of date" if self.stale else "No score is known"
            return f"{reason}: relevance alone decides."
        low, high = self.score_range
        return (
            f"blended = {1 - self.score_weight:.2f} relevance + {self.score_weight:.2f} score, "
            f"scores from {low:g} to {high:g} as 0 to 1. {self.without_score} of {self.candidates} have no "
            f"score and get the mean, {self.neutral:.4f}. Other sites' signals can only raise a score."
        )


@frozen
class RankingResult:
    """A ranking for one viewer.

    Attributes:
        profiles: best first.
        order_without_score: by relevance alone, best first; neither score nor fairness rule changed it.
        parameters: of the order, to be shown beside it.
    """

    profiles: tuple[RankedProfile, ...]
    order_without_score: tuple[str, ...]
    parameters: RankingParameters
