"""Two lines of work before one writer: what is urgent, and the rest. Where both wait they take turns.

So whoever is urgent waits for one group of the rest, and a flood of urgent work still lets every other group
be of the rest.
"""

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

from attrs import define, field

T = TypeVar("T")


@define(eq=False)
class TaskQueue(Generic[T]):
    """The two lines. One thread takes, any number puts."""

    _urgent: deque[T] = field(factory=deque, init=False)
    _usual: deque[T] = field(factory=deque, init=False)
    _news: Condition = field(factory=Condition, init=False)
    _ended: bool = field(default=False, init=False)

    def __len__(self) -> int:
        """How much waits in both."""
        return len(self._urgent) + len(self._usual)

    def put(self, work: T, *, urgent: bool) -> None:
        """Let it wait."""
        with self._news:
            self._line(urgent=urgent).append(work)
            self._news.notify()

    def close(self) -> None:
        """Nothing more will come."""
        with self._news:
            self._ended = True
            self._news.notify()

    def next_turn(self, *, after_urgent: bool) -> bool | None:
        """Whose turn it is, the urgent's or not, once anything waits; None once nothing ever will.

        Args:
            after_urgent: whose turn it was before.
        """
        with self._news:
            self._news.wait_for(lambda: len(self) or self._ended)
            if not len(self):
                return None
            return bool(self._urgent) and not (after_urgent and self._usual)

    def pop(self, *, urgent: bool, timeout: float = 0) -> T | None:
        """The first of a line; None if there is none within so many seconds."""
        line = self._line(urgent=urgent)
        with self._news:
            self._news.wait_for(lambda: line, timeout)
            return line.popleft() if line else None

    def _line(self, *, urgent: bool) -> deque[T]:
        return self._urgent if urgent else self._usual
