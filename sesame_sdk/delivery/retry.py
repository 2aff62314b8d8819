"""Retries requests: when, how often, and for how long.

Rules:
    * the wait before the next attempt doubles each time, with jitter so that many clients do not retry
      together, and is never shorter than the server's ``Retry-After``
    * a rate-limited request (429) is no failed attempt; until the server's ``Retry-After`` is over, none of
      the threads that share this object sends anything
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
class _RateLimit:
    """Until when nothing is sent, by the clock of `RetryPolicy`."""

    until: float = 0.0


@frozen
class RetryPolicy:
    """When a request is retried. Durations are in seconds.

    Attributes:
        max_seconds: no attempt starts later than this after the first.
        min_wait: wait after the first attempt, before jitter.
        max_wait: maximal wait, unless ``Retry-After`` is longer.
        max_jitter: maximal random addition to a wait.
        max_rate_limit_wait: maximal total wait of one request because of rate limits.
        clock: a monotonic clock.
        sleep: waits; None waits so that `interruptible` can end it.
    """

    max_attempts: int = 6
    max_seconds: float = 60.0
    min_wait: float = 0.25
    max_wait: float = 10.0
    max_jitter: float = 0.5
    max_rate_limit_wait: float = 300.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] | None = None
    _interrupted: Event = field(factory=Event, init=False, repr=False, eq=False)
    _rate_limit: _RateLimit = field(factory=_RateLimit, init=False, repr=False, eq=False)

    def call(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it does not raise `RetryableError`.

        Raises:
            RetryableError: the last one, when attempts or time are exhausted.
            RateLimitedError: the wait would exceed `max_rate_limit_wait`.
        """
        ends = self.clock() + self.max_rate_limit_wait
        while True:
            self._wait_for_rate_limit(ends)
            try:
                return self._attempt_repeatedly(attempt)
            except RateLimitedError as error:
                wait = max(self.min_wait, error.retry_after or 0.0)
                self._rate_limit.until = max(self._rate_limit.until, self.clock() + wait)

    def _attempt_repeatedly(self, attempt: Callable[[], T]) -> T:
        started = self.clock()
        backoff = wait_exponential_jitter(multiplier=self.min_wait, max=self.max_wait, jitter=self.max_jitter)

        def wait(state: RetryCallState) -> float:
            return max(backoff(state), _retry_after(state))

        def stop(state: RetryCallState) -> bool:
            over = self.clock() - started + state.upcoming_sleep > self.max_seconds
            return over or state.attempt_number >= self.max_attempts or self._interrupted.is_set()

        retry = retry_if_exception(_is_retryable)
        return Retrying(retry=retry, wait=wait, stop=stop, sleep=self._sleep, reraise=True)(attempt)

    def _wait_for_rate_limit(self, ends: float) -> None:
        while (left := self._rate_limit.until - self.clock()) > 0:
            if self._interrupted.is_set() or self._rate_limit.until > ends:
                raise RateLimitedError(
                    f"rate limit exceeded; retry after {left:.0f} s", field="hub", retry_after=left
                )
            self._sleep(left)

    def _sleep(self, seconds: float) -> None:
        (self.sleep or sleep_until_set(self._interrupted))(seconds)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """End the waits and attempts of all threads when the block raises, as by Ctrl-C."""
        self._interrupted.clear()
        try:
            yield
        except BaseException:
            self.interrupt()
            raise

    def interrupt(self) -> None:
        """End them from another thread, until the next such block begins."""
        self._interrupted.set()


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, RetryableError) and not isinstance(error, RateLimitedError)


def _retry_after(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return (error.retry_after or 0.0) if isinstance(error, RetryableError) else 0.0
