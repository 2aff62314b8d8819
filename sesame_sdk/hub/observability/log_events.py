"""Every line that a hub writes into its log, as a type. There is no other, and none has free text."""

from typing import ClassVar

from attrs import field, frozen

from sesame_sdk.hub.observability.safe_values import Fault, Safe

DEBUG, INFO, WARNING, ERROR = 10, 20, 30, 40


@frozen
class Line:
    """One line. Its fields are numbers, `Safe` words and `Fault`.

    Attributes:
        level: of the kind of line, as in `logging`; a line may have one of its own.
    """

    level: ClassVar[int] = INFO

    @property
    def urgency(self) -> int:
        """This line's level."""
        return self.level


@frozen
class Ready(Line):
    """Requests are answered from now on, at this port."""

    port: int
    after_ms: float


@frozen
class Stopping(Line):
    """Told to stop. What is under way is finished."""

    connections: int


@frozen
class Stopped(Line):
    """The end: all that was under way is answered, or was given up (`Cut`)."""

    after_ms: float


@frozen
class Cut(Line):
    """A request that got no answer: its sender left, or the hub had to stop."""

    level: ClassVar[int] = WARNING
    method: Safe
    route: Safe
    ms: float


@frozen
class WorkerLeft(Line):
    """A worker ended that nobody told to, and another takes its place. `code` is minus a signal's number."""

    level: ClassVar[int] = ERROR
    code: int
    lived_ms: float


@frozen
class ReadyChanged(Line):
    """The hub became able to do its work, or unable, and why."""

    level: ClassVar[int] = WARNING
    state: Safe
    fault: Fault = ()


@frozen
class Answered(Line):
    """A request was answered. Those of watchers, who ask every few seconds, are for debugging only."""

    method: Safe
    route: Safe
    status: int
    ms: float

    @property
    def urgency(self) -> int:
        """Low where nothing was the matter and nobody did anything."""
        watched = self.route.startswith(("/health", "/.well-known"))
        return DEBUG if watched and self.status < 400 else INFO


@frozen
class Refused(Line):
    """The guard refused. `rules` are the first of its findings; whoever asked was told of all."""

    level: ClassVar[int] = WARNING
    route: Safe
    status: int
    findings: int
    rules: tuple[Safe, ...]


@frozen
class RequestFailed(Line):
    """A fault of ours: the request was answered 500."""

    level: ClassVar[int] = ERROR
    route: Safe
    fault: Fault


@frozen
class LedgerFailed(Line):
    """The database did not answer for a request; the sender was asked to come back."""

    level: ClassVar[int] = WARNING
    route: Safe
    fault: Fault


@frozen
class GroupFailed(Line):
    """The ledger did not take a group; everybody in it is asked to send again."""

    level: ClassVar[int] = ERROR
    pieces: int
    fault: Fault


@frozen
class FeedHeldUp(Line):
    """Nobody can be told of changes at the moment."""

    level: ClassVar[int] = WARNING
    fault: Fault


@frozen
class MessageRefused(Line):
    """A reader refused a message for good; it is a dead letter."""

    level: ClassVar[int] = WARNING
    stream: int
    code: Safe


@frozen
class NotDelivered(Line):
    """A reader that is pushed to is away."""

    level: ClassVar[int] = WARNING
    stream: int
    wait_seconds: float
    fault: Fault


@frozen
class ThreadFailed(Line):
    """Something of ours ended that should not."""

    level: ClassVar[int] = ERROR
    fault: Fault


@frozen
class Library(Line):
    """What a library logged: whose, where in its code, and the words only if they are known."""

    library: Safe
    place: Safe
    urgency: int = field(kw_only=True)
    text: Safe | None = None
    fault: Fault = ()
