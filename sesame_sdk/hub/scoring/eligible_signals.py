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

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    column,
    exists,
    insert,
    literal,
    select,
    table,
)

from sesame_sdk.hub.consent.grants import is_valid
from sesame_sdk.hub.database.dialects.base import TemporaryRelations
from sesame_sdk.hub.database.engine import dialect_of, is_in, ordered_join, values_table
from sesame_sdk.hub.database.ids import join_signal_id
from sesame_sdk.hub.database.tables import (
    disputes,
    further_disclosures,
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
from sesame_sdk.hub.scoring import signal_history
from sesame_sdk.hub.scoring.signal_history import SignalKey
from sesame_sdk.model.explanation import CorrectedSignal
from sesame_sdk.model.grant import Direction
from sesame_sdk.scoring.engines import CountedSignal
from sesame_sdk.scoring.recourse.search import Senders

#: Keys of signals in one query.
_CHUNK = 500
#: The contexts whose kinds may count, by person id.
Contexts = Mapping[int, Iterable[str]]
_temporary = MetaData()
_OPTIONS: Any = {"prefixes": ["TEMPORARY"], "sqlite_with_rowid": False, "postgresql_on_commit": "DELETE ROWS"}
#: The persons and contexts that are requested.
_asked = Table(
    "asked",
    _temporary,
    Column("person", BigInteger, primary_key=True),
    Column("context", String(32), primary_key=True),
    **_OPTIONS,
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
    **_OPTIONS,
)
#: The view over these tables.
_rows = table("counted", *map(column, ("subject", "partner", "kind", "value", "occurred_at")))
_IN_REGISTRATION = registration_table.c.envelope == registered_kinds.c.registration
_IS_ACTIVE = registration_table.c.envelope.in_(registrations.active_registrations())


def select_eligible(connection: Connection, contexts: Contexts, at: datetime) -> None:
    """Fill `counted`, in the transaction that computes the score, for grants that are valid at a time."""
    dialect_of(connection).prepare(connection, _RELATIONS)
    by_context: dict[str, list[int]] = {}
    for person, names in contexts.items():
        for context in names:
            by_context.setdefault(context, []).append(person)
    for context, persons in by_context.items():
        connection.execute(_ASK, {"persons": persons, "of": context})
    connection.execute(_PERMIT, {"now": to_micros(at)})


def select_eligible_of_all(connection: Connection, context: str, at: datetime) -> None:
    """Fill `counted` for everyone, with a context's own kinds. See `select_eligible`."""
    product = dialect_of(connection)
    product.prepare(connection, _RELATIONS)
    everyone = select(people.c.id, literal(context))
    connection.execute(insert(_asked).from_select([*_asked.c.keys()], everyone))
    product.analyze(connection, _asked)
    connection.execute(_PERMIT, {"now": to_micros(at)})
    product.analyze(connection, _permitted)


def eligible_rows() -> Select[*tuple[Any, ...]]:
    """The rows of `counted`, in the order of persons."""
    return select(*_rows.c).order_by(_rows.c.subject, _rows.c.partner)


def list_eligible(connection: Connection) -> list[CountedSignal]:
    """The rows of `counted` of the one person that was requested."""
    columns = (partners.c.issuer, _rows.c.kind, _rows.c.value, _rows.c.occurred_at)
    rows = select(*columns).join_from(_rows, partners, partners.c.id == _rows.c.partner)
    with dialect_of(connection).prefer_indexes(connection):
        return [CountedSignal(*row) for row in connection.execute(rows)]


def list_corrected(connection: Connection) -> list[CorrectedSignal]:
    """Those of the one person's rows of `counted` that were corrected, oldest first."""
    by_partner: defaultdict[int, dict[bytes, Any]] = defaultdict(dict)
    with dialect_of(connection).prefer_indexes(connection):
        for row in connection.execute(_SAID_DIFFERENTLY):
            by_partner[row.partner][bytes(row.key)] = row
    corrected: list[CorrectedSignal] = []
    for rows in by_partner.values():
        keys = list(rows)
        for start in range(0, len(keys), _CHUNK):
            corrected += _corrections_of(connection, [rows[key] for key in keys[start : start + _CHUNK]])
    return sorted(corrected, key=lambda signal: (signal.stands.occurred_at, signal.id))


def _corrections_of(connection: Connection, rows: Sequence[Any]) -> Iterator[CorrectedSignal]:
    """Of rows of one person and partner, the signals with a version that stood before."""
    person, partner = rows[0].person, rows[0].partner
    keys = [bytes(row.key) for row in rows]
    histories = signal_history.read_histories(connection, person, partner, keys)
    for row, key in zip(rows, keys, strict=True):
        *before, stands = histories.standing_versions((person, partner, key))
        if before:
            signal_id = join_signal_id(key, row.id_time)
            yield CorrectedSignal(signal_id, row.issuer, row.name, stands, tuple(before))


def senders_by_kind(connection: Connection) -> dict[str, Senders]:
    """The partners that can send each kind that could count for the one person that was requested."""
    same_partner = partners.c.id == _permitted.c.partner
    permitted = select(_permitted.c.name, partners.c.issuer).join_from(_permitted, partners, same_partner)
    registered = (
        select(kinds.c.name, partners.c.issuer)
        .distinct()
        .join_from(registered_kinds, kinds, kinds.c.id == registered_kinds.c.kind)
        .join(registration_table, _IN_REGISTRATION)
        .join(partners, partners.c.id == registration_table.c.partner)
        .where(_IS_ACTIVE, registered_kinds.c.context.in_(select(_asked.c.context)))
    )
    senders: defaultdict[str, set[str]] = defaultdict(set)
    for kind, issuer in connection.execute(permitted):
        senders[kind].add(issuer)
    others: defaultdict[str, set[str]] = defaultdict(set)
    for kind, issuer in connection.execute(registered):
        others[kind] |= {issuer} - senders[kind]
    return {kind: Senders(tuple(sorted(senders[kind])), len(others[kind])) for kind in others}


def _has_dispute(of: Table, *which: ColumnElement[bool]) -> ColumnElement[bool]:
    """SQL: whether a dispute excludes signals of a row's person and partner from scores (rule DSP-1)."""
    theirs = and_(disputes.c.person == of.c.person, disputes.c.partner == of.c.partner)
    return exists(select(disputes.c.id).where(theirs, *which, disputes.c.frozen))


def frozen_signals(connection: Connection, partner: int, persons: Iterable[int]) -> set[SignalKey]:
    """The signals of a partner about these persons that a dispute excludes from scores (rule DSP-1)."""
    mine = and_(disputes.c.partner == partner, is_in(disputes.c.person, sorted(persons)), disputes.c.frozen)
    rows = connection.execute(select(disputes.c.person, disputes.c.partner, disputes.c.key).where(mine))
    return {(row.person, row.partner, bytes(row.key)) for row in rows}


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
        select(pseudonyms.c.person, pseudonyms.c.partner, kinds.c.id, kinds.c.name, _has_dispute(pseudonyms))
        .distinct()
        .select_from(terms)
        .where(is_valid("now"), _is_registered())
    )


def _is_registered() -> ColumnElement[bool]:
    """Whether the partner registered the kind for the requested context."""
    rows = select(registered_kinds.c.kind).join_from(registered_kinds, registration_table, _IN_REGISTRATION)
    this_kind = and_(
        registered_kinds.c.kind == grant_kinds.c.kind, registered_kinds.c.context == _asked.c.context
    )
    return exists(rows.where(this_kind, registration_table.c.partner == pseudonyms.c.partner, _IS_ACTIVE))


_PERMITTED_SIGNAL = and_(
    signals.c.person == _permitted.c.person,
    signals.c.partner == _permitted.c.partner,
    signals.c.kind == _permitted.c.kind,
)
_IS_DISPUTED = and_(_permitted.c.disputed, _has_dispute(signals, disputes.c.key == signals.c.key))
_COUNTS = and_(signals.c.envelope.not_in(void_envelopes()), ~_IS_DISPUTED)


_SAID_DIFFERENTLY = (
    select(*signals.c, _permitted.c.name, partners.c.issuer)
    .select_from(
        ordered_join(_permitted, (signals, _PERMITTED_SIGNAL), (partners, partners.c.id == signals.c.partner))
    )
    .where(_COUNTS, exists(select(further_disclosures.c.key).where(signal_history.SAYS_SOMETHING_ELSE)))
)


def _counted() -> Select[int, int, str, float, int]:
    ids = (signals.c.person.label("subject"), signals.c.partner)
    return (
        select(*ids, _permitted.c.name.label("kind"), signals.c.value, signals.c.occurred_at)
        .select_from(ordered_join(_permitted, (signals, _PERMITTED_SIGNAL)))
        .where(_COUNTS)
    )


#: Built once: building them takes longer than executing them.
_RELATIONS = TemporaryRelations((_asked, _permitted), {"counted": _counted()})
_PERSONS = cast(values_table("persons").c.value, BigInteger)
_ASK = insert(_asked).from_select([*_asked.c.keys()], select(_PERSONS, bindparam("of", type_=String(32))))
_PERMIT = insert(_permitted).from_select([*_permitted.c.keys()], _permissions())
