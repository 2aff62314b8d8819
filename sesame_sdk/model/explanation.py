"""What explains a score to a person: reasons, recourse and estimates.

Hypothetical         a signal that does not exist
Estimate             the score with it
Step, RecoursePlan   what a person can do, all of it by themselves
WaitingTime          what time alone does
NextBand             the next band, and the plans and the waiting time that reach it
Explanation          all of it, with the policy in words
"""

from datetime import date

from attrs import field, frozen, validators

from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.score import Contribution, Score


@frozen
class Hypothetical:
    """A signal that does not exist, for an estimate.

    Attributes:
        kind: name of a kind of the policy.
        value: how much, in the kind's unit; finite.
        partner: its sender; empty for the partner that sends most of the kind for the person, or for a new
            partner if none does.
        occurred_on: when it would have happened; None means on the day of the score.
    """

    kind: str = field(validator=model_validators.kind_name)
    value: float = field(validator=model_validators.finite)
    partner: str = field(default="", validator=model_validators.optional_text(256))
    occurred_on: date | None = field(
        default=None, validator=validators.optional(validators.instance_of(date))
    )


@frozen
class Estimate:
    """A score with hypothetical signals. It is never stored, and no consumer can read it.

    Attributes:
        score: the estimated score; None if there would be none.
        current: the current score; None if there is none.
        hypotheticals: the signals that were added.
        description: says that it is an estimate, and of what.
        is_estimate: always true, for readers of the JSON.
    """

    score: Score | None
    current: Score | None
    hypotheticals: tuple[Hypothetical, ...]
    description: str
    is_estimate: bool = True


@frozen
class PartnerUnits:
    """The units of a step at one partner.

    Attributes:
        partner: its issuer URL; empty for a new partner.
        units: how many.
    """

    partner: str
    units: int


@frozen
class Step:
    """More of one kind.

    Attributes:
        kind: its name.
        reason: the policy's text for it.
        unit: the unit of the kind.
        units: how many more, on the day of the score: signals of value 1, or money in one signal.
        partners: at which partners; their units add up to `units`.
        hundredths: hundredths of a point that it adds.
        effort: what it takes, in the policy's units of effort.
    """

    kind: str
    reason: str
    unit: str
    units: int
    partners: tuple[PartnerUnits, ...]
    hundredths: int
    effort: float

    @property
    def points(self) -> float:
        """What it adds, in points."""
        return self.hundredths / 100


@frozen
class RecoursePlan:
    """Steps that together reach the next band."""

    steps: tuple[Step, ...] = field(validator=model_validators.tuple_of(Step, min_items=1))

    @property
    def effort(self) -> float:
        """The effort of all steps."""
        return sum(step.effort for step in self.steps)


@frozen
class WaitingTime:
    """What waiting comes to, if no new signal arrives.

    Attributes:
        reached_on: the first day on which the score is in the next band; None if there is none.
        searched_until: where `reached_on` is None: no day up to this one reaches it; None if none ever does.
        points_decay: whether points that raise the score decay in the meantime as well.
    """

    reached_on: date | None
    searched_until: date | None = None
    points_decay: bool = False


@frozen
class NextBand:
    """The next band and what leads there.

    Attributes:
        name: its name.
        start: its first point.
        missing_points: points that have to be gained.
        plans: what the person can do, the cheapest first; empty if nothing that they can do reaches it.
        waiting: what time does.
    """

    name: str
    start: float
    missing_points: float
    plans: tuple[RecoursePlan, ...]
    waiting: WaitingTime


@frozen
class Explanation:
    """A person's own view of a score.

    Attributes:
        score: with every contribution.
        adverse: the principal reasons against it, four at most, the one that cost most first (EXP-1).
        further_adverse: further ones, that cost less.
        positive: what lifted it, biggest first.
        next_band: the way to the next band; None in the highest.
        policy_text: the policy, in a sentence for each of its rules.
        disputes: where to say that a signal is wrong.
    """

    score: Score
    adverse: tuple[Contribution, ...]
    further_adverse: tuple[Contribution, ...]
    positive: tuple[Contribution, ...]
    next_band: NextBand | None
    policy_text: tuple[str, ...]
    disputes: str
