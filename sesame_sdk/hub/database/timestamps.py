"""Moments as the database keeps them: whole microseconds since 1970, UTC. Integers sort and port."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """`moment` in microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


def micros_or_none(moment: datetime | None) -> int | None:
    """The same for what may be open-ended."""
    return None if moment is None else micros(moment)


def moment(microseconds: int) -> datetime:
    """The moment that `microseconds` since 1970 stand for; UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def moment_or_none(microseconds: int | None) -> datetime | None:
    """The same for what may be open-ended."""
    return None if microseconds is None else moment(microseconds)


def now() -> datetime:
    """The clock of a hub that was given none."""
    return datetime.now(UTC)
