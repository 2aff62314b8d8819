"""A clock that a test sets."""

from datetime import UTC, datetime, timedelta

from attrs import define, field

from sesame_sdk.model import validators


@define
class Clock:
    """Stands still until it is advanced. Call it to read the time; give one to a hub and its partners.

    Attributes:
        now: UTC.
    """

    now: datetime = field(default=datetime(2026, 6, 1, 12, tzinfo=UTC), validator=validators.utc)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def advance(self, **time: float) -> None:
        """Advance it: ``minutes=5``, as `timedelta` takes it."""
        self.now += timedelta(**time)
