"""Limits the requests in progress and the memory of their bodies; others get 503.

No signature is verified yet where this counts, so the limits are shared by all clients: they keep those that
cannot sign from using up the server. Limits per address are for the reverse proxy, which knows the addresses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from sesame_sdk.errors import RetryableError


def _busy() -> RetryableError:
    return RetryableError("the hub is busy", hint="send again later", retry_after=1)


class MemoryBudget:
    """Counts the bytes of request bodies in memory; for one event loop.

    Args:
        max_bytes: of all bodies together.
    """

    def __init__(self, max_bytes: int) -> None:
        self._available = max_bytes

    @contextmanager
    def reserve(self) -> Iterator["Reservation"]:
        """A reservation that grows, and is released when the block ends."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self._available += reservation.size

    def allocate(self, size: int) -> None:
        """Allocate bytes.

        Raises:
            RetryableError: the budget is used up.
        """
        if size > self._available:
            raise _busy()
        self._available -= size


class Reservation:
    """The memory of one request."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.size = 0

    def add(self, size: int) -> None:
        """Reserve more bytes.

        Raises:
            RetryableError: the budget is used up.
        """
        self._budget.allocate(size)
        self.size += size


class ConcurrencyLimit:
    """Counts the requests in progress; for one event loop.

    Args:
        max_requests: at the same time.
    """

    def __init__(self, max_requests: int) -> None:
        self._max_requests = max_requests
        self._in_progress = 0

    def __enter__(self) -> None:
        if self._in_progress >= self._max_requests:
            raise _busy()
        self._in_progress += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_progress -= 1
