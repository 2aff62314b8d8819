"""Compares the ledger with its numbering and its signatures, and the derived tables with the ledger.

    numbering      no envelope of a partner is missing, neither in the middle nor at the end
    chain          what the hub wrote beside an envelope (when it came, what the receipt said) is as it was
    signature      an envelope verifies as it did on arrival
    signals        each stored signal has its row, and each row its stored signal
    registrations  the same of registrations

The quick part counts, and reads no envelopes. People, pseudonyms, grants, policies and disputes are the hub's
own records, not derived from the ledger.

An attacker that may write to the database and knows this program can number and chain the rows again, or put
back an older state of the whole database; only a copy elsewhere shows that. It cannot add signals without a
partner's key, except to an envelope that was sent in the clear and lost its token: those are counted.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import field, frozen
from sqlalchemy import Connection, Select, Table, delete, func, insert, select

from sesame_sdk.hub.consent import subjects
from sesame_sdk.hub.database import ids
from sesame_sdk.hub.database.dialects.base import SignalRow
from sesame_sdk.hub.database.engine import is_in
from sesame_sdk.hub.database.tables import (
    envelopes,
    further_disclosures,
    ledger_heads,
    partners,
    quarantined_envelopes,
    registrations,
    signals,
)
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ledger import ReplayedEnvelope
from sesame_sdk.hub.ingest.signal_table import SignalView, contested_signals, signal_rows
from sesame_sdk.hub.partners import registrations as registration_tables
from sesame_sdk.hub.partners.keys import revoked_envelopes
from sesame_sdk.hub.scoring.signal_history import SignalKey, find_standing, plain_row
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.signing.key_rotation import KeyRotation

#: Differences that are listed; the others are counted.
MAX_LISTED = 1000
_MAX_REASON = 400
_NO_PSEUDONYM = "signals of a subject that is not a pseudonym at this partner"
_MISSING = "signals have no row"
_DIFFERENT = "rows differ from the signals of this envelope"
_NOT_STANDING = "signals do not stand as the latest envelope that counts says"


class Check(StrEnum):
    """What is compared."""

    NUMBERING = "numbering"
    CHAIN = "chain"
    SIGNATURE = "signature"
    SIGNALS = "signals"
    REGISTRATIONS = "registrations"


@frozen
class Difference:
    """What differs.

    Attributes:
        partner: its issuer URL; empty if unknown.
        envelope: the id in the ledger; None if there is no such row.
        count: how many envelopes or signals it concerns.
    """

    check: Check
    partner: str
    envelope: int | None
    count: int
    reason: str


@frozen
class VerificationReport:
    """What a verification found.

    Attributes:
        envelopes, signals: how many were read; None after the quick part.
        unsigned: envelopes that were sent in the clear and lost their token, so that nothing proves them.
        differences: at most `MAX_LISTED`.
        unlisted: how many more there are.
    """

    envelopes: int | None
    signals: int | None
    unsigned: int | None
    differences: tuple[Difference, ...]
    unlisted: int = 0


@frozen
class RebuildReport:
    """What a rebuild changed.

    Attributes:
        signals: how many there are now.
        changes: the differences between the ledger and the derived tables, which are gone now.
        quarantined: the envelopes that do not verify, and do not count.
    """

    signals: int
    changes: tuple[Difference, ...]
    quarantined: tuple[Difference, ...]


def check_quickly(connection: Connection) -> VerificationReport:
    """Compare counts: notices a missing envelope, signals without one, and what is in quarantine."""
    found = _Findings(_issuers(connection))
    _check_numbering(connection, found)
    _check_references(connection, found)
    for row in connection.execute(_quarantined()):
        reason = f"in quarantine since {from_micros(row.quarantined_at):%Y-%m-%d}: {row.reason}"
        found.add(Check.SIGNATURE, row.partner, row.envelope, 1, reason)
    return VerificationReport(None, None, None, tuple(found.listed), found.unlisted)


def count_envelopes(connection: Connection) -> int:
    """How many envelopes the ledger has."""
    return connection.scalar(select(func.count()).select_from(envelopes)) or 0


def verify(connection: Connection, view: SignalView, step: Callable[[int], None]) -> VerificationReport:
    """Verify everything; `step` is called with the number of envelopes done."""
    found = _Findings(_issuers(connection))
    _check_numbering(connection, found)
    _check_chain(connection, found)
    comparison = _Comparison(connection, view, found)
    comparison.run(step)
    counted = comparison.counted
    return VerificationReport(
        counted["envelopes"], counted["signals"], counted["unsigned"], tuple(found.listed), found.unlisted
    )


def rebuild(connection: Connection, view: SignalView, at: datetime) -> RebuildReport:
    """Make the derived tables equal to the ledger, and quarantine the envelopes that do not verify."""
    found = _Findings(_issuers(connection))
    comparison = _Comparison(connection, view, found)
    comparison.run(lambda _: None)
    faults = comparison.faults
    quarantined = tuple(one for one in found.listed if one.check is Check.SIGNATURE)
    changes = tuple(one for one in found.listed if one.check is not Check.SIGNATURE)
    if (
        changes
        or found.unlisted
        or faults.keys() != set(connection.scalars(select(quarantined_envelopes.c.envelope)))
    ):
        _write_again(connection, view, faults, at)
    count = connection.scalar(select(func.count()).select_from(signals)) or 0
    return RebuildReport(count, changes, quarantined)


def _write_again(connection: Connection, view: SignalView, faults: Mapping[int, str], at: datetime) -> None:
    for table in (signals, further_disclosures, quarantined_envelopes):
        connection.execute(delete(table))
    registration_tables.delete_registrations(connection)
    if faults:
        rows = [
            {"envelope": number, "reason": reason, "quarantined_at": to_micros(at)}
            for number, reason in faults.items()
        ]
        connection.execute(insert(quarantined_envelopes), rows)
    void = set(connection.scalars(revoked_envelopes()))
    for replayed in ledger.replay_envelopes(connection):
        row, payload = replayed.row, replayed.payload
        if replayed.fault or isinstance(payload, KeyRotation):
            continue
        if isinstance(payload, Manifest):
            terms = (row.id, row.partner, from_micros(row.issued_at), payload)
            registration_tables.insert_registration(connection, *terms)
            continue
        ids.ensure_kind_ids(connection, {signal.kind for signal in payload})
        rows_of = _rows_of(connection, replayed)
        if view.insert(connection, rows_of) < len(rows_of):
            view.merge(connection, rows_of, counts=row.id not in void)


@frozen
class _Findings:
    """Collects differences. `issuers` are those of the partners by id."""

    issuers: Mapping[int, str]
    listed: list[Difference] = field(factory=list)
    _more: Counter[str] = field(factory=Counter)

    @property
    def unlisted(self) -> int:
        """How many are not listed."""
        return self._more["differences"]

    def add(self, check: Check, partner: int | None, envelope: int | None, count: int, reason: str) -> None:
        """Add one, unless `count` is 0."""
        if not count:
            return
        if len(self.listed) == MAX_LISTED:
            self._more["differences"] += 1
            return
        issuer = "" if partner is None else self.issuers.get(partner, "")
        self.listed.append(Difference(check, issuer, envelope, count, reason))


def _issuers(connection: Connection) -> dict[int, str]:
    return {row.id: row.issuer for row in connection.execute(select(partners))}


def _quarantined() -> Select[*tuple[Any, ...]]:
    which = quarantined_envelopes.c.envelope == envelopes.c.id
    return select(quarantined_envelopes, envelopes.c.partner).join(envelopes, which)


def _check_numbering(connection: Connection, found: _Findings) -> None:
    """Compare the count of each partner's envelopes with the recorded one, and find the gaps."""
    counts = select(
        envelopes.c.partner, func.count().label("total"), func.max(envelopes.c.number).label("last")
    )
    by_partner = {row.partner: row for row in connection.execute(counts.group_by(envelopes.c.partner))}
    heads = {row.partner: row for row in connection.execute(select(ledger_heads))}
    for partner in found.issuers:
        row, head = by_partner.get(partner), heads.get(partner)
        total, last = (row.total, row.last) if row else (0, 0)
        recorded = head.number if head else 0
        if head is None:
            found.add(Check.NUMBERING, partner, None, 1, "the partner has no recorded number of envelopes")
        if last > recorded:
            reason = f"there are envelopes after number {recorded}, the last that is recorded"
            found.add(Check.NUMBERING, partner, None, last - recorded, reason)
        if total < last:
            for first, after in connection.execute(_gaps(partner)):
                reason = f"{_numbers(first, after - 1)} missing before envelope number {after}"
                found.add(Check.NUMBERING, partner, None, after - first, reason)
        if recorded > last:
            reason = f"{_numbers(last + 1, recorded)} missing at the end"
            found.add(Check.NUMBERING, partner, None, recorded - last, reason)


def _numbers(first: int, last: int) -> str:
    return f"envelope number {first} is" if first == last else f"envelopes number {first} to {last} are"


def _gaps(partner: int) -> Select[int, int]:
    """For each gap in a partner's numbers, the first missing number and the next one that is there."""
    before = func.coalesce(func.lag(envelopes.c.number).over(order_by=envelopes.c.number), 0)
    pairs = (
        select(before.label("before"), envelopes.c.number).where(envelopes.c.partner == partner).subquery()
    )
    gaps = select(pairs.c.before + 1, pairs.c.number).where(pairs.c.number > pairs.c.before + 1)
    return gaps.order_by(pairs.c.number).limit(MAX_LISTED)


def _check_references(connection: Connection, found: _Findings) -> None:
    """Count signals that refer to no envelope of their partner."""
    for table in (signals, further_disclosures):
        mine = select(envelopes.c.id).where(envelopes.c.event == EventType.SIGNALS.value)
        query = (
            select(table.c.partner, table.c.envelope, func.count())
            .where(table.c.envelope.not_in(mine))
            .group_by(table.c.partner, table.c.envelope)
            .limit(MAX_LISTED)
        )
        for partner, envelope, count in connection.execute(query):
            found.add(Check.SIGNALS, partner, envelope, count, "signals of an envelope that is not there")


def _check_chain(connection: Connection, found: _Findings) -> None:
    """Compute the digests again, without reading tokens."""
    columns = [column for column in envelopes.c if column.name not in {"token", "disclosures", "jti"}]
    query = select(*columns).order_by(envelopes.c.partner, envelopes.c.number)
    partner, number, chain = 0, 0, b""
    ends: dict[int, bytes] = {}
    with connection.execute(query.execution_options(yield_per=MAX_LISTED)) as rows:
        for row in rows:
            if row.partner != partner:
                partner, number, chain = row.partner, 0, b""
            # A gap is reported by its numbers; the chain goes on behind it.
            if row.number == number + 1 and ledger.chain_digest(chain, row._asdict()) != row.chain:
                reason = "what was recorded with this envelope, or the one before, was changed"
                found.add(Check.CHAIN, partner, row.id, 1, reason)
            number, chain = row.number, row.chain
            ends[partner] = chain
    for head in connection.execute(select(ledger_heads)):
        if head.partner in ends and ends[head.partner] != head.chain:
            found.add(Check.CHAIN, head.partner, None, 1, "the last envelope is not the one that is recorded")


def _rows_of(connection: Connection, replayed: ReplayedEnvelope) -> list[SignalRow]:
    """The rows of an envelope's signals; none for an unknown subject. Unknown kinds have the id 0."""
    row, contents = replayed.row, replayed.signals
    owners = subjects.subject_owners(connection, row.partner, {signal.subject for signal in contents})
    names = {signal.kind for signal in contents}
    kinds = dict.fromkeys(names, 0) | ids.find_kind_ids(connection, names)
    return signal_rows(contents, owners, kinds, row.partner, row.id)


class _Comparison:
    """Compares each envelope with the rows that refer to it, in one pass, and then what stands.

    Each signal of an envelope has one row that refers to it, in `signals` or in `further_disclosures`; which
    of the rows of a signal is in `signals` follows from them (see `scoring.signal_history`).
    """

    def __init__(self, connection: Connection, view: SignalView, found: _Findings) -> None:
        self._connection, self._view, self._found = connection, view, found
        self._void = set(connection.scalars(revoked_envelopes()))
        #: Rows that refer to an envelope and were not compared with it yet.
        self._left = {table: _rows_by_envelope(connection, table) for table in (signals, further_disclosures)}
        self._registered = set(connection.scalars(select(registrations.c.envelope)))
        self.faults: dict[int, str] = {}
        self.counted: Counter[str] = Counter()

    def run(self, step: Callable[[int], None]) -> None:
        """Compare everything; `step` is called with the number of envelopes done."""
        for replayed in ledger.replay_envelopes(self._connection):
            self.counted["envelopes"] += 1
            self.counted["unsigned"] += not replayed.row.token and bool(replayed.signals)
            self._compare(replayed)
            step(1)
        for table, left in self._left.items():
            for envelope, count in sorted((+left).items()):
                partner = self._connection.scalar(select(table.c.partner).where(table.c.envelope == envelope))
                reason = f"rows of {table.name} are not in the envelope that they refer to"
                self._found.add(Check.SIGNALS, partner, envelope, count, reason)
        self._check_standing()
        for envelope in sorted(self._registered):
            reason = "a registration is not in the envelope that it refers to"
            self._found.add(Check.REGISTRATIONS, None, envelope, 1, reason)

    def _compare(self, replayed: ReplayedEnvelope) -> None:
        row, payload = replayed.row, replayed.payload
        if replayed.fault:
            self.faults[row.id] = replayed.fault[:_MAX_REASON]
            self._found.add(Check.SIGNATURE, row.partner, row.id, 1, f"does not verify: {replayed.fault}")
        elif isinstance(payload, Manifest):
            terms = (row.id, row.partner, from_micros(row.issued_at), payload)
            if not registration_tables.is_registered(self._connection, *terms):
                reason = "the tables differ from this registration"
                self._found.add(Check.REGISTRATIONS, row.partner, row.id, 1, reason)
            self._registered.discard(row.id)
        elif isinstance(payload, tuple):
            self._compare_signals(replayed)

    def _compare_signals(self, replayed: ReplayedEnvelope) -> None:
        row, rows = replayed.row, _rows_of(self._connection, replayed)
        self.counted["signals"] += len(replayed.signals)
        expected = {one[:3]: one for one in rows}  # the last of each signal
        standing = self._view.find_rows(self._connection, list(expected.values()))
        stored = {one[:3]: one for one in standing if one and one[6] == row.id}
        self._left[signals].subtract({row.id: len(stored)})
        if self._left[further_disclosures][row.id]:
            further = self._further_rows(row.id, expected)
            self._left[further_disclosures].subtract({row.id: len(further)})
            stored |= further
        problems = {
            _NO_PSEUDONYM: len(replayed.signals) - len(rows),
            _MISSING: sum(key not in stored for key in expected),
            _DIFFERENT: sum(one != expected[key] for key, one in stored.items()),
        }
        for reason, count in problems.items():
            self._found.add(Check.SIGNALS, row.partner, row.id, count, reason)

    def _further_rows(self, envelope: int, expected: Collection[SignalKey]) -> dict[SignalKey, SignalRow]:
        persons = {key[0] for key in expected}
        mine = (further_disclosures.c.envelope == envelope) & is_in(further_disclosures.c.person, persons)
        rows = map(plain_row, self._connection.execute(select(further_disclosures).where(mine)))
        return {one[:3]: one for one in rows if one[:3] in expected}

    def _check_standing(self) -> None:
        void = self._void | self.faults.keys()
        for signal in contested_signals(self._connection, void):
            standing = find_standing(signal.versions)
            if standing.row != signal.row:
                _, partner, _ = standing.row[:3]
                self._found.add(Check.SIGNALS, partner, standing.envelope, 1, _NOT_STANDING)


def _rows_by_envelope(connection: Connection, table: Table) -> Counter[int]:
    query = select(table.c.envelope, func.count()).group_by(table.c.envelope)
    return Counter(dict(map(tuple, connection.execute(query))))
