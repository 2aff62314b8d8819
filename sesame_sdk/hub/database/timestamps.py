"""Timestamps as the database stores them: integer microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def to_micros_or_none(at: datetime | None) -> int | None:
    """The same for an optional timestamp."""
    return None if at is None else to_micros(at)


def from_micros(microseconds: int) -> datetime:
    """The timestamp of `microseconds` since 1970; UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def from_micros_or_none(microseconds: int | None) -> datetime | None:
    """The same for an optional timestamp."""
    return None if microseconds is None else from_micros(microseconds)


def utc_now() -> datetime:
    """The current time; the default clock of a hub."""
    return datetime.now(UTC)
