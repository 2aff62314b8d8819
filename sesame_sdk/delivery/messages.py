"""What goes through the outbox, and what becomes of it."""

from collections.abc import Iterable

from attrs import field, frozen

from sesame_sdk.errors import RetryableError
from sesame_sdk.model.envelope import Receipt
from sesame_sdk.model.signals import Signal


class OutboxFullError(RetryableError):
    """The outbox has no room; what it holds is safe.

    Attributes:
        stored: how many signals of the refused call are on disk.
        remaining: the others, to be posted once there is room.
    """

    stored: int = 0
    remaining: Iterable[Signal] = ()

    def record_progress(self, stored: int, remaining: Iterable[Signal]) -> None:
        """Tell what became of the signals of the call."""
        self.stored, self.remaining = stored, remaining
        self.message = f"{self.message}; {stored} signals of this call are kept"


@frozen
class Message:
    """A pending message."""

    id: int
    jti: str
    event: str
    signal_count: int
    body: bytes = field(repr=False)


@frozen
class Acknowledged:
    """A letter that the other party signed for: the verified receipt, and the token as it came."""

    message: Message
    receipt: Receipt
    token: bytes = field(repr=False)


@frozen
class Failed:
    """A letter that was refused for good.

    Attributes:
        code: why, for a machine; one of RFC 8935 section 2.4 where the other party gave one.
        reason: why, in words.
    """

    message: Message
    code: str
    reason: str


@frozen
class DeadLetter:
    """What is told of a dead letter: everything but its body."""

    jti: str
    event: str
    signal_count: int
    code: str
    reason: str


@frozen
class MessageCounts:
    """How many messages are in each state, and the bytes that the unsent ones hold."""

    pending: int
    sent: int
    dead: int
    bytes: int
