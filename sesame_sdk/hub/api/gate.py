"""How many requests may be worked on at once. One more is asked to come back."""

from types import TracebackType

from sesame_sdk.errors import Retryable


class Gate:
    """Counts who is inside; for one event loop.

    Args:
        most: who may be inside at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0

    def __enter__(self) -> None:
        if self._inside >= self._most:
            raise Retryable("the hub is busy", mend="send again later", retry_after=1)
        self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside -= 1
