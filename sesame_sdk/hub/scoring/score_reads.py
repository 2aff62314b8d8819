"""Reads of scores, and the log of reads that each person may see.

Rules:
    * the guard checks each person's own grant at the time of the read
    * an unknown subject, no grant and no score give the same result: None
    * every read of a person's score is logged for that person before the response
    * consent is checked in the transaction that logs the read. Scores are computed before it, which takes a
      second for ten thousand; those of persons who changed meanwhile are computed again within it
"""

from collections.abc import Sequence
from datetime import date, datetime

from attrs import evolve, frozen
from sqlalchemy import BigInteger, Connection, bindparam, cast, insert, select

from sesame_sdk.constants import MAX_SUBJECTS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.rules.kinds import counted_contexts
from sesame_sdk.hub.consent import grants, read_consent, subjects
from sesame_sdk.hub.consent.read_consent import AuthenticatedRequest, ResolvedSubject
from sesame_sdk.hub.database.engine import is_in, values_table
from sesame_sdk.hub.database.tables import partners, people, score_reads
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
    """The result of a read by a partner: scores by subject, as requested, and the known subjects.

    `version` is that of what concerns every score; see `grants.SCORES`.
    """

    partner: int
    scores: dict[str, Score | None]
    known: list[ResolvedSubject]
    version: int | None


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
    in_order = {subject: by_subject.get(subject) for subject in subjects}
    return ScoreResponse(partner, in_order, known, grants.version_of(connection, grants.SCORES))


def bring_up_to_date(
    connection: Connection, request: AuthenticatedRequest, response: ScoreResponse, guard: Guard, as_of: date
) -> ScoreResponse:
    """The response to a request in this transaction. Only what changed since `read_scores` is computed again.

    Raises:
        InvalidInputError: the reader may not read any more.
    """
    if grants.version_of(connection, grants.SCORES) != response.version:
        return read_scores(connection, request, [*response.scores], guard, as_of)
    by_person = {one.person: one for one in response.known}
    rows = connection.execute(select(people.c.id, people.c.revision).where(is_in(people.c.id, [*by_person])))
    unchanged = [by_person[row.id] for row in rows if by_person[row.id].revision == row.revision]
    current = {one.subject for one in unchanged}
    if not (outdated := [one.subject for one in response.known if one.subject not in current]):
        return response
    again = read_scores(connection, request, outdated, guard, as_of)
    return evolve(again, scores=response.scores | again.scores, known=[*unchanged, *again.known])


def log_reads(connection: Connection, request: AuthenticatedRequest, response: ScoreResponse) -> None:
    """Mark the token as used, and log the read for each person.

    Raises:
        InvalidInputError: the token was used before.
    """
    read_auth.consume_token(connection, request, response.partner)
    read = {"by": response.partner, "why": request.purpose, "which": request.context}
    read["now"] = to_micros(request.at)
    for answered in (True, False):
        given = {one.person: response.scores[one.subject] is not None for one in response.known}
        persons = [person for person, has_score in given.items() if has_score is answered]
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
