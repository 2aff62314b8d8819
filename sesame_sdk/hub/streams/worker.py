"""What a serving hub does by itself: keep streams fresh, and push.

One thread looks at what there is to do and refreshes a piece at a time; pushes run beside it, one a
stream, so that a consumer who is away keeps nobody else. A stream whose push failed waits, twice as
long each time. Of several processes that serve one hub, one does this at a time; the others only watch
for news that polls of theirs wait for.
"""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
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
from sesame_sdk.model.envelope import Receipt
from sesame_sdk.signing.jwt import LEEWAY

#: Seconds between two looks: what a withdrawal waits at most before it is on its way.
POLL_INTERVAL = 0.05
_PUSHES = 16
_LONGEST_DELAY = 60.0
_LARGEST_ANSWER = 1 << 16


@frozen
class _Queue:
    """One stream, as a `Dispatcher` sees it: an `exchange.delivery.Queue`."""

    feed: StreamService
    stream: int

    def fetch_pending(self, *, after: int = 0, limit: int = 100) -> list[Message]:
        return self.feed.fetch_outgoing(self.stream, limit, after)

    def record_outcomes(
        self, acknowledged: Iterable[Acknowledged] = (), failed: Iterable[Failed] = ()
    ) -> None:
        gone = {one.message.jti: (one.code, one.reason) for one in failed}
        for code, _ in gone.values():
            log.warning("message_dead_lettered", stream=self.stream, code=code)
        metrics.PUSH_DELIVERIES.labels("refused").inc(len(gone))
        self.feed.record_deliveries(self.stream, [one.message.jti for one in acknowledged], gone)

    def counts(self) -> MessageCounts:
        return self.feed.count_messages(self.stream)

    def delivery_lock(self) -> AbstractContextManager[None]:
        return nullcontext()  # the feeder begins no second push of a stream


@define
class _PushState:
    """A stream's way to its consumer, and when to try again."""

    endpoint: str
    transport: Transport
    failures: int = 0
    error: BaseException | None = None
    not_before: float = 0.0
    running: bool = False


@define(eq=False)
class StreamWorker:
    """Serves the streams of one feed from threads of its own, from `start` to `stop`."""

    streams: StreamService
    #: Streams that a poll would find something in.
    pending_streams: frozenset[int] = frozenset()
    _routes: dict[int, _PushState] = field(factory=dict)
    _lock: Lock = field(factory=Lock)
    _threads: ThreadPoolExecutor | None = None
    _thread: Thread | None = None
    _waiting: int = 0
    _leader_lock: LeaderLock | None = None
    _latest: datetime = EPOCH

    def start(self) -> None:
        """Begin."""
        self._threads = ThreadPoolExecutor(_PUSHES, "sesame-hub-push")
        self._thread = Thread(target=self._serve, name="sesame-hub-feeder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, once what is under way is done. What was not delivered is owed still."""
        self.streams.closing.set()
        if self._thread and self._threads:
            self._thread.join()
            self._threads.shutdown()
        for route in self._routes.values():
            route.transport.close()
        if self._leader_lock:
            self._leader_lock.release()

    @contextmanager
    def waiting_poll(self, limit: int) -> Iterator[bool]:
        """Count who waits for news, on one event loop; yields whether there is room for one more."""
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
        leads = self._is_leader()
        self._check_clock(leads=leads)
        busy = leads and self.streams.rescore_batch()
        found = self.streams.streams_with_pending()
        metrics.DATABASE_UP.set(1)
        metrics.STREAM_LAG_SECONDS.set(self.streams.lag() if found else 0)
        self.pending_streams = frozenset(stream.id for stream in found)
        for stream in found:
            if leads and stream.endpoint is not None:
                self._start_push(stream)
        return busy

    def _is_leader(self) -> bool:
        """Whether streams are ours to look after: of several workers, one does, and the others wait to."""
        if self._leader_lock and not self._leader_lock.is_held():
            lost, self._leader_lock = self._leader_lock, None
            lost.release()
        self._leader_lock = self._leader_lock or self.streams.acquire_leader_lock()
        return self._leader_lock is not None

    def _check_clock(self, *, leads: bool) -> None:
        """Start over when it was set back, by more than clocks differ."""
        now = self.streams.clock()
        if leads and now < self._latest - LEEWAY:
            self.streams.rescan_all()
        self._latest = now

    def _start_push(self, stream: Row[Any]) -> None:
        with self._lock:
            route = self._route(stream)
            if route.running or time.monotonic() < route.not_before or self._threads is None:
                return
            route.running = True
        self._threads.submit(self._push, stream, route)

    def _route(self, stream: Row[Any]) -> _PushState:
        route = self._routes.get(stream.id)
        if route is None or (route.endpoint != stream.endpoint and not route.running):
            transport = Transport(
                stream.endpoint,
                pool_size=1,
                min_gzip_bytes=None,  # RFC 8935 says nothing of it, so a consumer need not understand it
                timeouts=(3.0, 10.0),
                response_seconds=10.0,
                max_response_bytes=_LARGEST_ANSWER,
                # Whoever is asked to wait does so here, and not in a thread that others need.
                retry_policy=RetryPolicy(max_attempts=1, max_rate_limit_wait=0.0),
            )
            self._routes[stream.id] = route = _PushState(stream.endpoint, transport)
        return route

    def _push(self, stream: Row[Any], route: _PushState) -> None:
        failed = True
        try:
            # One at a time: what is said of a person arrives in the order in which it was said.
            courier = Dispatcher(
                _Queue(self.streams, stream.id),
                lambda letter: self._send(stream, route, letter),
                concurrency=1,
                interruptible=route.transport.interruptible(),
            )
            failed = bool(courier.run().reason)
        except Exception as error:  # noqa: BLE001 - one consumer's fault must not end the feed
            route.error = error
        with self._lock:
            route.running = False
            route.failures = route.failures + 1 if failed else 0
            delay = min(_LONGEST_DELAY, 0.25 * 2.0 ** min(route.failures, 10)) if failed else 0.0
            route.not_before = time.monotonic() + delay
        if failed:
            metrics.PUSH_DELIVERIES.labels("failed").inc()
            log.warning("delivery_failed", stream=stream.id, retry_seconds=delay, error=route.error)
            route.error = None  # whose traceback holds the message

    def _send(self, stream: Row[Any], route: _PushState, letter: Message) -> Acknowledged:
        bearer = None if stream.bearer_token is None else stream.bearer_token.encode
        try:
            route.transport.post(
                "", letter.body, content_type=SET_MEDIA_TYPE, accept=JSON_MEDIA_TYPE, bearer=bearer
            )
        except RetryableError as error:  # of which the courier keeps the words, and they are not for a log
            route.error = error
            raise
        metrics.PUSH_DELIVERIES.labels("delivered").inc()
        # 202 is all the receipt that RFC 8935 section 2.2 has.
        return Acknowledged(letter, Receipt(letter.jti, self.streams.clock(), letter.signal_count), b"")
