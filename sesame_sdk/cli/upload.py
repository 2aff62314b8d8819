"""The way of signals to the outbox, and from there to the hub, round by round.

Everything goes into the outbox, whether the hub answers or not: after a delivery that did not go through,
signals are only kept. Nothing but an outbox that is full and cannot be emptied ends the reading.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from attrs import define, field

from sesame_sdk.errors import RetryableError, SesameError
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.model.signals import Signal

if TYPE_CHECKING:
    from sesame_sdk.partner.client import Client

#: Signals that go into the outbox before it is emptied: bounds its size, whatever the file's.
ROUND = 100_000


@define
class SignalUploader:
    """Takes signals on their way, and counts what came of it.

    Attributes:
        full: the outbox took no more, and could not be emptied.
        away: the last delivery did not go through.
        elsewhere: because another process was at it.
        why: why it did not, or why envelopes wait.
        refusals: the hub's reasons for what it refused for good.
        fault: of the set-up; it ends deliveries, not the reading.
    """

    client: "Client"
    advance: Callable[[int], None]
    full: bool = False
    away: bool = False
    elsewhere: bool = False
    why: str = ""
    refusals: tuple[str, ...] = ()
    fault: SesameError | None = None
    sent: int = 0
    dead: int = 0
    pending: int = 0
    accepted: int = 0
    duplicates: int = 0
    dropped: Counter[DropReason] = field(factory=Counter)

    def run(self, signals: Iterator[Signal]) -> None:
        """Take all of `signals`, or as many as there is room for."""
        while self._keep(islice(signals, ROUND)) and not self.full:
            if not self.away:
                self._deliver()
        self.pending = self.client.counts().pending
        reasons = [letter.reason for letter in self.client.dead_letters()]
        self.refusals = tuple(dict.fromkeys(reasons[len(reasons) - self.dead :]))

    def _keep(self, signals: Iterable[Signal]) -> int:
        """Put signals into the outbox, making room as often as that helps; how many it took."""
        from sesame_sdk.delivery.messages import OutboxFullError

        kept = 0
        while True:
            try:
                return kept + self.client.post(signals).signals
            except OutboxFullError as full:
                kept, signals = kept + full.stored, full.remaining
            if not self._deliver():
                self.full = True
                return kept

    def _deliver(self) -> int:
        """Empty the outbox; how many envelopes are out of it."""
        try:
            delivery = self.client.deliver(progress=self.advance)
        except SesameError as error:
            self.away, self.why = True, str(error)
            self.elsewhere = isinstance(error, RetryableError)
            self.fault = None if self.elsewhere else error
            return 0
        self.away, self.why = bool(delivery.pending), delivery.reason
        self.sent += delivery.sent
        self.dead += delivery.dead
        self.accepted += delivery.accepted
        self.duplicates += delivery.duplicates
        self.dropped.update(delivery.dropped)
        return delivery.sent
