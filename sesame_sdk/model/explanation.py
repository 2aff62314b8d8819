"""What explains a score to a person: reasons, recourse and estimates."""

from datetime import date, datetime

from attrs import field, frozen

from sesame_sdk.model import validators
from sesame_sdk.model.score import Contribution, Score


@frozen
class Hypothetical:
    """A signal that does not exist; by default on the score day, at the kind's main partner or a new one."""

    kind: str = field(validator=validators.kind_name)
    value: float = field(validator=validators.finite)
    partner: str = field(default="", validator=validators.optional_text(256))
    occurred_on: date | None = field(
        default=None, validator=validators.optional(validators.instance_of(date))
    )


@frozen
class Estimate:
    """The score with hypothetical signals. It is never stored, and no consumer can read it."""

    score: Score | None
    current: Score | None
    hypotheticals: tuple[Hypothetical, ...]
    description: str
    is_estimate: bool = True


@frozen
class PartnerUnits:
    """The units of a step at one partner; `partner` is empty for a new one."""

    partner: str
    units: int


@frozen
class Step:
    """More of one kind: `units` signals of value 1, or one signal of that amount, split by partner."""

    kind: str
    reason: str
    unit: str
    units: int
    partners: tuple[PartnerUnits, ...]
    hundredths: int
    effort: float

    @property
    def points(self) -> float:
        """What it adds."""
        return self.hundredths / 100


@frozen
class RecoursePlan:
    """Steps that together reach the next band."""

    steps: tuple[Step, ...] = field(validator=validators.tuple_of(Step, min_items=1))

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
    """The next band and what leads there: plans, the cheapest first, if the person can reach it, and time."""

    name: str
    start: float
    missing_points: float
    plans: tuple[RecoursePlan, ...]
    waiting: WaitingTime


@frozen
class SignalVersion:
    """What one message of a partner said of a signal; `envelope` is the ``jti`` of the message."""

    value: float
    occurred_at: datetime
    envelope: str
    received_at: datetime


@frozen
class CorrectedSignal:
    """A signal that counts, and whose time or value its partner corrected.

    Attributes:
        stands: what counts.
        before: what stood before, oldest first.
    """

    id: str
    partner: str
    kind: str
    stands: SignalVersion
    before: tuple[SignalVersion, ...] = field(validator=validators.tuple_of(SignalVersion, min_items=1))


@frozen
class Explanation:
    """A person's own view of a score: four principal adverse reasons (EXP-1), the costliest first.

    `corrections` are those of the signals that count.
    """

    score: Score
    adverse: tuple[Contribution, ...]
    further_adverse: tuple[Contribution, ...]
    positive: tuple[Contribution, ...]
    next_band: NextBand | None
    policy_text: tuple[str, ...]
    disputes: str
    corrections: tuple[CorrectedSignal, ...] = ()
