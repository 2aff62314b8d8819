"""The feed of a hub: what its operator and its server do with streams. For readers see `reception`."""

from collections.abc import Callable
from datetime import date, datetime
from threading import Event
from typing import Any

from attrs import field, frozen
from sqlalchemy import Connection, Engine, Row

from sesame_sdk.delivery.messages import DeadLetter, Message, MessageCounts
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.database.dialects.base import LeaderLock, LockScope
from sesame_sdk.hub.database.engine import dialect_of, read_transaction
from sesame_sdk.hub.database.tables import streams as table
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.database.writer import Writer
from sesame_sdk.hub.streams import outbox, rescoring, streams, subject_states
from sesame_sdk.hub.streams.outbox import StreamOutbox
from sesame_sdk.hub.streams.streams import StreamStatus
from sesame_sdk.model.stream_events import StreamUpdated

#: Messages of one poll at most: each may hold a thousand scores.
MAX_POLL_MESSAGES = 32


@frozen
class PollResponse:
    """What a poll found: messages, and the stream that they are of. `more` are owed beyond them."""

    stream: int
    messages: tuple[Message, ...]
    more_available: bool


@frozen
class StreamService:
    """Streams of one hub. Every method that changes something returns when that is on disk.

    Attributes:
        issuer: of the hub.
        outbox: makes messages.
        engine: of the ledger.
        writer: its one writer.
        guard: stands at the door of every read.
        clock: says what time it is, in UTC.
        today: the day that scores are computed for.
        closing: set when the hub closes: nobody should wait for news any more.
    """

    issuer: str
    outbox: StreamOutbox
    engine: Engine
    writer: Writer
    guard: Guard
    clock: Callable[[], datetime]
    today: Callable[[], date]
    closing: Event = field(factory=Event)

    # What the operator does.

    def rescore_pending(self) -> None:
        """Look at everybody of whom something may have changed, now. A server does so by itself."""
        while self.rescore_batch():
            pass

    def rescore_batch(self) -> bool:
        """One piece of that; False if nothing was left to do."""
        today, now = self.today(), self.clock()
        with read_transaction(self.engine) as connection:
            if not rescoring.is_needed(connection, today, now):
                return False
        self.writer.run(
            lambda connection: rescoring.run_batch(connection, self.guard, today, now), LockScope.STREAMS
        )
        return True

    def list_streams(self) -> list[dict[str, Any]]:
        """Every stream: its configuration, status and counts, and its number in the log."""
        with read_transaction(self.engine) as connection:
            return [
                {
                    **streams.describe_stream(self.issuer, row),
                    "number": row.id,
                    "status": row.status,
                    "waiting": outbox.count_pending_subjects(connection, row.id),
                    "dead": outbox.count_messages(connection, row.id).dead,
                }
                for row in connection.execute(streams.select_streams().order_by(table.c.id))
            ]

    def set_status(self, name: str, status: StreamStatus, reason: str) -> None:
        """Change a stream's status as its operator, and tell the consumer why (SSF 1.0 section 8.1.5)."""

        def work(connection: Connection) -> None:
            stream = streams.get_stream(connection, name)
            streams.set_status(connection, stream, status, reason)
            self.outbox.enqueue_stream_event(
                connection, stream, StreamUpdated(status, reason or None), self.clock()
            )

        self.writer.run(work, LockScope.STREAMS)

    def list_dead_letters(self, name: str) -> list[DeadLetter]:
        """What the consumer refused for good, with its reasons."""
        with read_transaction(self.engine) as connection:
            return outbox.list_dead_letters(connection, streams.get_stream(connection, name).id)

    def redrive(self, name: str) -> int:
        """Send what dead letters carried once more; how many there were."""
        return self.writer.run(lambda c: outbox.redrive(c, streams.get_stream(c, name).id), LockScope.STREAMS)

    # What a server's feeder does.

    def acquire_leader_lock(self) -> LeaderLock | None:
        """Become the one process that refreshes streams and pushes, unless another is."""
        return dialect_of(self.engine).acquire_leader_lock(self.engine)

    def streams_with_pending(self) -> list[Row[Any]]:
        """The streams that `take` would give something for."""
        now = self.clock()
        with read_transaction(self.engine) as connection:
            found = connection.execute(streams.select_streams()).all()
            return [row for row in found if self.outbox.has_pending(connection, row, now)]

    def rescan_all(self) -> None:
        """Have everybody looked at again, by a clock that was set back: what had ended by it may stand."""
        self.writer.run(subject_states.rescan_all, LockScope.STREAMS)

    def lag(self) -> float:
        """Seconds for which the oldest news that is owed to a running stream has waited."""
        with read_transaction(self.engine) as connection:
            since = outbox.oldest_pending(connection)
        return 0.0 if since is None else max(0.0, (to_micros(self.clock()) - since) / 1e6)

    def fetch_outgoing(self, stream: int, most: int, after: int) -> list[Message]:
        """Messages for a push, above `after`."""

        def work(connection: Connection) -> list[Message]:
            row = connection.execute(streams.select_streams().where(table.c.id == stream)).first()
            return self.outbox.fetch(connection, row, most, self.clock(), after) if row else []

        return self.writer.run(work, LockScope.STREAMS)

    def record_deliveries(self, stream: int, sent: list[str], dead: dict[str, tuple[str, str]]) -> None:
        """Write down what became of pushed messages, by ``jti``."""

        def work(connection: Connection) -> None:
            outbox.acknowledge(connection, stream, sent)
            outbox.dead_letter(connection, stream, dead)

        self.writer.run(work, LockScope.STREAMS)

    def count_messages(self, stream: int) -> MessageCounts:
        """Messages of a stream on their way, and dead."""
        with read_transaction(self.engine) as connection:
            return outbox.count_messages(connection, stream)

    def poll(self, stream: int, most: int) -> PollResponse:
        """What there is now, for a poll that was authorised and waited."""

        def work(connection: Connection) -> PollResponse:
            row = connection.execute(streams.select_streams().where(table.c.id == stream)).first()
            return (
                PollResponse(stream, (), more_available=False)
                if row is None
                else self.poll_within(connection, row, most)
            )

        return self.writer.run(work, LockScope.STREAMS)

    def poll_within(self, connection: Connection, stream: Row[Any], most: int) -> PollResponse:
        """The same within a transaction."""
        most = min(most, MAX_POLL_MESSAGES)
        found = self.outbox.fetch(connection, stream, most + 1, self.clock()) if most else []
        return PollResponse(stream.id, tuple(found[:most]), len(found) > most)
