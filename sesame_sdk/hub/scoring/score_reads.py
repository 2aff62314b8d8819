"""Reads of scores, and the log of reads that each person may see.

Rules:
    * the guard checks each person's own grant at the time of the read
    * an unknown subject, no grant and no score give the same result: None
    * every read of a person's score is logged for that person before the response
"""

from collections.abc import Sequence
from datetime import date, datetime

from attrs import frozen
from sqlalchemy import BigInteger, Connection, bindparam, cast, insert, select

from sesame_sdk.constants import MAX_SUBJECTS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.rules.kinds import counted_contexts
from sesame_sdk.hub.consent import read_consent, subjects
from sesame_sdk.hub.consent.read_consent import AuthenticatedRequest
from sesame_sdk.hub.database.engine import values_table
from sesame_sdk.hub.database.tables import partners, score_reads
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.scoring import read_auth, scores
from sesame_sdk.model.score import Score


@frozen
class ScoreRead:
    """One read of a person's score, as the person sees it.

    Attributes:
        partner: the reader.
        purpose: IRI.
        context: of the score.
        at: UTC.
        answered: whether a score was returned.
    """

    partner: str
    purpose: str
    context: str
    at: datetime
    answered: bool


@frozen
class ScoreResponse:
    """The result of a read by a partner: scores by subject, as requested, and who got one, by person id."""

    partner: int
    scores: dict[str, Score | None]
    score_given: dict[int, bool]


def read_scores(
    connection: Connection, request: AuthenticatedRequest, subjects: Sequence[str], guard: Guard, as_of: date
) -> ScoreResponse:
    """The scores that a reader may see, of 1 to `MAX_SUBJECTS` of its pseudonyms.

    Raises:
        InvalidInputError: too many subjects or none, or the reader may not read for this purpose at all.
        GuardRefusedError: no reader may read for it.
    """
    if not 1 <= len(subjects) <= MAX_SUBJECTS:
        raise InvalidInputError(f"must be 1 to {MAX_SUBJECTS}, not {len(subjects)}", field="subjects")
    read_auth.check_purpose(request, guard)
    partner, policy = read_auth.admit_reader(connection, request)
    read_auth.check_unused(connection, request, partner)
    known = read_consent.resolve_subjects(connection, request, partner, subjects, guard)
    contexts = {one.person: counted_contexts(one.grant) for one in known if one.grant}
    computed = scores.compute_scores(connection, contexts, policy, as_of, request.at, reasons=False)
    by_subject = {one.subject: computed.get(one.person) for one in known}
    given = {one.person: one.person in computed for one in known}
    return ScoreResponse(partner, {subject: by_subject.get(subject) for subject in subjects}, given)


def log_reads(connection: Connection, request: AuthenticatedRequest, response: ScoreResponse) -> None:
    """Mark the token as used, and log the read for each person.

    Raises:
        InvalidInputError: the token was used before.
    """
    read_auth.consume_token(connection, request, response.partner)
    read = {"by": response.partner, "why": request.purpose, "which": request.context}
    read["now"] = to_micros(request.at)
    for answered in (True, False):
        persons = [person for person, given in response.score_given.items() if given is answered]
        if persons:
            connection.execute(_LOG, {**read, "persons": persons, "given": answered})


_NAMES = {"partner": "by", "purpose": "why", "context": "which", "read_at": "now", "answered": "given"}
_VALUES = [bindparam(name, type_=score_reads.c[column].type) for column, name in _NAMES.items()]
_PERSONS = cast(values_table("persons").c.value, BigInteger)
#: Inserts a row for each person with one statement: single inserts took longer than the scores.
_LOG = insert(score_reads).from_select(["person", *_NAMES], select(_PERSONS, *_VALUES))


def list_score_reads(connection: Connection, person: str) -> list[ScoreRead]:
    """Every read of a person's scores, oldest first."""
    chosen = (
        select(score_reads, partners.c.issuer)
        .join(partners, partners.c.id == score_reads.c.partner)
        .where(score_reads.c.person == subjects.find_person_id(connection, person))
        .order_by(score_reads.c.id)
    )
    return [
        ScoreRead(row.issuer, row.purpose, row.context, from_micros(row.read_at), row.answered)
        for row in connection.execute(chosen)
    ]
