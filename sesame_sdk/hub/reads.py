"""Reading scores, and the log of it that each person may see.

Rules:
    * each person's own grant is put before the guard at the moment of reading
    * nobody known, no grant, and no score are one answer: none
    * every read of a person's score is logged for that person before it is answered
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from attrs import frozen
from sqlalchemy import Connection, insert, select

from sesame_sdk.errors import Rejected
from sesame_sdk.guard.effect import contexts_that_count
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub import consents, people, readers, scores
from sesame_sdk.hub.moments import micros, moment
from sesame_sdk.hub.readers import Request
from sesame_sdk.hub.schema import grants, partners, pseudonyms, reads
from sesame_sdk.hub.validity import valid
from sesame_sdk.model.finding import Action
from sesame_sdk.model.grant import Direction, Grant, Reading
from sesame_sdk.model.score import Score

MOST_SUBJECTS = 10_000


@frozen
class Read:
    """One read of a person's score, as the person sees it.

    Attributes:
        partner: who read.
        purpose: IRI of why.
        context: which score.
        at: when; UTC.
        answered: whether a score was given.
    """

    partner: str
    purpose: str
    context: str
    at: datetime
    answered: bool


@frozen
class Answer:
    """What a request found.

    Attributes:
        partner: the reader, as the tables know it.
        scores: for each subject asked, in that order.
        given: each person whom the reader has a name for, and whether a score was given.
    """

    partner: int
    scores: dict[str, Score | None]
    given: dict[int, bool]


def answer(
    connection: Connection, request: Request, subjects: Sequence[str], guard: Guard, as_of: date
) -> Answer:
    """Find the scores that a reader may have.

    Args:
        connection: in a transaction.
        request: what the token said.
        subjects: 1 to `MOST_SUBJECTS` pseudonyms of the reader's.
        guard: stands at the door of every read.
        as_of: the day to score for.

    Raises:
        Rejected: too many subjects or none, or the reader may not read for this purpose at all.
        Refused: nobody may read for it.
    """
    if not 1 <= len(subjects) <= MOST_SUBJECTS:
        raise Rejected(f"must be 1 to {MOST_SUBJECTS}, not {len(subjects)}", field="subjects")
    readers.check_purpose(request, guard)
    partner, policy = readers.admit(connection, request)
    readers.refuse_used(connection, request, partner)
    persons = people.owners(connection, partner, subjects)
    asked = {
        persons[grant.subject]: contexts_that_count(grant)
        for grant in agreed(connection, request, partner, persons, guard)
    }
    found = scores.of_people(connection, asked, policy, as_of, request.at, reasons=False)
    return Answer(
        partner,
        {subject: found.get(persons.get(subject, 0)) for subject in subjects},
        {person: person in found for person in persons.values()},
    )


def log(connection: Connection, request: Request, found: Answer) -> None:
    """Use up the token and tell each person of the read.

    Raises:
        Rejected: the token was used before.
    """
    readers.use_up(connection, request, found.partner)
    rows = [
        {
            "person": person,
            "partner": found.partner,
            "purpose": request.purpose,
            "context": request.context,
            "at": micros(request.at),
            "answered": answered,
        }
        for person, answered in found.given.items()
    ]
    if rows:
        connection.execute(insert(reads), rows)


def of_person(connection: Connection, person: str) -> list[Read]:
    """Every read of a person's scores, oldest first."""
    chosen = (
        select(reads, partners.c.issuer)
        .join(partners, partners.c.id == reads.c.partner)
        .where(reads.c.person == people.find(connection, person))
        .order_by(reads.c.id)
    )
    return [
        Read(row.issuer, row.purpose, row.context, moment(row.at), row.answered)
        for row in connection.execute(chosen)
    ]


def agreed(
    connection: Connection, request: Request, partner: int, subjects: Iterable[str], guard: Guard
) -> list[Grant]:
    """For each subject, its latest grant for this read that stands, if the guard passes it."""
    found = _grants(connection, request, partner, sorted(subjects))
    return [grant for grant in found if _passes(guard, request, grant)]


def _grants(connection: Connection, request: Request, partner: int, subjects: Sequence[str]) -> list[Grant]:
    chosen = consents.with_names().where(
        pseudonyms.c.partner == partner,
        pseudonyms.c.subject.in_(subjects),
        grants.c.direction == Direction.READ.value,
        grants.c.purpose == request.purpose,
        grants.c.context == request.context,
        valid(request.at),
    )
    rows = connection.execute(chosen.order_by(grants.c.given_at, grants.c.id)).all()
    return consents.to_grants(connection, list({row.subject: row for row in rows}.values()))


def _passes(guard: Guard, request: Request, grant: Grant) -> bool:
    findings = guard.read(Reading(request.issuer, request.purpose, request.context, request.at, grant))
    return all(finding.action is Action.WARN for finding in findings)
