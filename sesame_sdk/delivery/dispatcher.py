"""Carrying what is pending to the hub, several letters at a time, in no certain order.

Rules:
- A letter that was signed for is sent; one that was refused is dead; one that got no answer stays
  pending. What has become of a letter is on disk before the next one takes its place.
- One letter without an answer does not keep the others. As many in a row as are under way at once
  (three at least) mean that the hub is away: the run ends, and the rest stays pending.
- A fault in the set-up (`ConfigurationError`) concerns every letter: it ends the run and is raised, after
  what was under way is written down.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from typing import Protocol

from attrs import frozen

from sesame_sdk.delivery.messages import Acknowledged, Failed, Message, MessageCounts
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.model.envelope import DropReason

MAX_CONCURRENCY = 32
_FEWEST_FAILURES = 3


@frozen
class DeliveryResult:
    """What a run came to.

    Attributes:
        sent: envelopes that the hub signed for.
        dead: envelopes refused for good; see `Client.dead_letters`.
        pending: envelopes that still wait.
        accepted: signals that the hub had not seen before, in those sent.
        duplicates: signals that it had.
        dropped: signals that it did not keep, by reason.
        reason: why some still wait; empty when none does.
    """

    sent: int
    dead: int
    pending: int
    accepted: int
    duplicates: int
    dropped: Mapping[DropReason, int]
    reason: str = ""


class MessageQueue(Protocol):
    """Where letters wait: `Outbox` is one, and so is a hub's stream."""

    def fetch_pending(self, *, after: int = 0, limit: int = 100) -> list[Message]:
        """The oldest pending letters whose `id` is above `after`."""
        ...

    def record_outcomes(
        self, acknowledged: Iterable[Acknowledged] = (), failed: Iterable[Failed] = ()
    ) -> None:
        """Write down what became of some letters, in one transaction."""
        ...

    def counts(self) -> MessageCounts:
        """How many letters are in each state."""
        ...

    def delivery_lock(self) -> AbstractContextManager[None]:
        """The right to deliver, held by one at a time. Raises `RetryableError` when somebody else has it."""
        ...


class Dispatcher:
    """One run of delivery.

    Args:
        queue: where letters wait.
        send: sends one and gives back its verified receipt; called in several threads.
        concurrency: how many letters are under way at a time.
        interruptible: ends the waits of all threads when the run is interrupted.
        progress: told the number of signals of each letter that is off the queue.

    Raises:
        ConfigurationError: `concurrency` is not 1 to `MAX_CONCURRENCY`.
    """

    def __init__(
        self,
        queue: MessageQueue,
        send: Callable[[Message], Acknowledged],
        *,
        concurrency: int,
        interruptible: AbstractContextManager[None],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        if not 1 <= concurrency <= MAX_CONCURRENCY:
            raise ConfigurationError(f"must be 1 to {MAX_CONCURRENCY}", field="concurrency")
        self._outbox = queue
        self._send = send
        self._at_once = concurrency
        self._interruptible = interruptible
        self._progress = progress or (lambda _: None)
        self._running: set[Future[Acknowledged | Failed | None]] = set()
        self._last = 0
        self._over = False
        self._unanswered = 0
        self._why = ""
        self._fault: BaseException | None = None
        self._tally: Counter[str] = Counter()
        self._dropped: Counter[DropReason] = Counter()

    def run(self) -> DeliveryResult:
        """Deliver until nothing is left to try. What is appended meanwhile is taken along.

        Raises:
            RetryableError: another process delivers already.
            ConfigurationError: see the module's rules.
        """
        with self._outbox.delivery_lock(), ThreadPoolExecutor(self._at_once, "sesame-delivery") as pool:
            try:
                with self._interruptible:
                    self._carry_all(pool)
            finally:
                self._over = True
        if self._fault:
            raise self._fault
        return self._result()

    def _carry_all(self, pool: ThreadPoolExecutor) -> None:
        while self._take_up(pool):
            done, self._running = wait(self._running, return_when=FIRST_COMPLETED)
            self._settle(done)

    def _take_up(self, pool: ThreadPoolExecutor) -> bool:
        # Twice as many as are sent at once, so that no thread waits for us to read the next one.
        room = 2 * self._at_once - len(self._running)
        if not self._over and room > 0:
            for letter in self._outbox.fetch_pending(after=self._last, limit=room):
                self._last = letter.id
                self._running.add(pool.submit(self._carry, letter))
        return bool(self._running)

    def _carry(self, letter: Message) -> Acknowledged | Failed | None:
        if self._over:
            return None
        try:
            return self._send(letter)
        except InvalidInputError as error:
            return Failed(letter, error.code, str(error))

    def _settle(self, done: Iterable[Future[Acknowledged | Failed | None]]) -> None:
        ended = []
        for future in done:
            error = future.exception()
            if error is not None:
                self._failed(error)
            elif (outcome := future.result()) is not None:
                ended.append(outcome)
        sent = [outcome for outcome in ended if isinstance(outcome, Acknowledged)]
        dead = [outcome for outcome in ended if isinstance(outcome, Failed)]
        if ended:
            # What ended together has no order: one answer says that the hub is there.
            self._unanswered = 0
            self._outbox.record_outcomes(sent, dead)
        self._over |= self._unanswered >= max(self._at_once, _FEWEST_FAILURES)
        self._count(sent, dead)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, RetryableError):
            self._unanswered += 1
            self._why = str(error)
        else:
            self._fault = self._fault or error
            self._over = True

    def _count(self, sent: list[Acknowledged], dead: list[Failed]) -> None:
        self._tally.update(sent=len(sent), dead=len(dead))
        for done in sent:
            self._tally.update(accepted=done.receipt.accepted, duplicates=done.receipt.duplicates)
            self._dropped.update(signal.reason for signal in done.receipt.dropped)
        for letter in [outcome.message for outcome in sent] + [outcome.message for outcome in dead]:
            self._progress(letter.signal_count)

    def _result(self) -> DeliveryResult:
        pending = self._outbox.counts().pending
        return DeliveryResult(
            sent=self._tally["sent"],
            dead=self._tally["dead"],
            pending=pending,
            accepted=self._tally["accepted"],
            duplicates=self._tally["duplicates"],
            dropped=dict(self._dropped),
            reason=self._why if pending else "",
        )
