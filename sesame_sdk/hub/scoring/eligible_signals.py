"""Which signals count for scores: the relation `counted` that the scorecard reads.

A signal counts when
    * its person is among those requested
    * a valid grant lets its sender send its kind
    * the sender registered the kind, and the registration is in force
    * the kind belongs to the context of the score, or to one that the reader's grant includes (rule CTX-1)
    * its key was not revoked when the hub received it
    * no dispute of it is open, in review or upheld (rule DSP-1)

The three relations are temporary: they belong to one connection, and are filled for one query.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Double,
    ForeignKey,
    MetaData,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    exists,
    insert,
    literal,
    select,
)

from sesame_sdk.hub.consent.grants import is_valid
from sesame_sdk.hub.database.dialects.base import TemporaryRelations
from sesame_sdk.hub.database.engine import dialect_of, ordered_join, values_table
from sesame_sdk.hub.database.tables import (
    disputes,
    grant_kinds,
    grants,
    kinds,
    partners,
    people,
    pseudonyms,
    registered_kinds,
    signals,
)
from sesame_sdk.hub.database.tables import registrations as registration_table
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.partners import registrations
from sesame_sdk.hub.partners.keys import void_envelopes
from sesame_sdk.model.grant import Direction
from sesame_sdk.scoring.engines import CountedSignal
from sesame_sdk.scoring.recourse.search import Senders

_temporary = MetaData()
#: The persons and contexts that are requested.
_asked = Table(
    "asked",
    _temporary,
    Column("person", BigInteger, primary_key=True),
    Column("context", String(32), primary_key=True),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
    postgresql_on_commit="DELETE ROWS",
)
#: Which kinds each person lets each partner send, of those that the partner registered.
_permitted = Table(
    "permitted",
    _temporary,
    Column("person", BigInteger, primary_key=True),
    Column("partner", BigInteger, primary_key=True),
    Column("kind", BigInteger, primary_key=True),
    Column("name", String(128), nullable=False),
    # Whether any of it is disputed: few are, and checking disputes for each signal costs a sixth.
    Column("disputed", Boolean, nullable=False),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
    postgresql_on_commit="DELETE ROWS",
)
#: The view over these tables.
_rows = Table(
    "counted",
    MetaData(),
    Column("subject", BigInteger),
    Column("partner", ForeignKey(partners.c.id)),
    Column("kind", String(128)),
    Column("value", Double),
    Column("occurred_at", BigInteger),
)


def select_eligible(connection: Connection, asked: Mapping[int, Iterable[str]], at: datetime) -> None:
    """Fill `counted` for these persons.

    Args:
        connection: in the transaction that then computes the score.
        asked: for each person, the contexts whose kinds may count.
        at: when grants have to be valid; UTC.
    """
    _prepare(connection)
    by_context: dict[str, list[int]] = {}
    for person, contexts in asked.items():
        for context in contexts:
            by_context.setdefault(context, []).append(person)
    for context, persons in by_context.items():
        connection.execute(_ASK, {"persons": persons, "of": context})
    connection.execute(_PERMIT, {"now": to_micros(at)})


def select_eligible_of_all(connection: Connection, context: str, at: datetime) -> None:
    """Fill `counted` for everyone, with a context's own kinds. See `select_eligible`."""
    _prepare(connection)
    everyone = insert(_asked).from_select([*_asked.c.keys()], select(people.c.id, literal(context)))
    product = dialect_of(connection)
    connection.execute(everyone)
    product.analyze(connection, _asked)
    connection.execute(_PERMIT, {"now": to_micros(at)})
    product.analyze(connection, _permitted)


def eligible_rows() -> Select[*tuple[Any, ...]]:
    """The rows of `counted`, in the order of persons."""
    return select(*_rows.c).order_by(_rows.c.subject, _rows.c.partner)


def list_eligible(connection: Connection) -> list[CountedSignal]:
    """The rows of `counted` of the one person that was requested."""
    chosen = select(partners.c.issuer, _rows.c.kind, _rows.c.value, _rows.c.occurred_at)
    with dialect_of(connection).prefer_indexes(connection):
        return [CountedSignal(*row) for row in connection.execute(chosen.join_from(_rows, partners))]


def senders_by_kind(connection: Connection) -> dict[str, Senders]:
    """The partners that can send each kind that could count for the one person that was requested."""
    may = select(_permitted.c.name, partners.c.issuer).join_from(
        _permitted, partners, partners.c.id == _permitted.c.partner
    )
    known = (
        select(kinds.c.name, partners.c.issuer)
        .distinct()
        .join_from(registered_kinds, kinds, kinds.c.id == registered_kinds.c.kind)
        .join(registration_table, registration_table.c.envelope == registered_kinds.c.registration)
        .join(partners, partners.c.id == registration_table.c.partner)
        .where(
            registration_table.c.envelope.in_(registrations.active_registrations()),
            registered_kinds.c.context.in_(select(_asked.c.context)),
        )
    )
    able, all_of_them = _by_kind(connection, may), _by_kind(connection, known)
    return {
        kind: Senders(tuple(sorted(able.get(kind, ()))), len(issuers - able.get(kind, set())))
        for kind, issuers in all_of_them.items()
    }


def _by_kind(connection: Connection, chosen: Select[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for kind, issuer in connection.execute(chosen):
        found.setdefault(kind, set()).add(issuer)
    return found


def _is_restricted() -> ColumnElement[bool]:
    """SQL: whether a dispute excludes a row of `signals` from scores (rule DSP-1)."""
    this_one = and_(
        disputes.c.person == signals.c.person,
        disputes.c.partner == signals.c.partner,
        disputes.c.signal == signals.c.id,
    )
    return exists(select(disputes.c.id).where(this_one, disputes.c.frozen))


def _has_restricted_signal() -> ColumnElement[bool]:
    """SQL: whether `_is_restricted` holds for any signal of a row of `pseudonyms`."""
    theirs = and_(disputes.c.person == pseudonyms.c.person, disputes.c.partner == pseudonyms.c.partner)
    return exists(select(disputes.c.id).where(theirs, disputes.c.frozen))


def _permissions() -> Select[int, int, int, str, bool]:
    sends = and_(grants.c.pseudonym == pseudonyms.c.id, grants.c.direction == Direction.SEND.value)
    terms = ordered_join(
        _asked,
        (pseudonyms, pseudonyms.c.person == _asked.c.person),
        (grants, sends),
        (grant_kinds, grant_kinds.c.grant_id == grants.c.id),
        (kinds, kinds.c.id == grant_kinds.c.kind),
    )
    return (
        select(pseudonyms.c.person, pseudonyms.c.partner, kinds.c.id, kinds.c.name, _has_restricted_signal())
        .distinct()
        .select_from(terms)
        .where(is_valid("now"), _is_registered())
    )


def _is_registered() -> ColumnElement[bool]:
    """Whether the partner registered the kind for the requested context."""
    declared = registered_kinds.join(
        registration_table, registration_table.c.envelope == registered_kinds.c.registration
    )
    return exists(
        select(registered_kinds.c.kind)
        .select_from(declared)
        .where(
            registered_kinds.c.kind == grant_kinds.c.kind,
            registered_kinds.c.context == _asked.c.context,
            registration_table.c.partner == pseudonyms.c.partner,
            registration_table.c.envelope.in_(registrations.active_registrations()),
        )
    )


def _counted() -> Select[int, int, str, float, int]:
    same = and_(
        signals.c.person == _permitted.c.person,
        signals.c.partner == _permitted.c.partner,
        signals.c.kind == _permitted.c.kind,
    )
    return (
        select(
            signals.c.person.label("subject"),
            signals.c.partner,
            _permitted.c.name.label("kind"),
            signals.c.value,
            signals.c.occurred_at,
        )
        .select_from(ordered_join(_permitted, (signals, same)))
        .where(signals.c.envelope.not_in(void_envelopes()), ~and_(_permitted.c.disputed, _is_restricted()))
    )


def _prepare(connection: Connection) -> None:
    """Create the relations if this connection lacks them, and empty them."""
    dialect_of(connection).prepare(connection, _RELATIONS)


#: Built once: building them takes longer than executing them.
_RELATIONS = TemporaryRelations((_asked, _permitted), {"counted": _counted()})
_ASK = insert(_asked).from_select(
    [*_asked.c.keys()],
    select(cast(values_table("persons").c.value, BigInteger), bindparam("of", type_=String(32))),
)
_PERMIT = insert(_permitted).from_select([*_permitted.c.keys()], _permissions())
