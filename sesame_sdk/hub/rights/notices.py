"""What partners have to be told of people: a dispute, its result, an erasure.

Rules:
    * a notice is a signed Security Event Token; it keeps its ``jti`` and its bytes until it was told
    * it is given again until the partner acknowledges it, or the operator handed it over otherwise
    * once it was told the row goes, and with it the pseudonym; that it was told, and when, stays with
      the dispute or the erasure
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from sesame_sdk.hub.database.tables import partners
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.rights.deadlines import TELL_SOURCE, Deadline, after_business_days
from sesame_sdk.hub.rights.tables import erasures, notices
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing.security_events import new_jti


@frozen
class Notice:
    """What one partner is to be told.

    Attributes:
        partner: whom, as the tables know it.
        event: what of.
        subject: about whom: the partner's own pseudonym.
        payload: the event's.
        dispute: where it belongs to one.
        erasure: where it belongs to one.
    """

    partner: int
    event: EventType
    subject: str
    payload: object
    dispute: int | None = None
    erasure: int | None = None


@frozen
class Owed:
    """What one partner was not told yet.

    Attributes:
        partner: its issuer.
        event: what of.
        many: how many notices.
        deadline: by which the oldest has to be told.
    """

    partner: str
    event: str
    many: int
    deadline: Deadline

    def overdue(self, today: date) -> bool:
        """Whether the oldest should have been told before today."""
        return today > self.deadline.due


def owe(connection: Connection, notice: Notice, at: datetime) -> None:
    """Have a partner told."""
    row = {
        "partner": notice.partner,
        "jti": new_jti(),
        "event": notice.event.value,
        "subject": notice.subject,
        "payload": codec.encode(notice.payload),
        "created_at": to_micros(at),
        "dispute": notice.dispute,
        "erasure": notice.erasure,
    }
    connection.execute(insert(notices).values(**row))


def withdraw(connection: Connection, dispute: int, event: EventType) -> None:
    """Tell no more what was owed of a dispute: something newer takes its place."""
    this_one = (notices.c.dispute == dispute, notices.c.event == event.value)
    connection.execute(delete(notices).where(*this_one))


def waiting(connection: Connection, partner: int, most: int) -> Sequence[Row[Any]]:
    """What a partner was not told yet, oldest first, with its issuer."""
    chosen = select(notices, partners.c.issuer).join(partners, partners.c.id == notices.c.partner)
    return connection.execute(
        chosen.where(notices.c.partner == partner).order_by(notices.c.id).limit(most)
    ).all()


def told(
    connection: Connection, partner: int, jtis: Collection[str], at: datetime
) -> list[tuple[int, EventType]]:
    """A partner has these. Gives those of disputes, with their events.

    Args:
        connection: in a transaction.
        partner: whose notices; others are left alone.
        jtis: by their ids, at most a thousand; those that are not owed are passed over.
        at: now; UTC.
    """
    mine = (notices.c.partner == partner, notices.c.jti.in_(list(jtis)))
    rows = connection.execute(select(notices).where(*mine).order_by(notices.c.id).with_for_update()).all()
    connection.execute(delete(notices).where(notices.c.id.in_([row.id for row in rows])))
    for erasure in {row.erasure for row in rows} - {None}:
        close(connection, erasure, at)
    return [(row.dispute, EventType(row.event)) for row in rows if row.dispute is not None]


def owed(connection: Connection) -> list[Owed]:
    """What is owed to whom, by partner and event."""
    chosen = (
        select(partners.c.issuer, notices.c.event, func.count().label("many"), func.min(notices.c.created_at))
        .join(partners, partners.c.id == notices.c.partner)
        .group_by(partners.c.issuer, notices.c.event)
        .order_by(partners.c.issuer, notices.c.event)
    )
    return [
        Owed(issuer, event, many, _deadline(from_micros(oldest)))
        for issuer, event, many, oldest in connection.execute(chosen)
    ]


def close(connection: Connection, erasure: int, at: datetime) -> None:
    """Write down that nobody has to be told of an erasure any more, if so."""
    left = select(notices.c.id).where(notices.c.erasure == erasure).limit(1)
    if connection.execute(left).first() is None:
        this_one = update(erasures).where(erasures.c.id == erasure)
        connection.execute(this_one.values(notified_at=to_micros(at)))


def _deadline(made_at: datetime) -> Deadline:
    # GDPR 19 names no days for an erasure; ours are those of a dispute.
    return Deadline("tell the partner", after_business_days(made_at.date(), TELL_SOURCE))
