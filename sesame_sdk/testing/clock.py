"""A clock that stands still until it is told to go on."""

from datetime import UTC, datetime, timedelta

from attrs import define, field

from sesame_sdk.model import validators


@define
class Clock:
    """Says what time it is: call it. Give one to a `MemoryHub` and to whoever speaks to it.

    Attributes:
        now: UTC.
    """

    now: datetime = field(default=datetime(2026, 6, 1, 12, tzinfo=UTC), validator=validators.utc)

    def __call__(self) -> datetime:
        """What time it is."""
        return self.now

    def pass_by(self, **time: float) -> None:
        """Let time pass: ``minutes=5``."""
        self.now += timedelta(**time)
