"""What a ranking says: who stands where, why, and what made the order. Nothing here computes a place."""

from attrs import frozen


@frozen
class Why:
    """Why a profile stands where it does. The two parts add up to `Place.blended`, to the last bit.

    Attributes:
        relevance: what relevance brought.
        score: what the score brought, or in its place what the average one brings.
        against_average: `score` less what the average one brings; 0 for whoever has none.
        lifted: whether the site's fairness rule moved the profile up to this place.
    """

    relevance: float
    score: float
    against_average: float
    lifted: bool = False


@frozen
class Place:
    """One candidate's place.

    Attributes:
        profile: the site's own pseudonym.
        relevance: as given.
        score: points; None for no score.
        blended: what decided the place, 0 to 1.
        why: its parts.
        in_return: how well the member who looks fits the candidate; None where that was not given.
    """

    profile: str
    relevance: float
    score: float | None
    blended: float
    why: Why
    in_return: float | None = None

    def words(self) -> str:
        """Why, as one line for the member who looks; its figures add up as they are printed."""
        near, rest, total = self._figures()
        both = "" if self.in_return is None else f" and {self.in_return:.2f} in return"
        said = f"{near} for relevance {self.relevance:.2f}{both}"
        if self.score is not None or self.why.score:
            whose = "no score, counted as average" if self.score is None else f"score {self.score:.2f}"
            said += f" + {rest} for {whose}"
        return f"{said} = {total}{', moved up by the fairness rule' if self.why.lifted else ''}"

    def sum(self) -> str:
        """The same in figures alone: what relevance brought, and what the score brought."""
        near, rest, _ = self._figures()
        return f"{near} + {rest}{' (rule)' if self.why.lifted else ''}"

    def _figures(self) -> tuple[str, str, str]:
        total, near = round(self.blended * 10_000), round(self.why.relevance * 10_000)
        return f"{near / 10_000:.4f}", f"{(total - near) / 10_000:.4f}", f"{total / 10_000:.4f}"


@frozen
class Fairness:
    """What became of the fairness rule.

    Attributes:
        share: of the group, that every top was held to.
        alpha: what each top was tested at.
        needed: the fewest members of the group in the first 1, 2, ... places.
        fails_at: the first place whose top holds too few, because the group has no more; None if all hold.
        lifted: how many profiles it moved up.
    """

    share: float
    alpha: float
    needed: tuple[int, ...]
    fails_at: int | None
    lifted: int


@frozen
class Parameters:
    """How an order came about, to be shown beside it.

    Attributes:
        score_weight: share of the score in the blend.
        score_range: lowest and highest score that there is.
        candidates: how many were ranked.
        without_score: how many of them have no score.
        neutral: what those take in its place, 0 to 1; None where nobody has one and it was left out.
        stale: whether the book was too old to be believed, and so gave no score.
        mean: how relevance and the interest in return became one; empty where only one side was asked.
        fairness: what the fairness rule did; None where the site has none.
    """

    score_weight: float
    score_range: tuple[float, float]
    candidates: int
    without_score: int
    neutral: float | None
    stale: bool = False
    mean: str = ""
    fairness: Fairness | None = None

    def words(self) -> str:
        """The same for the member who looks."""
        return " ".join(filter(None, (self._relevance(), self._blend(), self._fairness())))

    def _relevance(self) -> str:
        return f"Relevance is the {self.mean} mean of both sides' interest." if self.mean else ""

    def _blend(self) -> str:
        if self.neutral is None:
            old = "The scores here are too old to be used: " if self.stale else "No score is known: "
            return f"{old}relevance alone decides."
        low, high = self.score_range
        return (
            f"blended = {1 - self.score_weight:.2f} relevance + {self.score_weight:.2f} score, "
            f"scores from {low:g} to {high:g} as 0 to 1. {self.without_score} of {self.candidates} have no "
            f"score and take the mean, {self.neutral:.4f}. Other sites' signals can only raise a score."
        )

    def _fairness(self) -> str:
        rule = self.fairness
        if rule is None:
            return ""
        held = "holds" if rule.fails_at is None else f"cannot hold from place {rule.fails_at} on"
        return f"The site's fairness rule (FA*IR, share {rule.share:.2f}) {held}; it moved {rule.lifted} up."


@frozen
class Ranked:
    """The answer for one member.

    Attributes:
        places: best first.
        order_without_score: profiles by relevance alone, best first; no score and no rule touched it.
        parameters: what made the order; to be shown beside it.
    """

    places: tuple[Place, ...]
    order_without_score: tuple[str, ...]
    parameters: Parameters
