"""The queue of a writer, with two priorities that take turns when both have work.

An urgent task waits for one group of usual tasks at most, and in a flood of urgent tasks every other group is
usual.
"""

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

from attrs import define, field

T = TypeVar("T")


@define(eq=False)
class TaskQueue(Generic[T]):
    """Two queues: one thread pops, any number puts."""

    _urgent: deque[T] = field(factory=deque, init=False)
    _usual: deque[T] = field(factory=deque, init=False)
    _changed: Condition = field(factory=Condition, init=False)
    _closed: bool = field(default=False, init=False)

    def __len__(self) -> int:
        """The length of both queues."""
        return len(self._urgent) + len(self._usual)

    def put(self, work: T, *, urgent: bool) -> None:
        """Add work."""
        with self._changed:
            self._queue(urgent=urgent).append(work)
            self._changed.notify()

    def close(self) -> None:
        """Accept the end: no more work will come."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def next_turn(self, *, after_urgent: bool) -> bool | None:
        """Wait for work. Whether the urgent queue is next; None once the queue is closed and empty.

        Args:
            after_urgent: whether the urgent queue was last.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self) or self._closed)
            if not len(self):
                return None
            return bool(self._urgent) and not (after_urgent and self._usual)

    def pop(self, *, urgent: bool, timeout: float = 0) -> T | None:
        """The first of a queue; None if it stays empty for `timeout` seconds."""
        queue = self._queue(urgent=urgent)
        with self._changed:
            self._changed.wait_for(lambda: queue, timeout)
            return queue.popleft() if queue else None

    def _queue(self, *, urgent: bool) -> deque[T]:
        return self._urgent if urgent else self._usual
