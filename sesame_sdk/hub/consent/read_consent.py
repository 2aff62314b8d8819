"""The grants to a read of many subjects, with one query whatever their number."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Select, and_, bindparam, func, select

from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.consent.grants import is_valid
from sesame_sdk.hub.database.engine import dialect_of, is_in
from sesame_sdk.hub.database.tables import grant_crossings, grants, people, pseudonyms
from sesame_sdk.hub.database.timestamps import from_micros, from_micros_or_none, to_micros
from sesame_sdk.model.finding import Action
from sesame_sdk.model.grant import Direction, Grant, ReadRequest


@frozen
class AuthenticatedRequest:
    """A reader's request whose token was authenticated. Purpose and context are empty for notices."""

    issuer: str
    jti: str
    purpose: str
    context: str
    expires_at: datetime  # the token
    at: datetime


@frozen
class ResolvedSubject:
    """A known subject of a reader, with the latest valid grant to this read, if the guard allows it."""

    subject: str
    person: int
    revision: int  # of the person
    grant: Grant | None


def resolve_subjects(
    connection: Connection, request: AuthenticatedRequest, partner: int, subjects: Sequence[str], guard: Guard
) -> list[ResolvedSubject]:
    """The known ones of a reader's `subjects`, each with the grant to this read that the guard allows."""
    parameters = {
        "mine": partner,
        "subjects": list(subjects),
        "why": request.purpose,
        "which": request.context,
        "now": to_micros(request.at),
    }
    rows = dialect_of(connection).fetch_rows(connection, _LATEST, parameters)
    grant_ids = [row[3] for row in rows if row[3] is not None]
    crossings: dict[int, tuple[str, ...]] = {}
    for grant_id, context in dialect_of(connection).fetch_rows(connection, _CROSSINGS, {"grants": grant_ids}):
        crossings[grant_id] = (*crossings.get(grant_id, ()), context)
    return [_resolve(request, row, crossings.get(row[3], ()), guard) for row in rows]


def _latest() -> Select[*tuple[Any, ...]]:
    """A row for each subject: subject, person, revision, and of its latest grant what `_resolve` takes."""
    mine = (pseudonyms.c.partner == bindparam("mine"), is_in(pseudonyms.c.subject, "subjects"))
    this = and_(
        grants.c.pseudonym == pseudonyms.c.id,
        grants.c.direction == Direction.READ.value,
        grants.c.purpose == bindparam("why"),
        grants.c.context == bindparam("which"),
        is_valid("now"),
    )
    latest = func.row_number().over(
        partition_by=pseudonyms.c.id, order_by=(grants.c.given_at.desc(), grants.c.id.desc())
    )
    columns = (grants.c.id, grants.c.given_at, grants.c.expires_at, grants.c.withdrawn_at, grants.c.adult)
    ranked = (
        select(pseudonyms.c.subject, pseudonyms.c.person, people.c.revision, *columns, latest.label("place"))
        .join_from(pseudonyms, people, people.c.id == pseudonyms.c.person)
        .outerjoin(grants, this)
        .where(*mine)
        .subquery()
    )
    return select(*[column for column in ranked.c if column.name != "place"]).where(ranked.c.place == 1)


#: Built once: building a query takes longer than executing it.
_LATEST = _latest()
_CROSSINGS = (
    select(grant_crossings)
    .where(is_in(grant_crossings.c.grant_id, "grants"))
    .order_by(grant_crossings.c.context)
)


def _resolve(
    request: AuthenticatedRequest, row: Sequence[Any], crossings: tuple[str, ...], guard: Guard
) -> ResolvedSubject:
    subject, person, revision, number, given_at, expires_at, withdrawn_at, adult = row
    if number is None:
        return ResolvedSubject(subject, person, revision, None)
    grant = Grant(
        partner=request.issuer,
        subject=subject,
        direction=Direction.READ,
        given_at=from_micros(given_at),
        purpose=request.purpose,
        context=request.context,
        crossings=crossings,
        expires_at=from_micros_or_none(expires_at),
        withdrawn_at=from_micros_or_none(withdrawn_at),
        adult=bool(adult),
    )
    read = ReadRequest(request.issuer, request.purpose, request.context, request.at, grant)
    allowed = all(finding.action is Action.WARN for finding in guard.check_read(read))
    return ResolvedSubject(subject, person, revision, grant if allowed else None)
