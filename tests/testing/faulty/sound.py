"""A provider and a consumer with nothing wrong in them, for faults to be added; and their samples."""

from collections.abc import Iterator
from datetime import UTC, datetime

from attrs import define
from sesame_sdk import (
    ConsumerDeclaration,
    InvalidInputError,
    ScoreConsumer,
    Signal,
    SignalKind,
    SignalProvider,
)

AT = datetime(2026, 5, 1, tzinfo=UTC)


RETURNED = SignalKind("library.loan.returned", "item_returned_on_time")
OVERDUE = SignalKind("library.loan.overdue", "item_returned_late")


@define
class Loan:
    number: str
    member: str
    at: datetime
    days_late: int = 0


class Loans(SignalProvider):
    name = "loans"
    kinds = (RETURNED, OVERDUE)

    def read(self, path):
        return iter(())

    def signals(self, event, pseudonymizer):
        try:
            yield from self.build_signals(event, pseudonymizer)
        except (TypeError, AttributeError, ArithmeticError) as error:
            raise InvalidInputError("is no loan", field="event") from error

    def build_signals(self, event, pseudonymizer) -> Iterator[Signal]:
        kind = OVERDUE if event.days_late > 0 else RETURNED
        yield Signal(
            self.id_of(kind, event, pseudonymizer),
            self.subject_of(event, pseudonymizer),
            kind.name,
            1.0,
            event.at,
        )

    def id_of(self, kind, event, pseudonymizer):
        return pseudonymizer.signal_id(kind.name, event.number, event.at)

    def subject_of(self, event, pseudonymizer):
        return pseudonymizer.pseudonym(event.member)


class Waiver(ScoreConsumer):
    """Answers who may borrow one more; everybody may borrow three."""

    declaration = ConsumerDeclaration("waiver", "https://w3id.org/dpv#PersonalisedBenefits", "library")

    def subjects(self, request):
        return tuple(request)

    def use(self, request, scores):
        return {who: 4 if scores[who] and scores[who].points > 700 else 3 for who in request}


EVENTS = [Loan("1", "ada", AT), Loan("2", "bob", AT, 3)]
REQUESTS = [["ada", "bob"]]


def benefit(answer, who):
    return answer[who]
