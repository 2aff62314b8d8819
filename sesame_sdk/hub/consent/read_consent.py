"""The grants to a read of many subjects, with one query whatever their number."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Select, and_, bindparam, func, select

from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.consent.grants import is_valid
from sesame_sdk.hub.database.engine import dialect_of, is_in
from sesame_sdk.hub.database.tables import grant_crossings, grants, pseudonyms
from sesame_sdk.hub.database.timestamps import from_micros, from_micros_or_none, to_micros
from sesame_sdk.model.finding import Action
from sesame_sdk.model.grant import Direction, Grant, ReadRequest


@frozen
class AuthenticatedRequest:
    """A request whose token was authenticated.

    Attributes:
        issuer: the reader.
        jti: the token's id, valid for one use.
        purpose: IRI; empty for notices.
        context: of the score; empty for notices.
        expires_at: of the token; UTC.
        at: now; UTC.
    """

    issuer: str
    jti: str
    purpose: str
    context: str
    expires_at: datetime
    at: datetime


@frozen
class ResolvedSubject:
    """A known subject of a reader.

    Attributes:
        subject: the reader's pseudonym.
        person: id of the person.
        grant: the latest valid grant to this read, if the guard allows it.
    """

    subject: str
    person: int
    grant: Grant | None


def resolve_subjects(
    connection: Connection, request: AuthenticatedRequest, partner: int, subjects: Sequence[str], guard: Guard
) -> list[ResolvedSubject]:
    """The known ones of a reader's `subjects`, each with the grant to this read that the guard allows."""
    told = {
        "mine": partner,
        "subjects": list(subjects),
        "why": request.purpose,
        "which": request.context,
        "now": to_micros(request.at),
    }
    rows = dialect_of(connection).fetch_rows(connection, _LATEST, told)
    crossings = _crossings(connection, [row[2] for row in rows if row[2] is not None])
    return [_known(request, row, crossings.get(row[2], ()), guard) for row in rows]


def _latest() -> Select[*tuple[Any, ...]]:
    """A row a subject: subject, person, and of its latest consent the columns that `_known` takes."""
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
    found = (
        select(pseudonyms.c.subject, pseudonyms.c.person, *columns, latest.label("place"))
        .outerjoin_from(pseudonyms, grants, this)
        .where(*mine)
        .subquery()
    )
    return select(*[column for column in found.c if column.name != "place"]).where(found.c.place == 1)


def _crossings(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for grant, context in dialect_of(connection).fetch_rows(connection, _LET_IN, {"numbers": numbers}):
        found[grant] = (*found.get(grant, ()), context)
    return found


#: Made once: to build it takes longer than to ask it.
_LATEST = _latest()
_LET_IN = (
    select(grant_crossings)
    .where(is_in(grant_crossings.c.grant_id, "numbers"))
    .order_by(grant_crossings.c.context)
)


def _known(
    request: AuthenticatedRequest, row: Sequence[Any], crossings: tuple[str, ...], guard: Guard
) -> ResolvedSubject:
    subject, person, number, given_at, expires_at, withdrawn_at, adult = row
    if number is None:
        return ResolvedSubject(subject, person, None)
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
    return ResolvedSubject(subject, person, grant if _passes(guard, request, grant) else None)


def _passes(guard: Guard, request: AuthenticatedRequest, grant: Grant) -> bool:
    findings = guard.check_read(
        ReadRequest(request.issuer, request.purpose, request.context, request.at, grant)
    )
    return all(finding.action is Action.WARN for finding in findings)
