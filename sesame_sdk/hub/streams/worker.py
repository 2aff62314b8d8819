"""The background worker of a serving hub: rescores persons for streams, and pushes messages.

One thread rescores a batch at a time; pushes run beside it, one for each stream, so an unreachable reader
delays no other. A stream whose push failed waits twice as long each time. Of several processes that serve one
hub, the leader does this; the others only look for messages that their polls wait for.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import partial
from threading import Lock, Thread
from typing import Any

from attrs import define, field, frozen
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from sesame_sdk.constants import JSON_MEDIA_TYPE, SET_MEDIA_TYPE
from sesame_sdk.delivery.dispatcher import Dispatcher
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.messages import Acknowledged, Failed, Message, MessageCounts
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.errors import RetryableError, SesameError
from sesame_sdk.hub.database.dialects.base import LeaderLock
from sesame_sdk.hub.database.timestamps import EPOCH
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.streams.service import StreamService
from sesame_sdk.hub.streams.streams import StreamKey
from sesame_sdk.model.envelope import Receipt
from sesame_sdk.signing.jwt import LEEWAY

#: Seconds between two checks: the longest that a withdrawal waits before it is pushed.
POLL_INTERVAL = 0.05
_PUSHES = 16
_MAX_DELAY = 60.0
_MAX_RESPONSE_BYTES = 1 << 16
#: A push that has to wait waits in the worker, not in a thread that others need.
_NO_RETRY = RetryPolicy(max_attempts=1, max_rate_limit_wait=0.0)


@frozen
class _Queue:
    """One stream as a queue of the `Dispatcher`."""

    streams: StreamService
    stream: Row[Any]

    def fetch_pending(self, *, after: int = 0, limit: int = 100) -> list[Message]:
        return self.streams.fetch_outgoing(self.stream, limit, after)

    def record_outcomes(
        self, acknowledged: Iterable[Acknowledged] = (), failed: Iterable[Failed] = ()
    ) -> None:
        rejected = {one.message.jti: (one.code, one.reason) for one in failed}
        for code, _ in rejected.values():
            log.warning("message_dead_lettered", stream=self.stream.id, code=code)
        metrics.PUSH_DELIVERIES.labels("refused").inc(len(rejected))
        self.streams.record_deliveries(
            StreamKey.from_row(self.stream), [one.message.jti for one in acknowledged], rejected
        )

    def counts(self) -> MessageCounts:
        return self.streams.count_messages(StreamKey.from_row(self.stream))

    def delivery_lock(self) -> AbstractContextManager[None]:
        return nullcontext()  # the worker starts no second push of a stream


@define
class _PushState:
    """The connection to a stream's reader, and when to try again."""

    endpoint: str
    transport: Transport
    failures: int = 0
    error: BaseException | None = None
    not_before: float = 0.0
    running: bool = False


@define(eq=False)
class StreamWorker:
    """Rescores and pushes the streams of a hub in its own threads, from `start` to `stop`."""

    streams: StreamService
    #: By each stream's id for the reader, whether a poll would return something.
    has_pending: Mapping[str, bool] = field(factory=dict)
    _pushes: dict[str, _PushState] = field(factory=dict)
    _lock: Lock = field(factory=Lock)
    _threads: ThreadPoolExecutor | None = None
    _thread: Thread | None = None
    _waiting: int = 0
    _leader_lock: LeaderLock | None = None
    _latest: datetime = EPOCH

    def start(self) -> None:
        """Start the threads."""
        self._threads = ThreadPoolExecutor(_PUSHES, "sesame-hub-push")
        self._thread = Thread(target=self._serve, name="sesame-hub-streams", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop when running pushes end. What was not delivered stays pending."""
        self.streams.closing.set()
        if self._thread and self._threads:
            self._thread.join()
            self._threads.shutdown()
        for push in self._pushes.values():
            push.transport.close()
        if self._leader_lock:
            self._leader_lock.release()

    @contextmanager
    def waiting_poll(self, limit: int) -> Iterator[bool]:
        """Count a waiting poll, on one event loop; yields whether it is within the limit."""
        self._waiting += 1
        try:
            yield self._waiting <= limit
        finally:
            self._waiting -= 1

    def _serve(self) -> None:
        while not self.streams.closing.is_set():
            try:
                busy = self._run_once()
            except (SesameError, SQLAlchemyError) as error:
                metrics.DATABASE_UP.set(0)
                log.warning("rescoring_failed", error=error)
                self.streams.closing.wait(1.0)
                continue
            if not busy:
                self.streams.closing.wait(POLL_INTERVAL)

    def _run_once(self) -> bool:
        leads, now = self._is_leader(), self.streams.clock()
        if leads and now < self._latest - LEEWAY:  # the clock was set back
            self.streams.rescan_all()
        self._latest = now
        busy = leads and self.streams.rescore_batch()
        listed = self.streams.list_pending()
        metrics.DATABASE_UP.set(1)
        self.has_pending = {stream.name: is_pending for stream, is_pending in listed}
        metrics.STREAM_LAG_SECONDS.set(self.streams.lag() if any(self.has_pending.values()) else 0)
        for stream, is_pending in listed:
            if leads and is_pending and stream.endpoint is not None:
                self._start_push(stream)
        return busy

    def _is_leader(self) -> bool:
        if self._leader_lock and not self._leader_lock.is_held():
            lost, self._leader_lock = self._leader_lock, None
            lost.release()
        self._leader_lock = self._leader_lock or self.streams.acquire_leader_lock()
        return self._leader_lock is not None

    def _start_push(self, stream: Row[Any]) -> None:
        with self._lock:
            push = self._push_state(stream)
            if push.running or time.monotonic() < push.not_before or self._threads is None:
                return
            push.running = True
        self._threads.submit(self._push, stream, push)

    def _push_state(self, stream: Row[Any]) -> _PushState:
        push = self._pushes.get(stream.name)
        if push is None or (push.endpoint != stream.endpoint and not push.running):
            transport = Transport(
                stream.endpoint,
                pool_size=1,
                min_gzip_bytes=None,  # RFC 8935 does not mention gzip, so a reader may not support it
                timeouts=(3.0, 10.0),
                response_seconds=10.0,
                max_response_bytes=_MAX_RESPONSE_BYTES,
                retry_policy=_NO_RETRY,
            )
            self._pushes[stream.name] = push = _PushState(stream.endpoint, transport)
        return push

    def _push(self, stream: Row[Any], push: _PushState) -> None:
        failed = True
        try:
            # One at a time, so that the states of a person arrive in order.
            queue, interruptible = _Queue(self.streams, stream), push.transport.interruptible()
            send = partial(self._send, stream, push)
            failed = bool(Dispatcher(queue, send, concurrency=1, interruptible=interruptible).run().reason)
        except Exception as error:  # noqa: BLE001 - an error of one reader must not stop the others
            push.error = error
        with self._lock:
            push.running = False
            push.failures = push.failures + 1 if failed else 0
            delay = min(_MAX_DELAY, 0.25 * 2.0 ** min(push.failures, 10)) if failed else 0.0
            push.not_before = time.monotonic() + delay
        if failed:
            metrics.PUSH_DELIVERIES.labels("failed").inc()
            log.warning("delivery_failed", stream=stream.id, retry_seconds=delay, error=push.error)
            push.error = None  # whose traceback holds the message

    def _send(self, stream: Row[Any], push: _PushState, message: Message) -> Acknowledged:
        # RFC 8935 section 2.2 has no receipt but the status 202.
        receipt = Receipt(message.jti, self.streams.clock(), message.signal_count)
        if not self.streams.is_pending(message):  # it waited while another one was sent
            return Acknowledged(message, receipt, b"")
        try:
            push.transport.post(
                "",
                message.body,
                content_type=SET_MEDIA_TYPE,
                accept=JSON_MEDIA_TYPE,
                authorization=stream.authorization_header,
            )
        except RetryableError as error:  # the dispatcher keeps its text, which must not be logged
            push.error = error
            raise
        metrics.PUSH_DELIVERIES.labels("delivered").inc()
        return Acknowledged(message, receipt, b"")
