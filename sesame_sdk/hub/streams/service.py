"""Streams for the operator and the server of a hub. For readers see `management`."""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from threading import Event
from typing import Any

from attrs import define, field, frozen
from sqlalchemy import Connection, Engine, Row

from sesame_sdk.delivery.messages import DeadLetter, Message
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.database.dialects.base import LeaderLock, LockScope
from sesame_sdk.hub.database.engine import dialect_of, read_transaction
from sesame_sdk.hub.database.tables import streams as table
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.database.writer import Writer
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.streams import outbox, rescoring, streams, subject_states
from sesame_sdk.hub.streams.outbox import StreamOutbox
from sesame_sdk.hub.streams.push_policy import PushPolicy
from sesame_sdk.hub.streams.rescoring import StreamRescoringError
from sesame_sdk.hub.streams.streams import StreamKey, StreamStatus
from sesame_sdk.model.stream_events import StreamUpdated

#: Of one poll; a message may hold a thousand scores.
MAX_POLL_MESSAGES = 32
#: Seconds until a stream whose rescoring failed is tried again: twice as long after each failure.
_MIN_DELAY, _MAX_DELAY = 0.5, 60.0


@frozen
class PollResponse:
    """Messages of a stream, and whether more are pending."""

    stream: StreamKey
    messages: tuple[Message, ...]
    more_available: bool


@define
class _Failure:
    """How often in a row the rescoring of a stream failed, and when it is tried again."""

    count: int = 0
    not_before: float = 0.0


@frozen
class StreamService:
    """The streams of a hub. Every method that changes something returns when the change is on disk."""

    issuer: str
    outbox: StreamOutbox
    engine: Engine
    writer: Writer
    guard: Guard
    clock: Callable[[], datetime]
    today: Callable[[], date]  # that scores are computed for
    push_policy: PushPolicy
    push_seconds: float  # for a whole push
    closing: Event = field(factory=Event)  # set when the hub closes: polls stop waiting
    _failures: dict[int, _Failure] = field(factory=dict, init=False)

    # For the operator.

    def rescore_pending(self) -> None:
        """Rescore everyone whose score may have changed, now. A server does so in the background."""
        while self.rescore_batch():
            pass

    def rescore_batch(self) -> bool:
        """Rescore one batch; False if there was nothing to do.

        A stream whose rescoring fails is skipped for a while, and holds up no other.
        """
        terms = (self.today(), self.clock(), self._skipped_streams())
        with read_transaction(self.engine) as connection:
            if not rescoring.is_needed(connection, *terms):
                return False
        try:
            self.writer.run(lambda c: rescoring.run_batch(c, self.guard, *terms), LockScope.STREAMS)
        except StreamRescoringError as error:
            self._note_failure(error)
        return True

    def _skipped_streams(self) -> frozenset[int]:
        now = time.monotonic()
        return frozenset(stream for stream, failure in self._failures.items() if now < failure.not_before)

    def _note_failure(self, error: StreamRescoringError) -> None:
        failure, now = self._failures.setdefault(error.stream, _Failure()), time.monotonic()
        is_in_a_row = now < failure.not_before + _MAX_DELAY
        failure.count = failure.count + 1 if is_in_a_row else 1
        delay = min(_MAX_DELAY, _MIN_DELAY * 2.0 ** min(failure.count - 1, 10))
        failure.not_before = now + delay
        metrics.FAILED_RESCORINGS.inc()
        log.error("rescoring_failed", stream=error.stream, retry_seconds=delay, error=error.__cause__)

    def list_streams(self) -> list[dict[str, Any]]:
        """Every stream: its configuration, status and counts, and its id in the log."""
        with read_transaction(self.engine) as connection:
            return [
                {
                    **streams.describe_stream(self.issuer, row),
                    "number": row.id,
                    "status": row.status,
                    "waiting": outbox.count_pending_subjects(connection, row),
                    "dead": outbox.count_messages(connection, row.id).dead,
                }
                for row in connection.execute(streams.select_streams().order_by(table.c.id))
            ]

    def set_status(self, name: str, status: StreamStatus, reason: str) -> None:
        """Change a stream's status, and send the reader the reason (SSF 1.0 section 8.1.5)."""

        def work(connection: Connection) -> None:
            stream = streams.get_stream(connection, name)
            streams.set_status(connection, stream, status, reason)
            event = StreamUpdated(status, reason or None)
            self.outbox.enqueue_stream_event(connection, stream, event, self.clock())

        self.writer.run(work, LockScope.STREAMS)

    def list_dead_letters(self, name: str) -> list[DeadLetter]:
        """The dead letters of a stream, with the codes of the readers."""
        with read_transaction(self.engine) as connection:
            return outbox.list_dead_letters(connection, streams.get_stream(connection, name).id)

    def redrive(self, name: str) -> int:
        """Send the contents of dead letters again. Returns how many dead letters there were."""
        return self.writer.run(lambda c: outbox.redrive(c, streams.get_stream(c, name).id), LockScope.STREAMS)

    # For the server's worker.

    def acquire_leader_lock(self) -> LeaderLock | None:
        """Become the one process that rescores and pushes; None if another process is."""
        return dialect_of(self.engine).acquire_leader_lock(self.engine)

    def list_pending(self) -> list[tuple[Row[Any], bool]]:
        """Every stream, and whether `poll` would return something for it."""
        now = self.clock()
        with read_transaction(self.engine) as connection:
            rows = connection.execute(streams.select_streams()).all()
            return [(row, self.outbox.has_pending(connection, row, now)) for row in rows]

    def rescan_all(self) -> None:
        """Rescore everyone, after a clock was set back: grants that had expired may be valid."""
        self.writer.run(subject_states.rescan, LockScope.STREAMS)

    def lag(self) -> float:
        """The age in seconds of the oldest pending state of an enabled stream."""
        with read_transaction(self.engine) as connection:
            since = outbox.oldest_pending(connection)
        return 0.0 if since is None else max(0.0, (to_micros(self.clock()) - since) / 1e6)

    def advance_push(
        self,
        stream: Row[Any],
        sent: Collection[str],
        dead: Mapping[str, str],
        skipped: Collection[int],
    ) -> Message | None:
        """Record which messages were delivered or rejected, by ``jti``, and fetch the next one for a push.

        None if nothing else is pending than the `skipped` ids, or if the stream or its endpoint changed.
        """

        def work(connection: Connection) -> Message | None:
            row = StreamKey.from_row(stream).find(connection)
            if row is None:
                return None
            outbox.acknowledge(connection, row.id, sent)
            outbox.dead_letter(connection, row.id, dead)
            if _delivery_of(row) != _delivery_of(stream):
                return None
            return next(iter(self.outbox.fetch(connection, row, 1, self.clock(), skipped)), None)

        return self.writer.run(work, LockScope.STREAMS)

    def poll(self, stream: StreamKey, limit: int) -> PollResponse:
        """The pending messages, for a poll that was authenticated before.

        Raises:
            InvalidInputError: the stream was deleted: ``not_found``.
        """

        def work(connection: Connection) -> PollResponse:
            row = stream.find(connection)
            if row is None:
                raise streams.stream_not_found()
            return self.poll_within(connection, row, limit)

        return self.writer.run(work, LockScope.STREAMS)

    def poll_within(self, connection: Connection, stream: Row[Any], limit: int) -> PollResponse:
        """The same within a transaction."""
        limit = min(limit, MAX_POLL_MESSAGES)
        messages = self.outbox.fetch(connection, stream, limit + 1, self.clock()) if limit else []
        return PollResponse(StreamKey.from_row(stream), tuple(messages[:limit]), len(messages) > limit)


def _delivery_of(stream: Row[Any]) -> tuple[str | None, str | None]:
    return stream.endpoint, stream.authorization_header
