"""How many requests may be worked on at once, and how much of them held. One more is asked to come back.

Nobody has looked at a signature yet where this counts, so it counts nobody in particular: it is what keeps
those who cannot sign from taking up more than some room. How often an address may ask is for the proxy in
front of the hub to say, which alone knows the addresses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from sesame_sdk.errors import RetryableError


def _busy() -> RetryableError:
    return RetryableError("the hub is busy", hint="send again later", retry_after=1)


class MemoryBudget:
    """Counts the bytes of bodies that are held; for one event loop.

    Args:
        max_bytes: bytes that may be held at once.
    """

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes

    @contextmanager
    def reserve(self) -> Iterator["Reservation"]:
        """A share of it, until the block ends."""
        share = Reservation(self)
        try:
            yield share
        finally:
            self._left += share.held

    def take(self, some: int) -> None:
        """Give out so many bytes.

        Raises:
            RetryableError: there are no more.
        """
        if some > self._left:
            raise _busy()
        self._left -= some


class Reservation:
    """What one request holds of a ration."""

    def __init__(self, ration: MemoryBudget) -> None:
        self._ration = ration
        self.held = 0

    def take(self, some: int) -> None:
        """Hold so many bytes more.

        Raises:
            RetryableError: there are no more.
        """
        self._ration.take(some)
        self.held += some


class ConcurrencyLimit:
    """Counts who is inside; for one event loop.

    Args:
        max_requests: who may be inside at once.
    """

    def __init__(self, max_requests: int) -> None:
        self._most = max_requests
        self._inside = 0

    def __enter__(self) -> None:
        if self._inside >= self._most:
            raise _busy()
        self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside -= 1
