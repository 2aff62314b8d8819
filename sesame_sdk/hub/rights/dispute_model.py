r"""The state machine of a dispute, and its deadlines. Pure.

    opened ---> upheld                              the signal is excluded for good
           \--> rejected ---> review requested ---> overturned, with the effect of upheld
                                               \--> confirmed

Rules:
    * the signal is excluded from scores while the dispute or its review is open (rule DSP-1; GDPR 18(1)(a))
    * a signal is disputed once and reviewed once, so repeated requests cannot exclude it for ever
    * a decision and a review each name the role that made it and its reason; the reviewer is another role
      than the one that decided, and may overturn (GDPR 22(3))
    * the time to decide is extended once, with a reason
    * a day is a UTC day, and a deadline is met until the end of its day
    * the day on which the period starts is not counted
    * business days are Monday to Friday. Public holidays are not considered: where one falls into the period,
      the law may allow a day more than is shown
"""

from datetime import date, datetime, timedelta
from enum import StrEnum

from attrs import evolve, field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators

#: Source: FCRA 1681i(a)(2)(A), (a)(1)(A), (a)(1)(B), (a)(6)(A).
NOTIFY_SOURCE_DAYS = 5
DECISION_DAYS = 30
EXTENSION_DAYS = 15
NOTIFY_RESULT_DAYS = 5
#: Ours; GDPR 12(3) allows a month.
REVIEW_DAYS = 14
#: A deadline this near counts as due soon.
DUE_SOON_DAYS = 3
_SATURDAY, _DAYS_PER_WEEK, _BUSINESS_DAYS_PER_WEEK = 5, 7, 5
#: FCRA 1681i(b).
MAX_STATEMENT_WORDS = 100
_MAX_STATEMENT_LENGTH = 2000


class DeadlineStatus(StrEnum):
    """Whether a deadline was met, or when it is due."""

    MET = "met"
    LATE = "late"
    OPEN = "open"
    DUE_SOON = "due soon"
    OVERDUE = "overdue"


@frozen
class Deadline:
    """A task, for people to read, that must be done by the end of the day `due`."""

    task: str
    due: date
    done_at: datetime | None = None

    def status(self, today: date) -> DeadlineStatus:
        """The status on a day."""
        if self.done_at is not None:
            return DeadlineStatus.MET if self.done_at.date() <= self.due else DeadlineStatus.LATE
        if today > self.due:
            return DeadlineStatus.OVERDUE
        return DeadlineStatus.DUE_SOON if (self.due - today).days <= DUE_SOON_DAYS else DeadlineStatus.OPEN


def add_business_days(start: date, days: int) -> date:
    """The business day that is `days` (1 or more) after `start`, which is not counted."""
    # A weekend counts like the Friday before it.
    weekday = min(start.weekday(), _SATURDAY - 1)
    business_day = start - timedelta(days=start.weekday() - weekday)
    weeks, remainder = divmod(weekday + days, _BUSINESS_DAYS_PER_WEEK)
    return business_day + timedelta(days=weeks * _DAYS_PER_WEEK + remainder - weekday)


class DisputeAction(StrEnum):
    """A step of a dispute."""

    OPENED = "opened"
    SOURCE_NOTIFIED = "source_notified"
    EXTENDED = "extended"
    UPHELD = "upheld"
    REJECTED = "rejected"
    # The result is that of the decision, or of the review.
    RESULT_TO_PERSON = "result_to_person"
    RESULT_TO_SOURCE = "result_to_source"
    REVIEW_REQUESTED = "review_requested"
    OVERTURNED = "overturned"
    CONFIRMED = "confirmed"


class DisputeState(StrEnum):
    """The state of a dispute. All but `REJECTED` exclude the signal from scores."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"
    IN_REVIEW = "in review"


DECISIONS = (DisputeAction.UPHELD, DisputeAction.REJECTED)
REVIEWS = (DisputeAction.OVERTURNED, DisputeAction.CONFIRMED)
_RESULTS = (*DECISIONS, *REVIEWS)
_STATE_AFTER = {
    DisputeAction.OPENED: DisputeState.OPEN,
    DisputeAction.UPHELD: DisputeState.UPHELD,
    DisputeAction.REJECTED: DisputeState.REJECTED,
    DisputeAction.REVIEW_REQUESTED: DisputeState.IN_REVIEW,
    DisputeAction.OVERTURNED: DisputeState.UPHELD,
    DisputeAction.CONFIRMED: DisputeState.REJECTED,
}
#: Steps that need an actor and a comment.
_REASONED = {DisputeAction.EXTENDED, *_RESULTS}


@frozen
class DisputeStep:
    """A step that was taken by a role, such as "person" or "disputes desk"; never a name."""

    action: DisputeAction
    happened_at: datetime = field(validator=validators.utc)
    actor: str = field(validator=validators.text(64))
    comment: str = field(default="", validator=validators.optional_text(1000))

    def __attrs_post_init__(self) -> None:
        if self.action in {DisputeAction.OPENED, *_REASONED} and not self.comment:
            raise InvalidInputError("must not be empty", field="reason", hint="give a sentence or two")


@frozen
class Dispute:
    """A dispute of one signal, whose source is `partner`; the first step is `DisputeAction.OPENED`."""

    number: int
    person: str
    partner: str
    signal: str
    kind: str
    steps: tuple[DisputeStep, ...] = field(validator=validators.tuple_of(DisputeStep, min_items=1))
    statement: str = ""

    @property
    def state(self) -> DisputeState:
        """The state after the last step."""
        return [_STATE_AFTER[step.action] for step in self.steps if step.action in _STATE_AFTER][-1]

    @property
    def restricts_signal(self) -> bool:
        """Whether it excludes its signal from scores."""
        return self.state is not DisputeState.REJECTED

    def first_step(self, *actions: DisputeAction) -> DisputeStep | None:
        """The first step with one of these actions."""
        return next((step for step in self.steps if step.action in actions), None)

    def with_step(self, step: DisputeStep) -> "Dispute":
        """The dispute after one more step. `InvalidInputError`: it is not allowed in this state."""
        self._check(step)
        return evolve(self, steps=(*self.steps, step))

    def deadlines(self) -> tuple[Deadline, ...]:
        """All tasks with their deadlines, in the order of the procedure."""
        opened = self.steps[0].happened_at.date()
        decision, request = self.first_step(*DECISIONS), self.first_step(DisputeAction.REVIEW_REQUESTED)
        days = DECISION_DAYS + (EXTENSION_DAYS if self.first_step(DisputeAction.EXTENDED) else 0)
        notified = self.first_step(DisputeAction.SOURCE_NOTIFIED)
        deadlines = [
            Deadline("notify the source", add_business_days(opened, NOTIFY_SOURCE_DAYS), _time_of(notified)),
            Deadline("decide", opened + timedelta(days=days), _time_of(decision)),
        ]
        if decision:
            deadlines += self._result_deadlines(decision, "the result")
        if request:
            review = self.first_step(*REVIEWS)
            due = request.happened_at.date() + timedelta(days=REVIEW_DAYS)
            deadlines.append(Deadline("review", due, _time_of(review)))
            if review:
                deadlines += self._result_deadlines(review, "the review's result")
        return tuple(deadlines)

    def next_deadline(self) -> Deadline | None:
        """The earliest deadline that is not met yet."""
        unmet = [deadline for deadline in self.deadlines() if deadline.done_at is None]
        return min(unmet, key=lambda deadline: deadline.due, default=None)

    def _result_deadlines(self, result: DisputeStep, name: str) -> list[Deadline]:
        due = add_business_days(result.happened_at.date(), NOTIFY_RESULT_DAYS)
        person, source = DisputeAction.RESULT_TO_PERSON, DisputeAction.RESULT_TO_SOURCE
        return [
            Deadline(f"inform the person of {name}", due, self._informed_at(person, result)),
            Deadline(f"inform the source of {name}", due, self._informed_at(source, result)),
        ]

    def _informed_at(self, action: DisputeAction, result: DisputeStep) -> datetime | None:
        """When a recipient was informed of a result, or of the next one, which replaced it."""
        later = self.steps[self.steps.index(result) + 1 :]
        return next((step.happened_at for step in later if step.action is action), None)

    def _check(self, step: DisputeStep) -> None:
        match step.action:
            case DisputeAction.OPENED:
                raise InvalidInputError("is already open", field="dispute", code="conflict")
            case DisputeAction.SOURCE_NOTIFIED:
                self._refuse_second(DisputeAction.SOURCE_NOTIFIED, "the source was already notified")
            case DisputeAction.EXTENDED:
                self._refuse_second(DisputeAction.EXTENDED, "was already extended")
                self._refuse_decided()
            case DisputeAction.UPHELD | DisputeAction.REJECTED:
                self._refuse_decided()
            case DisputeAction.RESULT_TO_PERSON | DisputeAction.RESULT_TO_SOURCE:
                self._check_informed(step.action)
            case DisputeAction.REVIEW_REQUESTED:
                self._refuse_second(DisputeAction.REVIEW_REQUESTED, "was already reviewed, or is in review")
                if self.state is not DisputeState.REJECTED:
                    message = f"is {self.state}: there is no decision to overturn"
                    raise InvalidInputError(message, field="dispute")
            case DisputeAction.OVERTURNED | DisputeAction.CONFIRMED:
                self._check_review(step)

    def _refuse_second(self, action: DisputeAction, message: str) -> None:
        if self.first_step(action):
            raise InvalidInputError(message, field="dispute", code="conflict")

    def _refuse_decided(self) -> None:
        if self.first_step(*DECISIONS):
            hint = "request a review: sesame disputes request-review"
            raise InvalidInputError("was already decided", field="dispute", hint=hint, code="conflict")

    def _check_informed(self, action: DisputeAction) -> None:
        results = [step for step in self.steps if step.action in _RESULTS]
        if not results:
            raise InvalidInputError("is not decided yet", field="dispute", hint="decide it first")
        if self._informed_at(action, results[-1]):
            raise InvalidInputError("was already informed of this result", field="dispute", code="conflict")

    def _check_review(self, step: DisputeStep) -> None:
        if self.state is not DisputeState.IN_REVIEW:
            raise InvalidInputError("is not in review", field="dispute", hint="the person requests it first")
        decision = self.first_step(*DECISIONS)
        if decision and decision.actor == step.actor:
            hint = "name another role that may overturn the decision"
            raise InvalidInputError("must not be the role that decided", field="actor", hint=hint)


def _time_of(step: DisputeStep | None) -> datetime | None:
    return None if step is None else step.happened_at


def validate_statement(words: str) -> str:
    """Strip a statement, and check its length. An empty one withdraws an earlier one."""
    statement = words.strip()
    if (count := len(statement.split())) > MAX_STATEMENT_WORDS:
        message = f"must be at most {MAX_STATEMENT_WORDS} words, not {count}"
        raise InvalidInputError(message, field="statement")
    if len(statement) > _MAX_STATEMENT_LENGTH:
        raise InvalidInputError(f"must be at most {_MAX_STATEMENT_LENGTH} characters", field="statement")
    return statement


def is_overdue(dispute: Dispute, today: date) -> bool:
    """Whether a deadline of it has passed."""
    deadline = dispute.next_deadline()
    return deadline is not None and today > deadline.due
