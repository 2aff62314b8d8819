"""Notices to partners about people: a dispute, its result, an erasure.

Rules:
    * a notice is a signed Security Event Token; ``jti`` and bytes stay the same until it is delivered
    * it is sent again until the partner acknowledges it, or the operator delivers it in another way
    * on delivery the row and its pseudonym are deleted; the time stays with the dispute or the erasure
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from sesame_sdk.hub.database.tables import erasures, notices, partners
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.rights.dispute_model import NOTIFY_SOURCE_DAYS, Deadline, add_business_days
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing.jwt import new_jti


@frozen
class Notice:
    """A notice to one partner; `partner` and `erasure` are row ids, `subject` is its own pseudonym."""

    partner: int
    event: EventType
    subject: str
    payload: object
    dispute: int | None = None
    erasure: int | None = None


@frozen
class PendingNotices:
    """Undelivered notices of one type to one partner, and the deadline of the oldest."""

    partner: str
    event: str
    count: int
    deadline: Deadline

    def is_overdue(self, today: date) -> bool:
        """Whether the deadline of the oldest has passed."""
        return today > self.deadline.due


def enqueue(connection: Connection, notice: Notice, at: datetime) -> None:
    """Add a notice."""
    row = {"partner": notice.partner, "jti": new_jti(), "event": notice.event.value}
    row |= {"subject": notice.subject, "payload": codec.encode(notice.payload), "created_at": to_micros(at)}
    row |= {"dispute": notice.dispute, "erasure": notice.erasure}
    connection.execute(insert(notices).values(**row))


def cancel(connection: Connection, dispute: int, event: EventType) -> None:
    """Delete an undelivered notice of a dispute, which a newer one replaces."""
    condition = (notices.c.dispute == dispute, notices.c.event == event.value)
    connection.execute(delete(notices).where(*condition))


def fetch(connection: Connection, partner: int, limit: int) -> Sequence[Row[Any]]:
    """Undelivered notices to a partner, oldest first, with its issuer."""
    query = select(notices, partners.c.issuer).join(partners, partners.c.id == notices.c.partner)
    query = query.where(notices.c.partner == partner).order_by(notices.c.id)
    return connection.execute(query.limit(limit)).all()


def any_pending(connection: Connection, partner: int, jtis: Collection[str]) -> bool:
    """Whether any of these notices to a partner is undelivered."""
    condition = (notices.c.partner == partner, notices.c.jti.in_(list(jtis)))
    return (
        bool(jtis) and connection.execute(select(notices.c.id).where(*condition).limit(1)).first() is not None
    )


def acknowledge(
    connection: Connection, partner: int, jtis: Collection[str], at: datetime
) -> list[tuple[int, EventType]]:
    """Delete delivered notices; unknown ones are ignored. Returns their disputes, with event types."""
    condition = (notices.c.partner == partner, notices.c.jti.in_(list(jtis)))
    query = select(notices).where(*condition).order_by(notices.c.id).with_for_update()
    rows = connection.execute(query).all()
    connection.execute(delete(notices).where(notices.c.id.in_([row.id for row in rows])))
    for erasure in {row.erasure for row in rows} - {None}:
        close_erasure(connection, erasure, at)
    return [(row.dispute, EventType(row.event)) for row in rows if row.dispute is not None]


def list_pending(connection: Connection) -> list[PendingNotices]:
    """Undelivered notices, by partner and event."""
    query = (
        select(partners.c.issuer, notices.c.event, func.count(), func.min(notices.c.created_at))
        .join(partners, partners.c.id == notices.c.partner)
        .group_by(partners.c.issuer, notices.c.event)
        .order_by(partners.c.issuer, notices.c.event)
    )
    return [
        PendingNotices(issuer, event, count, _deadline(from_micros(oldest)))
        for issuer, event, count, oldest in connection.execute(query)
    ]


def close_erasure(connection: Connection, erasure: int, at: datetime) -> None:
    """Record that all notices of an erasure are delivered, if they are."""
    remaining = select(notices.c.id).where(notices.c.erasure == erasure).limit(1)
    if connection.execute(remaining).first() is None:
        notified = update(erasures).where(erasures.c.id == erasure).values(notified_at=to_micros(at))
        connection.execute(notified)


def _deadline(made_at: datetime) -> Deadline:
    # GDPR 19 sets no deadline for an erasure: we use that of a dispute.
    return Deadline("notify the partner", add_business_days(made_at.date(), NOTIFY_SOURCE_DAYS))
