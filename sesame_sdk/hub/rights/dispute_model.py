r"""A dispute: what happened to it, whether its signal counts, and what may happen next. Pure.

    opened ---> upheld                          the signal counts no more, for good
           \--> rejected ---> review asked ---> overturned, as good as upheld
                                           \--> confirmed

Rules:
    * the signal does not count while the dispute is open, nor while a review is (rule DSP-1; GDPR 18(1)(a))
    * a signal is disputed once, and reviewed once: nobody keeps one from counting by asking again and again
    * a decision and a review each name the role that made it and its reason; the reviewer is another
      one than who decided, and may overturn (GDPR 22(3))
    * the time to decide is extended once, with a reason
"""

from datetime import date, datetime, timedelta
from enum import StrEnum

from attrs import evolve, field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.rights.deadlines import (
    DECIDE,
    EXTENSION,
    REVIEW,
    TELL_RESULT,
    TELL_SOURCE,
    Deadline,
    after_business_days,
)
from sesame_sdk.model import validators

#: FCRA 1681i(b).
MOST_WORDS = 100
_LONGEST_STATEMENT = 2000


class What(StrEnum):
    """What may happen to a dispute."""

    OPENED = "opened"
    SOURCE_TOLD = "source_told"
    EXTENDED = "extended"
    UPHELD = "upheld"
    REJECTED = "rejected"
    # Of a decision, or of what the review came to.
    PERSON_HEARD = "person_heard"
    SOURCE_HEARD = "source_heard"
    REVIEW_ASKED = "review_asked"
    OVERTURNED = "overturned"
    CONFIRMED = "confirmed"


class DisputeState(StrEnum):
    """Where a dispute is. All but `REJECTED` keep the signal from counting."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"
    IN_REVIEW = "in review"


DECISIONS = (What.UPHELD, What.REJECTED)
REVIEWS = (What.OVERTURNED, What.CONFIRMED)
_RESULTS = (*DECISIONS, *REVIEWS)
_LEADS_TO = {
    What.OPENED: DisputeState.OPEN,
    What.UPHELD: DisputeState.UPHELD,
    What.REJECTED: DisputeState.REJECTED,
    What.REVIEW_ASKED: DisputeState.IN_REVIEW,
    What.OVERTURNED: DisputeState.UPHELD,
    What.CONFIRMED: DisputeState.REJECTED,
}
#: What must say who and why.
_REASONED = {What.EXTENDED, *_RESULTS}


@frozen
class Step:
    """Something that happened to a dispute.

    Attributes:
        what: what.
        at: when; UTC.
        by: who, as a role: "person", "disputes desk". Never a name.
        words: the person's reason for disputing, or the reason for a decision.
    """

    what: What
    at: datetime = field(validator=validators.utc)
    by: str = field(validator=validators.text(64))
    words: str = field(default="", validator=validators.optional_text(1000))

    def __attrs_post_init__(self) -> None:
        if self.what in {What.OPENED, *_REASONED} and not self.words:
            raise InvalidInputError("must not be empty", field="reason", hint="say why, in a sentence or two")


@frozen
class Dispute:
    """A dispute of one signal.

    Attributes:
        number: what it is known by.
        person: whose it is, as the operator knows them.
        partner: issuer of the signal's source.
        signal: the signal's id.
        kind: its kind.
        steps: what happened, in its order; the first is `What.OPENED`.
        statement: the person's own words, to stand beside the signal; may be empty.
    """

    number: int
    person: str
    partner: str
    signal: str
    kind: str
    steps: tuple[Step, ...] = field(validator=validators.tuple_of(Step, min_items=1))
    statement: str = ""

    @property
    def state(self) -> DisputeState:
        """Where it is."""
        return [_LEADS_TO[step.what] for step in self.steps if step.what in _LEADS_TO][-1]

    @property
    def frozen(self) -> bool:
        """Whether it keeps its signal from counting."""
        return self.state is not DisputeState.REJECTED

    def first(self, *whats: What) -> Step | None:
        """The first step of one of these kinds."""
        return next((step for step in self.steps if step.what in whats), None)

    def with_step(self, step: Step) -> "Dispute":
        """The same, one step on.

        Raises:
            InvalidInputError: it cannot come to that from where it is.
        """
        self._check(step)
        return evolve(self, steps=(*self.steps, step))

    def deadlines(self) -> tuple[Deadline, ...]:
        """Everything that is to be done about it by a day, in the order in which it comes due to be done."""
        opened = self.steps[0].at.date()
        decided, asked = self.first(*DECISIONS), self.first(What.REVIEW_ASKED)
        days = DECIDE + (EXTENSION if self.first(What.EXTENDED) else 0)
        told = self.first(What.SOURCE_TOLD)
        found = [
            Deadline("tell the source", after_business_days(opened, TELL_SOURCE), _moment(told)),
            Deadline("decide", opened + timedelta(days=days), _moment(decided)),
        ]
        if decided:
            found += self._hearings(decided, "the result")
        if asked:
            reviewed = self.first(*REVIEWS)
            due = asked.at.date() + timedelta(days=REVIEW)
            found.append(Deadline("review", due, _moment(reviewed)))
            if reviewed:
                found += self._hearings(reviewed, "the review's result")
        return tuple(found)

    def next_deadline(self) -> Deadline | None:
        """The earliest that is still to be met."""
        ahead = [deadline for deadline in self.deadlines() if deadline.done_at is None]
        return min(ahead, key=lambda deadline: deadline.due, default=None)

    def _hearings(self, result: Step, of_what: str) -> list[Deadline]:
        due = after_business_days(result.at.date(), TELL_RESULT)
        return [
            Deadline(f"tell {whom} {of_what}", due, self._heard(heard, result))
            for whom, heard in (("the person", What.PERSON_HEARD), ("the source", What.SOURCE_HEARD))
        ]

    def _heard(self, heard: What, result: Step) -> datetime | None:
        """When somebody was told of a result, or of the next one, which took its place."""
        since = self.steps[self.steps.index(result) + 1 :]
        return next((step.at for step in since if step.what is heard), None)

    def _check(self, step: Step) -> None:
        match step.what:
            case What.OPENED:
                raise InvalidInputError("is open already", field="dispute", code="conflict")
            case What.SOURCE_TOLD:
                self._refuse_second(What.SOURCE_TOLD, "the source was told already")
            case What.EXTENDED:
                self._refuse_second(What.EXTENDED, "was extended already")
                self._refuse_decided()
            case What.UPHELD | What.REJECTED:
                self._refuse_decided()
            case What.PERSON_HEARD | What.SOURCE_HEARD:
                self._check_heard(step.what)
            case What.REVIEW_ASKED:
                self._refuse_second(What.REVIEW_ASKED, "was reviewed, or is being")
                if self.state is not DisputeState.REJECTED:
                    raise InvalidInputError(f"is {self.state}: there is nothing to overturn", field="dispute")
            case What.OVERTURNED | What.CONFIRMED:
                self._check_review(step)

    def _refuse_second(self, what: What, message: str) -> None:
        if self.first(what):
            raise InvalidInputError(message, field="dispute", code="conflict")

    def _refuse_decided(self) -> None:
        if self.first(*DECISIONS):
            hint = "a review can overturn it: sesame disputes request-review"
            raise InvalidInputError("was decided already", field="dispute", hint=hint, code="conflict")

    def _check_heard(self, heard: What) -> None:
        results = [step for step in self.steps if step.what in _RESULTS]
        if not results:
            raise InvalidInputError("is not decided yet", field="dispute", hint="decide it first")
        if self._heard(heard, results[-1]):
            raise InvalidInputError("was told already", field="dispute", code="conflict")

    def _check_review(self, step: Step) -> None:
        if self.state is not DisputeState.IN_REVIEW:
            raise InvalidInputError("is not in review", field="dispute", hint="the person asks for it first")
        decided = self.first(*DECISIONS)
        if decided and decided.by == step.by:
            hint = "let somebody else review it, who may overturn it"
            raise InvalidInputError("is who decided it", field="by", hint=hint)


def _moment(step: Step | None) -> datetime | None:
    return None if step is None else step.at


def check_statement(words: str) -> str:
    """A statement, without blanks around it; empty takes it back.

    Raises:
        InvalidInputError: it is longer than `MOST_WORDS` words.
    """
    said = words.strip()
    if (many := len(said.split())) > MOST_WORDS:
        raise InvalidInputError(f"must be at most {MOST_WORDS} words, not {many}", field="statement")
    if len(said) > _LONGEST_STATEMENT:
        raise InvalidInputError(f"must be at most {_LONGEST_STATEMENT} characters", field="statement")
    return said


def overdue(dispute: Dispute, today: date) -> bool:
    """Whether something about it should have been done before today."""
    ahead = dispute.next_deadline()
    return ahead is not None and today > ahead.due
