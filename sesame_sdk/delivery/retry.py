"""When to try again, and when to leave it.

Rules:
    * the wait before the next attempt grows twofold each time, with jitter so that many clients do not
      come back together, and is never shorter than what the other side asked for in ``Retry-After``
    * whoever answers that we ask for too much (429) is not away: that uses up no attempt, and until the time
      that it asked for is over none of the threads that share this object sends anything
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

from attrs import define, field, frozen
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential_jitter
from tenacity import sleep_using_event as sleep_until_set

from sesame_sdk.errors import RateLimitedError, RetryableError

T = TypeVar("T")


@define
class _Quiet:
    """Until when the other side wants to hear nothing, by the clock of `RetryPolicy`."""

    until: float = 0.0


@frozen
class RetryPolicy:
    """How stubborn to be. Durations are seconds.

    Attributes:
        max_attempts: how often a request is sent at most.
        max_seconds: no attempt begins later than this after the first.
        min_wait: the wait after the first attempt, before jitter.
        max_wait: the longest wait of our own; the other side may ask for a longer one.
        max_jitter: up to this much is added at random.
        max_rate_limit_wait: how long one request waits in all because we ask for too much.
        clock: seconds that never go back.
        sleep: waits; None waits in a way that `interruptible` can end.
    """

    max_attempts: int = 6
    max_seconds: float = 60.0
    min_wait: float = 0.25
    max_wait: float = 10.0
    max_jitter: float = 0.5
    max_rate_limit_wait: float = 300.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] | None = None
    _abandoned: Event = field(factory=Event, init=False, repr=False, eq=False)
    _quiet: _Quiet = field(factory=_Quiet, init=False, repr=False, eq=False)

    def call(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it does not raise `RetryableError`.

        Raises:
            RetryableError: the last one, when attempts or time are used up.
            RateLimitedError: we would have to wait longer than we have patience for.
        """
        ends = self.clock() + self.max_rate_limit_wait
        while True:
            self._keep_quiet(ends)
            try:
                return self._insist(attempt)
            except RateLimitedError as error:
                wait = max(self.min_wait, error.retry_after or 0.0)
                self._quiet.until = max(self._quiet.until, self.clock() + wait)

    def _insist(self, attempt: Callable[[], T]) -> T:
        started = self.clock()
        backoff = wait_exponential_jitter(multiplier=self.min_wait, max=self.max_wait, jitter=self.max_jitter)

        def wait(state: RetryCallState) -> float:
            return max(backoff(state), _asked_for(state))

        def stop(state: RetryCallState) -> bool:
            over = self.clock() - started + state.upcoming_sleep > self.max_seconds
            return over or state.attempt_number >= self.max_attempts or self._abandoned.is_set()

        return Retrying(
            retry=retry_if_exception(_is_worth_another),
            wait=wait,
            stop=stop,
            sleep=self._sleep,
            reraise=True,
        )(attempt)

    def _keep_quiet(self, ends: float) -> None:
        while (left := self._quiet.until - self.clock()) > 0:
            if self._abandoned.is_set() or self._quiet.until > ends:
                raise RateLimitedError(f"asks us to wait {left:.0f} s", field="hub", retry_after=left)
            self._sleep(left)

    def _sleep(self, seconds: float) -> None:
        (self.sleep or sleep_until_set(self._abandoned))(seconds)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """When the block raises, as by Ctrl-C, the waits of all threads end, and no attempt follows."""
        self._abandoned.clear()
        try:
            yield
        except BaseException:
            self.interrupt()
            raise

    def interrupt(self) -> None:
        """The same from another thread, until the next such block begins."""
        self._abandoned.set()


def _is_worth_another(error: BaseException) -> bool:
    return isinstance(error, RetryableError) and not isinstance(error, RateLimitedError)


def _asked_for(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return (error.retry_after or 0.0) if isinstance(error, RetryableError) else 0.0
