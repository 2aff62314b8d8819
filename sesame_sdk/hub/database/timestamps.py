"""Moments as the database keeps them: whole microseconds since 1970, UTC. Integers sort and port."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """`moment` in microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def to_micros_or_none(at: datetime | None) -> int | None:
    """The same for what may be open-ended."""
    return None if at is None else to_micros(at)


def from_micros(microseconds: int) -> datetime:
    """The moment that `microseconds` since 1970 stand for; UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def from_micros_or_none(microseconds: int | None) -> datetime | None:
    """The same for what may be open-ended."""
    return None if microseconds is None else from_micros(microseconds)


def utc_now() -> datetime:
    """The clock of a hub that was given none."""
    return datetime.now(UTC)
