"""What goes through the outbox, and what becomes of it."""

from collections.abc import Iterable

from attrs import field, frozen

from sesame_sdk.errors import RetryableError
from sesame_sdk.model.envelope import Receipt
from sesame_sdk.model.signals import Signal


class OutboxFull(RetryableError):
    """The outbox has no room; what it holds is safe.

    Attributes:
        kept: how many signals of the refused call are on disk.
        rest: the others, to be posted once there is room.
    """

    kept: int = 0
    rest: Iterable[Signal] = ()

    def having_kept(self, kept: int, rest: Iterable[Signal]) -> None:
        """Tell what became of the signals of the call."""
        self.kept, self.rest = kept, rest
        self.message = f"{self.message}; {kept} signals of this call are kept"


@frozen
class Message:
    """A pending message."""

    id: int
    jti: str
    kind: str
    signals: int
    body: bytes = field(repr=False)


@frozen
class Acknowledged:
    """A letter that the other party signed for: the verified receipt, and the token as it came."""

    letter: Message
    receipt: Receipt
    token: bytes = field(repr=False)


@frozen
class Failed:
    """A letter that was refused for good.

    Attributes:
        code: why, for a machine; one of RFC 8935 section 2.4 where the other party gave one.
        reason: why, in words.
    """

    letter: Message
    code: str
    reason: str


@frozen
class DeadLetter:
    """What is told of a dead letter: everything but its body."""

    jti: str
    kind: str
    signals: int
    code: str
    reason: str


@frozen
class Counts:
    """How many messages are in each state, and the bytes that the unsent ones hold."""

    pending: int
    sent: int
    dead: int
    bytes: int
