"""Pushes the pending messages of streams, on one event loop.

Rules:
    * a stream has one push at a time, one message after the other; removals go first
    * a message is fetched, and the outcome of the one before is recorded, in one transaction: what was
      withdrawn meanwhile is never sent
    * a message without a response stays pending and is skipped for this push; after a few in a row the
      endpoint is unavailable, and waits twice as long each time
    * a reader has a few pushes at a time, and those that waited longest come first
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from attrs import define, field
from sqlalchemy import Row

from sesame_sdk.delivery.messages import Message
from sesame_sdk.errors import InvalidInputError, SesameError
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.streams.push_client import PushClient, PushConnection
from sesame_sdk.hub.streams.service import StreamService

T = TypeVar("T")
#: Pushes at a time, in all and for one reader.
MAX_PUSHES, MAX_PARTNER_PUSHES = 128, 4
_MAX_UNANSWERED = 3
_MIN_DELAY, _MAX_DELAY, _MAX_RETRY_AFTER = 0.25, 60.0, 300.0
#: Threads that wait for the database.
_THREADS = 4


@define
class _PushState:
    """When to push a stream again, by the monotonic clock; another endpoint begins anew."""

    endpoint: str
    failures: int = 0
    not_before: float = 0.0
    task: "asyncio.Task[None] | None" = None


@define(eq=False)
class PushSender:
    """Pushes to the readers of a hub. All methods belong to one event loop."""

    streams: StreamService
    client: PushClient
    _states: dict[str, _PushState] = field(factory=dict)
    _running: Counter[int] = field(factory=Counter)
    _threads: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(_THREADS, "sesame-hub-push"))

    def start_pushes(self, listed: Iterable[tuple[Row[Any], bool]]) -> None:
        """Push every listed stream that has something pending and is due; forget the others."""
        listed = list(listed)
        names = {stream.name for stream, _ in listed}
        self._states = {n: one for n, one in self._states.items() if n in names or one.task is not None}
        pending = [stream for stream, is_pending in listed if is_pending and stream.endpoint is not None]
        states = {stream.name: self._state(stream) for stream in pending}
        for stream in sorted(pending, key=lambda stream: states[stream.name].not_before):
            state = states[stream.name]
            is_free = (
                self._running.total() < MAX_PUSHES and self._running[stream.partner] < MAX_PARTNER_PUSHES
            )
            if state.task is None and is_free and time.monotonic() >= state.not_before:
                self._running[stream.partner] += 1
                state.task = asyncio.create_task(self._push(stream, state))

    def _state(self, stream: Row[Any]) -> _PushState:
        state = self._states.get(stream.name)
        if state is None or (state.endpoint != stream.endpoint and state.task is None):
            state = self._states[stream.name] = _PushState(stream.endpoint)
        return state

    async def close(self) -> None:
        """End running pushes at once. What was not delivered stays pending."""
        tasks = [state.task for state in self._states.values() if state.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown()

    async def _push(self, stream: Row[Any], state: _PushState) -> None:
        error: Exception | None = None
        try:
            error = await self._deliver_pending(stream)
        except Exception as unexpected:  # noqa: BLE001 - an error of one stream must not stop the others
            error = unexpected
        finally:
            self._running[stream.partner] -= 1
            state.task = None
        state.failures = state.failures + 1 if error else 0
        delay = min(_MAX_DELAY, _MIN_DELAY * 2.0 ** min(state.failures, 10)) if error else 0.0
        delay = max(delay, min(_MAX_RETRY_AFTER, getattr(error, "retry_after", None) or 0.0))
        state.not_before = time.monotonic() + delay
        if error:
            metrics.PUSH_DELIVERIES.labels("failed").inc()
            log.warning("delivery_failed", stream=stream.id, retry_seconds=delay, error=error)

    async def _deliver_pending(self, stream: Row[Any]) -> Exception | None:
        """Deliver until nothing is pending. Returns the last error of a message that is pending still."""
        outcome, skipped, failure = _Outcome(), set[int](), None
        while len(skipped) < _MAX_UNANSWERED:
            async with self.client.connect(stream.endpoint, stream.issuer) as connection:
                while message := await self._run(outcome.record_and_fetch, self.streams, stream, skipped):
                    try:
                        outcome = await self._send(connection, stream, message)
                    except SesameError as error:
                        failure, outcome = error, _Outcome()
                        skipped.add(message.id)
                        break  # the connection may be unusable
                else:
                    return failure
        return failure

    async def _send(self, connection: PushConnection, stream: Row[Any], message: Message) -> "_Outcome":
        try:
            await connection.post(message.body, stream.authorization_header)
        except InvalidInputError as error:
            log.warning("message_dead_lettered", stream=stream.id, code=error.code)
            metrics.PUSH_DELIVERIES.labels("refused").inc()
            return _Outcome(dead={message.jti: error.code})
        metrics.PUSH_DELIVERIES.labels("delivered").inc()
        return _Outcome(sent=(message.jti,))

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


@define
class _Outcome:
    """Which messages were delivered, and which were rejected, by ``jti``."""

    sent: tuple[str, ...] = ()
    dead: dict[str, str] = field(factory=dict)

    def record_and_fetch(self, streams: StreamService, stream: Row[Any], skipped: set[int]) -> Message | None:
        return streams.advance_push(stream, self.sent, self.dead, skipped)
