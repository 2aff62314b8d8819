"""The feed of a hub: what its operator and its server do with streams. For readers see `reception`."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from threading import Event
from typing import Any

from attrs import field, frozen
from sqlalchemy import Connection, Engine, Row

from sesame_sdk.delivery.messages import DeadLetter, Message, MessageCounts
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.database.dialects.base import LeaderLock, LockScope
from sesame_sdk.hub.database.engine import product_of, reading
from sesame_sdk.hub.database.timestamps import micros
from sesame_sdk.hub.database.writer import Writer
from sesame_sdk.hub.settings import Settings
from sesame_sdk.hub.streams import outbox, rescoring, streams, subject_states
from sesame_sdk.hub.streams.outbox import Sign, StreamOutbox
from sesame_sdk.hub.streams.streams import Status
from sesame_sdk.hub.streams.tables import streams as table
from sesame_sdk.model.stream_events import StreamUpdated

#: Messages of one poll at most: each may hold a thousand scores.
MOST_POLLED = 32


@frozen
class Polled:
    """What a poll found: messages, and the stream that they are of. `more` are owed beyond them."""

    stream: int
    letters: tuple[Message, ...]
    more: bool


@frozen
class StreamService:
    """Streams of one hub. Every method that changes something returns when that is on disk.

    Attributes:
        issuer: of the hub.
        shelf: makes messages.
        engine: of the ledger.
        writer: its one writer.
        guard: stands at the door of every read.
        clock: says what time it is, in UTC.
        today: the day that scores are computed for.
        closing: set when the hub closes: nobody should wait for news any more.
    """

    issuer: str
    shelf: StreamOutbox
    engine: Engine
    writer: Writer
    guard: Guard
    clock: Callable[[], datetime]
    today: Callable[[], date]
    closing: Event = field(factory=Event)

    # What the operator does.

    def refresh(self) -> None:
        """Look at everybody of whom something may have changed, now. A server does so by itself."""
        while self.refresh_some():
            pass

    def refresh_some(self) -> bool:
        """One piece of that; False if nothing was left to do."""
        today, now = self.today(), self.clock()
        with reading(self.engine) as connection:
            if not rescoring.needed(connection, today, now):
                return False
        self.writer.run(lambda connection: rescoring.step(connection, self.guard, today, now), LockScope.FEED)
        return True

    def listed(self) -> list[dict[str, Any]]:
        """Every stream: its configuration, status and counts, and its number in the log."""
        with reading(self.engine) as connection:
            return [
                {
                    **streams.described(self.issuer, row),
                    "number": row.id,
                    "status": row.status,
                    "waiting": outbox.waiting(connection, row.id),
                    "dead": outbox.counts(connection, row.id).dead,
                }
                for row in connection.execute(streams.rows().order_by(table.c.id))
            ]

    def hold(self, name: str, status: Status, reason: str) -> None:
        """Change a stream's status as its operator, and tell the consumer why (SSF 1.0 section 8.1.5)."""

        def work(connection: Connection) -> None:
            stream = streams.named(connection, name)
            streams.set_status(connection, stream, status, reason)
            self.shelf.speak(connection, stream, StreamUpdated(status, reason or None), self.clock())

        self.writer.run(work, LockScope.FEED)

    def dead_letters(self, name: str) -> list[DeadLetter]:
        """What the consumer refused for good, with its reasons."""
        with reading(self.engine) as connection:
            return outbox.dead_letters(connection, streams.named(connection, name).id)

    def redrive(self, name: str) -> int:
        """Send what dead letters carried once more; how many there were."""
        return self.writer.run(lambda c: outbox.redrive(c, streams.named(c, name).id), LockScope.FEED)

    # What a server's feeder does.

    def lead(self) -> LeaderLock | None:
        """Become the one process that refreshes streams and pushes, unless another is."""
        return product_of(self.engine).lead(self.engine)

    def news(self) -> list[Row[Any]]:
        """The streams that `take` would give something for."""
        now = self.clock()
        with reading(self.engine) as connection:
            found = connection.execute(streams.rows()).all()
            return [row for row in found if self.shelf.has_news(connection, row, now)]

    def start_over(self) -> None:
        """Have everybody looked at again, by a clock that was set back: what had ended by it may stand."""
        self.writer.run(subject_states.restart, LockScope.FEED)

    def lag(self) -> float:
        """Seconds for which the oldest news that is owed to a running stream has waited."""
        with reading(self.engine) as connection:
            since = outbox.oldest_owed(connection)
        return 0.0 if since is None else max(0.0, (micros(self.clock()) - since) / 1e6)

    def outgoing(self, stream: int, most: int, after: int) -> list[Message]:
        """Messages for a push, above `after`."""

        def work(connection: Connection) -> list[Message]:
            row = connection.execute(streams.rows().where(table.c.id == stream)).first()
            return self.shelf.take(connection, row, most, self.clock(), after) if row else []

        return self.writer.run(work, LockScope.FEED)

    def settle(self, stream: int, sent: list[str], dead: dict[str, tuple[str, str]]) -> None:
        """Write down what became of pushed messages, by ``jti``."""

        def work(connection: Connection) -> None:
            outbox.acknowledge(connection, stream, sent)
            outbox.bury(connection, stream, dead)

        self.writer.run(work, LockScope.FEED)

    def counts(self, stream: int) -> MessageCounts:
        """Messages of a stream on their way, and dead."""
        with reading(self.engine) as connection:
            return outbox.counts(connection, stream)

    def take(self, stream: int, most: int) -> Polled:
        """What there is now, for a poll that was authorised and waited."""

        def work(connection: Connection) -> Polled:
            row = connection.execute(streams.rows().where(table.c.id == stream)).first()
            return Polled(stream, (), more=False) if row is None else self.give(connection, row, most)

        return self.writer.run(work, LockScope.FEED)

    def give(self, connection: Connection, stream: Row[Any], most: int) -> Polled:
        """The same within a transaction."""
        most = min(most, MOST_POLLED)
        found = self.shelf.take(connection, stream, most + 1, self.clock()) if most else []
        return Polled(stream.id, tuple(found[:most]), len(found) > most)


def fed_by(
    settings: Settings,
    sign: Sign,
    engine: Engine,
    writer: Writer,
    guard: Guard,
    clock: Callable[[], datetime],
) -> StreamService:
    """The feed of a hub that is set up so."""
    shelf = StreamOutbox(sign, timedelta(seconds=settings.heartbeat_seconds))
    return StreamService(
        settings.issuer, shelf, engine, writer, guard, clock, lambda: settings.as_of or clock().date()
    )
