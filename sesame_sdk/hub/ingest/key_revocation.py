"""The impact of revoking a key, counted before or after the revocation.

What a key signed and the hub received from a point in time on no longer counts. The time of receipt decides,
since a thief can sign any date. A signal that another envelope brought too, before or under another key, is
retained as that one says: as if the revoked key had never sent or corrected it.

One loss remains: signals of the partner's own keys that were dropped because a thief's registration was in
force that lacked their kind. Dropped signals are not stored. The receipts list them, and the partner sends
them again.
"""

from datetime import datetime

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.tables import envelopes, further_disclosures, signals
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.ingest.ledger import IngestOutcome
from sesame_sdk.hub.partners.keys import PartnerKey, void_envelopes
from sesame_sdk.hub.scoring.signal_history import SAME_SIGNAL
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import DropReason, EventType


@frozen
class RevocationImpact:
    """The impact of revoking a key of the partner `issuer`.

    Attributes:
        envelopes: messages that the key signed since.
        signals: that no longer count.
        retained: signals that another envelope of the partner brought too, and that stand as it says.
        registrations: that are no longer in force.
        dropped: signals under other keys that were dropped because of these registrations.
        announced: keys that it announced since, which are revoked too.
    """

    issuer: str
    since: datetime
    envelopes: int
    signals: int
    people: int
    retained: int
    registrations: int
    dropped: int
    announced: tuple[str, ...] = ()


def revocation_impact(
    connection: Connection, key: PartnerKey, since: datetime, retained: int | None
) -> RevocationImpact:
    """Count the impact of revoking `key`, as it was before, from `since` on.

    `retained` is how many signals stand as another envelope says; None before the revocation.
    """
    these = _affected(key, since)
    ids = select(envelopes.c.id).where(these)
    counts = select(signals.c.person, func.count()).where(signals.c.envelope.in_(ids))
    still = dict(map(tuple, connection.execute(counts.group_by(signals.c.person)).all()))
    if retained is None:
        duplicated = _count_duplicated(connection, ids)
        still = {person: count - duplicated.get(person, 0) for person, count in still.items()}
        retained = sum(duplicated.values())
    registering = these & (envelopes.c.event == EventType.REGISTRATION.value)
    first = connection.scalar(select(func.min(envelopes.c.id)).where(registering))
    return RevocationImpact(
        key.issuer,
        since,
        _count(connection, these),
        sum(still.values()),
        sum(1 for count in still.values() if count),
        retained,
        _count(connection, registering),
        0 if first is None else _dropped(connection, key, first),
        tuple(one.kid for one in key.announced),
    )


def _affected(key: PartnerKey, since: datetime) -> ColumnElement[bool]:
    """Envelopes that count until `key` is revoked, and not afterwards."""
    return or_(*(_signed_since(one, since) for one in key.all))


def _signed_since(key: PartnerKey, since: datetime) -> ColumnElement[bool]:
    mine = and_(envelopes.c.partner == key.partner, envelopes.c.kid == key.kid)
    affected = mine & (envelopes.c.received_at >= to_micros(since))
    if key.revoked_at is None:
        return affected
    return affected & (envelopes.c.received_at < to_micros(key.revoked_at))


def _count_duplicated(connection: Connection, affected: Select[int]) -> dict[int, int]:
    """How many signals of each person another envelope brought, one that counts afterwards too."""
    others = further_disclosures.c.envelope
    query = (
        select(signals.c.person, func.count(signals.c.key.distinct()))
        .join_from(further_disclosures, signals, SAME_SIGNAL)
        .where(signals.c.envelope.in_(affected), others.not_in(void_envelopes()), others.not_in(affected))
        .group_by(signals.c.person)
    )
    return dict(map(tuple, connection.execute(query).all()))


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(envelopes).where(which)) or 0


def _dropped(connection: Connection, key: PartnerKey, since: int) -> int:
    """Counted from the outcomes of the envelopes of this partner's other keys."""
    kids = [one.kid for one in key.all]
    others = and_(envelopes.c.partner == key.partner, envelopes.c.kid.not_in(kids), envelopes.c.id > since)
    outcomes = select(envelopes.c.outcome).where(others, envelopes.c.event == EventType.SIGNALS.value)
    return sum(map(_count_not_registered, connection.scalars(outcomes)))


def _count_not_registered(outcome: bytes) -> int:
    try:
        dropped = codec.decode(outcome, IngestOutcome).dropped
    except InvalidInputError:
        return 0  # a damaged row, which a verification reports, must not make a revocation seem to fail
    return sum(reason is DropReason.KIND_NOT_REGISTERED for _, reason in dropped)
