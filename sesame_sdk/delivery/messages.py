"""The messages of an outbox, and their outcomes."""

from collections.abc import Iterable

from attrs import field, frozen

from sesame_sdk.errors import RetryableError
from sesame_sdk.model.envelope import Receipt
from sesame_sdk.model.signals import Signal


class OutboxFullError(RetryableError):
    """The outbox is full; the messages in it are safe.

    Attributes:
        stored: how many signals of the failed call are on disk.
        remaining: the others, to be posted when there is space again.
    """

    stored: int = 0
    remaining: Iterable[Signal] = ()

    def record_progress(self, stored: int, remaining: Iterable[Signal]) -> None:
        """Record how far the call came."""
        self.stored, self.remaining = stored, remaining
        self.message = f"{self.message}; {stored} signals of this call are stored"


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
    """A message that the receiver acknowledged: the verified receipt, and its token as it came."""

    message: Message
    receipt: Receipt
    token: bytes = field(repr=False)


@frozen
class Failed:
    """A message that the receiver rejected, with a code of RFC 8935 section 2.4 if it gave one."""

    message: Message
    code: str
    reason: str


@frozen
class DeadLetter:
    """A dead-lettered message, without its body. `id` stays the same if it is signed anew."""

    id: int
    jti: str
    event: str
    signal_count: int
    code: str
    reason: str


@frozen
class StoredMessage(DeadLetter):
    """A message in any state: ``pending``, ``sent``, then without its body, or ``dead``."""

    state: str
    body: bytes = field(repr=False)


@frozen
class RedriveResult:
    """How many dead letters were queued again, how many of these were signed anew, and which could not be.

    `damaged` has the ids of those that stay, because their signals cannot be read.
    """

    queued: int
    signed_anew: int
    damaged: tuple[int, ...]


@frozen
class MessageCounts:
    """How many messages are in each state, and the bytes of those not sent."""

    pending: int
    sent: int
    dead: int
    bytes: int
