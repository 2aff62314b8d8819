"""What falls with a key, counted: before it is revoked, and after.

What a key signed and we received from an instant on counts no more. When it was received decides, not
when it says that it was signed: whoever stole a key writes any date. A signal that came under another key
as well stands by that one, as if the revoked key had never sent it.

One thing does not come back by itself. What the partner's own keys sent while a registration of the thief's
was in force, and of a kind that it lacked, was dropped at the door, and what is dropped is never stored. The
receipts say so, and the partner's client has to send it again.
"""

from collections.abc import Iterable
from datetime import datetime

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, and_, func, select

from sesame_sdk.hub.consent import subjects as consent_subjects
from sesame_sdk.hub.database.tables import envelopes, registrations, signals
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ledger import IngestOutcome
from sesame_sdk.hub.partners.keys import PartnerKey, void_envelopes
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import DropReason, EventType


@frozen
class RevocationImpact:
    """What falls with a key.

    Attributes:
        issuer: the partner whose key it is.
        since: from when on; UTC.
        envelopes: messages under the key.
        signals: that count no more.
        people: whose signals those are.
        retained: signals that another key of the partner's sent too, and that stand by it.
        registrations: that are in force no more.
        dropped: signals under other keys that were dropped as of no registered kind since the first of those.
    """

    issuer: str
    since: datetime
    envelopes: int
    signals: int
    people: int
    retained: int
    registrations: int
    dropped: int


def revocation_impact(
    connection: Connection, key: PartnerKey, since: datetime, hub: str, standing: int | None
) -> RevocationImpact:
    """Count what falls, or fell, when `key`, as it was before, is revoked from `since` on.

    Args:
        connection: in a transaction.
        key: the key before it is revoked.
        since: UTC.
        hub: our own issuer.
        standing: how many signals were found to stand by another key; None where that was not done yet.
    """
    these = _falling(key, since)
    chosen = select(envelopes.c.id).where(these)
    rows = signals.c.envelope.in_(chosen)
    told = connection.execute(
        select(signals.c.person, func.count()).where(rows).group_by(signals.c.person)
    ).all()
    still = dict(map(tuple, told))
    if standing is None:
        standing = 0
        for person in _vouched(connection, key, these, hub):
            still[person] -= 1
            standing += 1
    first = connection.scalar(
        select(func.min(registrations.c.envelope)).where(registrations.c.envelope.in_(chosen))
    )
    return RevocationImpact(
        key.issuer,
        since,
        _count(connection, these),
        sum(still.values()),
        sum(1 for left in still.values() if left),
        standing,
        _count(connection, these & (envelopes.c.event == EventType.REGISTRATION.value)),
        0 if first is None else _dropped(connection, key, first),
    )


def _falling(key: PartnerKey, since: datetime) -> ColumnElement[bool]:
    """Envelopes that count until `key` is revoked, and not from then on."""
    mine = and_(envelopes.c.partner == key.partner, envelopes.c.kid == key.kid)
    fell = envelopes.c.received_at >= to_micros(since)
    if key.revoked_at is None:
        return and_(mine, fell)
    return and_(mine, fell, envelopes.c.received_at < to_micros(key.revoked_at))


def _vouched(connection: Connection, key: PartnerKey, these: ColumnElement[bool], hub: str) -> Iterable[int]:
    """For each signal that stands by one of `these` and came under another key too: whose it is."""
    falling = set(connection.scalars(select(envelopes.c.id).where(these)))
    seen: set[tuple[int, bytes]] = set()
    sent_again = and_(
        envelopes.c.partner == key.partner,
        envelopes.c.duplicates > 0,
        envelopes.c.id.not_in(void_envelopes()),
        ~these,
    )
    for envelope in ledger.replay_envelopes(connection, hub, sent_again):
        subjects = {signal.subject for signal in envelope.signals}
        owners = consent_subjects.subject_owners(connection, key.partner, subjects)
        for signal in envelope.signals:
            person, number = owners[signal.subject], bytes.fromhex(signal.id.replace("-", ""))
            mine = and_(signals.c.person == person, signals.c.partner == key.partner, signals.c.id == number)
            by = connection.scalar(select(signals.c.envelope).where(mine))
            if by in falling and (person, number) not in seen:
                seen.add((person, number))
                yield person


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(envelopes).where(which)) or 0


def _dropped(connection: Connection, key: PartnerKey, since: int) -> int:
    """By what the envelopes of this partner's other keys came to."""
    others = and_(
        envelopes.c.partner == key.partner,
        envelopes.c.kid != key.kid,
        envelopes.c.id > since,
        envelopes.c.event == EventType.SIGNALS.value,
    )
    outcomes = (
        codec.decode(told, IngestOutcome)
        for told in connection.scalars(select(envelopes.c.outcome).where(others))
    )
    return sum(
        reason is DropReason.KIND_NOT_REGISTERED for outcome in outcomes for _, reason in outcome.dropped
    )
