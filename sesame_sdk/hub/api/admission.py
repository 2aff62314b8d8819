"""Shares the hub's memory and its time among partners; what is refused gets 503 with Retry-After.

The sender of a request is known by the id of the key in its token, before any signature is verified. That is
no proof, but it tells whose share is used: strangers, whose keys no partner has, use a small one together.

Rules:
    * bodies that arrive have a share of memory. If it is used up, the partner that holds the most gives way
      to the others, with the body of which nothing came for the longest time
    * a partner has at most `PARTNER_SHARE` of the requests in progress, strangers `STRANGERS_SHARE`
    * where requests wait for a thread, partners take turns, and each has at most so many at once

Limits per address are for the reverse proxy, which knows the addresses.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager

from attrs import define, field

from sesame_sdk.errors import RetryableError

#: The sender of requests that no partner's key signed.
STRANGERS = ""
#: Of the requests in progress.
PARTNER_SHARE, STRANGERS_SHARE = 0.75, 0.125
#: Seconds without a byte after which a partner's own body gives way to its next one.
_STALLED_SECONDS = 1.0


def busy() -> RetryableError:
    """The error for a request that has to wait."""
    return RetryableError("the hub is busy", hint="send again later", retry_after=1)


@define(eq=False)
class Reservation:
    """The memory of one body that arrives.

    Attributes:
        sender: issuer of the partner, or `STRANGERS`.
        evicted: whether it had to give way; its reader then raises.
    """

    _budget: "MemoryBudget"
    sender: str
    size: int = 0
    received_at: float = 0.0
    evicted: bool = False
    deadline: asyncio.Timeout | None = None

    def add(self, size: int) -> None:
        """Reserve more bytes. Raises `RetryableError`: there are none, or others need these more."""
        self._budget.allocate(self, size)

    def evict(self) -> None:
        """Free the memory, and wake the reader."""
        self.evicted = True
        self._budget.release(self)
        if self.deadline is not None and not self.deadline.expired():
            self.deadline.reschedule(0)

    def move_to(self, sender: str) -> None:
        """Use the share of this sender from now on."""
        size = self.size
        self._budget.release(self)
        self.sender = sender
        self.add(size)

    def shrink(self, size: int) -> None:
        """Keep only so many bytes."""
        self._budget.release(self)
        self.add(size)


class MemoryBudget:
    """Counts the bytes of bodies in memory, by sender; for one event loop. `max_bytes` is for all."""

    def __init__(self, max_bytes: int) -> None:
        self._available = max_bytes
        self._reservations: dict[Reservation, None] = {}
        self._held = Counter[str]()

    @contextmanager
    def reserve(self, sender: str) -> Iterator[Reservation]:
        """A reservation that grows, and is released when the block ends."""
        reservation = Reservation(self, sender)
        self._reservations[reservation] = None
        try:
            yield reservation
        finally:
            self.release(reservation)
            del self._reservations[reservation]

    def allocate(self, reservation: Reservation, size: int) -> None:
        """Give a reservation more bytes; see `Reservation.add`."""
        now = asyncio.get_running_loop().time()
        while size > self._available:
            self._find_victim(reservation, size, now).evict()
        if reservation.evicted:
            raise busy()
        self._available -= size
        self._held[reservation.sender] += size
        reservation.size += size
        reservation.received_at = now

    def release(self, reservation: Reservation) -> None:
        """Take the bytes of a reservation back."""
        self._available += reservation.size
        self._held[reservation.sender] -= reservation.size
        reservation.size = 0

    def _find_victim(self, reservation: Reservation, size: int, now: float) -> Reservation:
        others = [one for one in self._reservations if one.size and one is not reservation]
        if others:
            largest = max(others, key=lambda one: (self._held[one.sender], -one.received_at))
            if largest.sender == reservation.sender:
                gives_way = now - largest.received_at >= _STALLED_SECONDS
            else:
                gives_way = self._held[largest.sender] >= self._held[reservation.sender] + size
            if gives_way:
                return largest
        raise busy()


class ConcurrencyLimit:
    """Counts the requests in progress, of each sender and together; for one event loop."""

    def __init__(self, max_requests: int) -> None:
        self._max_requests = max_requests
        self._in_progress = Counter[str]()

    @contextmanager
    def count(self, sender: str) -> Iterator[None]:
        """Count a request in progress. Raises `RetryableError`: the sender, or all, have too many."""
        share = STRANGERS_SHARE if sender == STRANGERS else PARTNER_SHARE
        of_sender = self._in_progress[sender]
        if self._in_progress.total() >= self._max_requests or of_sender >= max(1, self._max_requests * share):
            raise busy()
        self._in_progress[sender] += 1
        try:
            yield
        finally:
            self._in_progress[sender] -= 1
            if not self._in_progress[sender]:
                del self._in_progress[sender]


@define(eq=False)
class FairQueue:
    """Lets requests do some work, in turns of their senders; for one event loop.

    Attributes:
        slots: how many at the same time.
        per_sender: how many of one sender at the same time.
    """

    slots: int
    per_sender: int
    _running: Counter[str] = field(factory=Counter, init=False)
    _waiting: dict[str, deque[asyncio.Future[None]]] = field(factory=dict, init=False)

    @asynccontextmanager
    async def turn(self, sender: str) -> AsyncIterator[None]:
        """Wait for a slot, and hold it."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(sender, deque()).append(granted)
        self._grant()
        try:
            await granted
            yield
        finally:
            # Also if the client went away, before or after it was granted.
            if granted.done() and not granted.cancelled():
                self._running[sender] -= 1
                if not self._running[sender]:
                    del self._running[sender]
            else:
                granted.cancel()
            self._grant()

    def _grant(self) -> None:
        while self._running.total() < self.slots and (sender := self._next_sender()) is not None:
            queue = self._waiting.pop(sender)
            granted = queue.popleft()
            if queue:
                self._waiting[sender] = queue  # last in the order of turns
            if not granted.cancelled():
                self._running[sender] += 1
                granted.set_result(None)

    def _next_sender(self) -> str | None:
        return next((one for one in self._waiting if self._running[one] < self.per_sender), None)


@define(eq=False)
class Admission:
    """What one process shares among its senders.

    Attributes:
        memory: of bodies that arrive.
        requests: in progress.
        verification: of messages, in one thread. A second one waits for it there, so that it is never idle.
        calls: other requests, which mostly wait for the database.
        bulk: large reads, which keep a processor busy.
        verifier: the thread.
        senders: the issuers of known keys, by key id.
    """

    memory: MemoryBudget
    requests: ConcurrencyLimit
    verification: FairQueue = field(factory=lambda: FairQueue(slots=2, per_sender=2))
    calls: FairQueue = field(factory=lambda: FairQueue(slots=32, per_sender=8))
    bulk: FairQueue = field(factory=lambda: FairQueue(slots=2, per_sender=1))
    # One thread: more would not verify faster under the interpreter's lock, and would slow down the writer,
    # for which all requests wait.
    verifier: Executor = field(factory=lambda: ThreadPoolExecutor(1, "sesame-hub-verifier"))
    senders: dict[str, str] = field(factory=dict)
