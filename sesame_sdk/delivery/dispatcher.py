"""Sends pending messages concurrently, unordered.

Rules:
- An acknowledged message is sent; a rejected one is dead; an unanswered one stays pending. The outcome of a
  message is on disk before the next one takes its place.
- One unanswered message does not stop the others. As many in a row as are sent concurrently (three at
  least) mean that the hub is unavailable: the run ends, and the rest stays pending.
- A `ConfigurationError` affects every message: it ends the run and is raised, after the outcomes of those
  under way are recorded.
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
_MIN_FAILURES = 3


@frozen
class DeliveryResult:
    """The result of a run: envelopes by outcome, and the signals in the sent ones.

    `reason` says why envelopes are still pending; it is empty if none is.
    """

    sent: int
    dead: int
    pending: int
    accepted: int
    duplicates: int
    dropped: Mapping[DropReason, int]
    reason: str = ""
    corrected: int = 0


class MessageQueue(Protocol):
    """A queue of messages: an `Outbox`, or a hub's stream."""

    def fetch_pending(self, *, after: int = 0, limit: int = 100) -> list[Message]:
        """The oldest pending messages whose `id` is above `after`."""
        ...

    def record_outcomes(
        self, acknowledged: Iterable[Acknowledged] = (), failed: Iterable[Failed] = ()
    ) -> None:
        """Record the outcomes of messages in one transaction."""
        ...

    def counts(self) -> MessageCounts:
        """Count the messages by state."""
        ...

    def delivery_lock(self) -> AbstractContextManager[None]:
        """The lock of a delivery. Raises `RetryableError` if another process has it."""
        ...


class Dispatcher:
    """One delivery run.

    Args:
        send: sends a message and returns its verified receipt; called in several threads.
        concurrency: how many messages are sent concurrently.
        interruptible: ends the waits of all threads when the run is interrupted.
        prepare: called once before the first message is sent; a `RetryableError` ends the run.
        progress: called with the number of signals of each message that leaves the queue.

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
        prepare: Callable[[], object] = lambda: None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        if not 1 <= concurrency <= MAX_CONCURRENCY:
            raise ConfigurationError(f"must be 1 to {MAX_CONCURRENCY}", field="concurrency")
        self._queue = queue
        self._sender = send
        self._concurrency = concurrency
        self._interruptible = interruptible
        self._prepare = prepare
        self._progress = progress or (lambda _: None)
        self._running: set[Future[Acknowledged | Failed | None]] = set()
        self._last_id = 0
        self._stopped = False
        self._unanswered = 0
        self._reason = ""
        self._error: BaseException | None = None
        self._totals: Counter[str] = Counter()
        self._dropped: Counter[DropReason] = Counter()

    def run(self) -> DeliveryResult:
        """Deliver until nothing is pending, including messages that are appended meanwhile.

        Raises:
            RetryableError: another process is delivering.
            ConfigurationError: see the module's rules.
        """
        with self._queue.delivery_lock(), ThreadPoolExecutor(self._concurrency, "sesame-delivery") as pool:
            try:
                with self._interruptible:
                    self._begin()
                    while self._claim(pool):
                        done, self._running = wait(self._running, return_when=FIRST_COMPLETED)
                        self._acknowledge(done)
            finally:
                self._stopped = True
        if self._error:
            raise self._error
        return self._result()

    def _begin(self) -> None:
        if self._queue.fetch_pending(limit=1):
            try:
                self._prepare()
            except RetryableError as error:
                self._stopped, self._reason = True, str(error)

    def _claim(self, pool: ThreadPoolExecutor) -> bool:
        # Twice as many as are sent concurrently, so that no thread waits for us to read the next one.
        free = 2 * self._concurrency - len(self._running)
        if not self._stopped and free > 0:
            for message in self._queue.fetch_pending(after=self._last_id, limit=free):
                self._last_id = message.id
                self._running.add(pool.submit(self._send, message))
        return bool(self._running)

    def _send(self, message: Message) -> Acknowledged | Failed | None:
        if self._stopped:
            return None
        try:
            return self._sender(message)
        except InvalidInputError as error:
            return Failed(message, error.code, str(error))

    def _acknowledge(self, done: Iterable[Future[Acknowledged | Failed | None]]) -> None:
        acknowledged: list[Acknowledged] = []
        failed: list[Failed] = []
        for future in done:
            if (error := future.exception()) is not None:
                self._handle_error(error)
            elif isinstance(outcome := future.result(), Acknowledged):
                acknowledged.append(outcome)
            elif outcome is not None:
                failed.append(outcome)
        if acknowledged or failed:
            # Messages that ended together are unordered: one answer shows that the hub is available.
            self._unanswered = 0
            self._queue.record_outcomes(acknowledged, failed)
        self._stopped |= self._unanswered >= max(self._concurrency, _MIN_FAILURES)
        self._count(acknowledged, failed)

    def _handle_error(self, error: BaseException) -> None:
        if isinstance(error, RetryableError):
            self._unanswered += 1
            self._reason = str(error)
        else:
            self._error = self._error or error
            self._stopped = True

    def _count(self, acknowledged: list[Acknowledged], failed: list[Failed]) -> None:
        self._totals.update(sent=len(acknowledged), dead=len(failed))
        for outcome in acknowledged:
            receipt = outcome.receipt
            self._totals.update(accepted=receipt.accepted, duplicates=receipt.duplicates)
            self._totals.update(corrected=receipt.corrected)
            self._dropped.update(signal.reason for signal in receipt.dropped)
        for message in [each.message for each in acknowledged] + [each.message for each in failed]:
            self._progress(message.signal_count)

    def _result(self) -> DeliveryResult:
        pending = self._queue.counts().pending
        return DeliveryResult(
            sent=self._totals["sent"],
            dead=self._totals["dead"],
            pending=pending,
            accepted=self._totals["accepted"],
            duplicates=self._totals["duplicates"],
            dropped=dict(self._dropped),
            reason=self._reason if pending else "",
            corrected=self._totals["corrected"],
        )
