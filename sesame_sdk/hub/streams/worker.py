"""The background worker of a serving hub: rescores persons for streams, and pushes messages.

An event loop in one thread looks for work in rounds, and pushes beside it: see `push`. Of several processes
that serve one hub, the leader does this; the others only look for messages that their polls wait for.

No error ends the worker: a round that failed is tried again after a while, and the loop is started anew if it
ends. A metric shows at once that rounds fail, and the hub is not ready after a minute without a good one.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Thread
from typing import Any

from attrs import define, field
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from sesame_sdk.errors import SesameError
from sesame_sdk.hub.database.dialects.base import LeaderLock
from sesame_sdk.hub.database.timestamps import EPOCH
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.streams.push import PushSender
from sesame_sdk.hub.streams.push_client import PushClient
from sesame_sdk.hub.streams.service import StreamService
from sesame_sdk.hub.streams.streams import DISABLED
from sesame_sdk.signing.jwt import LEEWAY

#: Seconds between two rounds: the longest that a withdrawal waits before it is pushed.
POLL_INTERVAL = 0.05
_MIN_DELAY, _MAX_DELAY = 0.5, 15.0
Listed = list[tuple[Row[Any], bool]]


@define(eq=False)
class StreamWorker:
    """Rescores and pushes the streams of a hub in its own threads, from `start` to `stop`.

    Attributes:
        max_round_seconds: a worker without a successful round for so long does not work.
        has_pending: by each stream's id for the reader, whether a poll would return something.
    """

    streams: StreamService
    max_round_seconds: float = 60.0
    has_pending: Mapping[str, bool] = field(factory=dict)
    _thread: Thread | None = None
    _last_round: float = 0.0
    _failures: int = 0
    _waiting: int = 0
    _leader_lock: LeaderLock | None = None
    _latest: datetime = EPOCH
    _behind_since: dict[str, float] = field(factory=dict)

    def start(self) -> None:
        """Start the threads."""
        self._last_round = time.monotonic()
        self._thread = Thread(target=self._supervise, name="sesame-hub-streams", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and end running pushes at once. What was not delivered stays pending."""
        self.streams.closing.set()
        if self._thread:
            self._thread.join()
        if self._leader_lock:
            self._leader_lock.release()

    def is_working(self) -> bool:
        """Whether its thread is alive, and a round succeeded lately."""
        is_alive = self._thread is not None and self._thread.is_alive()
        return is_alive and time.monotonic() - self._last_round < self.max_round_seconds

    @contextmanager
    def waiting_poll(self, limit: int) -> Iterator[bool]:
        """Count a waiting poll, on one event loop; yields whether it is within the limit."""
        self._waiting += 1
        try:
            yield self._waiting <= limit
        finally:
            self._waiting -= 1

    def _supervise(self) -> None:
        while not self.streams.closing.is_set():
            try:
                asyncio.run(self._serve())
            except BaseException as error:  # noqa: BLE001 - no error may end this thread
                self.streams.closing.wait(self._note_failure(error))

    async def _serve(self) -> None:
        client = PushClient(self.streams.push_policy, self.streams.push_seconds)
        sender = PushSender(self.streams, client)
        with ThreadPoolExecutor(1, "sesame-hub-rescoring") as thread:
            try:
                while not self.streams.closing.is_set():
                    await self._run_round(sender, thread)
            finally:
                await sender.close()

    async def _run_round(self, sender: PushSender, thread: ThreadPoolExecutor) -> None:
        try:
            is_busy, listed = await asyncio.get_running_loop().run_in_executor(thread, self._look_for_work)
            sender.start_pushes(listed)
        except Exception as error:  # noqa: BLE001 - running pushes go on
            await self._pause(self._note_failure(error))
            return
        self._failures, self._last_round = 0, time.monotonic()
        metrics.STREAM_WORKER_UP.set(1)
        await self._pause(0 if is_busy else POLL_INTERVAL)

    async def _pause(self, seconds: float) -> None:
        """Wait, or until the hub closes."""
        ends = time.monotonic() + seconds
        await asyncio.sleep(min(seconds, POLL_INTERVAL))
        while time.monotonic() < ends and not self.streams.closing.is_set():
            await asyncio.sleep(POLL_INTERVAL)

    def _note_failure(self, error: BaseException) -> float:
        """Log an error of a round. Returns the seconds to wait before the next one."""
        if isinstance(error, SesameError | SQLAlchemyError):
            metrics.DATABASE_UP.set(0)
        metrics.STREAM_WORKER_UP.set(0)
        log.error("stream_worker_failed", error=error)
        self._failures += 1
        return min(_MAX_DELAY, _MIN_DELAY * 2.0 ** min(self._failures, 10))

    def _look_for_work(self) -> tuple[bool, Listed]:
        """Rescore a batch. Returns whether there may be more to rescore, and the streams to push."""
        leads, now = self._is_leader(), self.streams.clock()
        if leads and now < self._latest - LEEWAY:  # the clock was set back
            self.streams.rescan_all()
        self._latest = now
        is_busy = leads and self.streams.rescore_batch()
        listed = self.streams.list_pending()
        metrics.DATABASE_UP.set(1)
        self._note_scans([stream for stream, _ in listed])
        self.has_pending = {stream.name: is_pending for stream, is_pending in listed}
        metrics.STREAM_LAG_SECONDS.set(self.streams.lag() if any(self.has_pending.values()) else 0)
        return is_busy, listed if leads else []

    def _note_scans(self, listed: Iterable[Row[Any]]) -> None:
        """For how long the score of someone has not been computed since a change that concerns everyone."""
        today, now = self.streams.today().isoformat(), time.monotonic()
        behind = [one.name for one in listed if one.as_of != today and one.status != DISABLED]
        self._behind_since = {name: self._behind_since.get(name, now) for name in behind}
        metrics.STREAM_SCAN_SECONDS.set(now - min(self._behind_since.values(), default=now))

    def _is_leader(self) -> bool:
        if self._leader_lock and not self._leader_lock.is_held():
            lost, self._leader_lock = self._leader_lock, None
            lost.release()
        self._leader_lock = self._leader_lock or self.streams.acquire_leader_lock()
        return self._leader_lock is not None
