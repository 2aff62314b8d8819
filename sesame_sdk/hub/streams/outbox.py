"""The outbox of a stream: pending messages and dead letters, in the hub's database.

It is in the database, so a withdrawal and its message are one transaction: see ``docs/decisions/0015``.

Rules:
    * a message is created and signed when a poll or push fetches it; withdrawals and erasures go first
    * a person is in one pending message at a time, so that the states of each person arrive in order
    * every score that is sent is a read, logged for its person in the same transaction
    * a message keeps its ``jti`` and its bytes until it is acknowledged or an hour old; if a person in it
      withdraws it is discarded, and the other persons go into a new message
    * a message that the reader rejects becomes a dead letter; redriving makes its contents pending again
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, func, insert, select, update

from sesame_sdk.delivery.messages import DeadLetter, Message, MessageCounts
from sesame_sdk.hub.database.tables import score_reads, streams
from sesame_sdk.hub.database.tables import stream_messages as messages
from sesame_sdk.hub.database.tables import stream_subjects as subjects
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.observability.log_events import CODES, OTHER
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.hub.streams.streams import ENABLED
from sesame_sdk.hub.streams.subject_states import REMOVAL_PRIORITY, SCORE_PRIORITY, SCORES_CHANGED
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import (
    MAX_CHANGES,
    ScoreChange,
    ScoresChanged,
    StreamUpdated,
    SubjectId,
    SubjectRemoved,
    Verification,
)
from sesame_sdk.signing.jwt import LEEWAY, new_jti, sign_event

#: An older pending message is created anew, since readers reject old tokens.
MAX_MESSAGE_AGE = timedelta(hours=1)
_NO_ERROR = {"dead_lettered": False, "error_code": ""}


@frozen
class StreamOutbox:
    """Creates messages, and stores them until they are delivered, in the caller's transaction.

    A stream without a message for as long as `heartbeat` gets a verification event.
    """

    issuer: str
    signer: Signer
    clock: Callable[[], datetime]
    heartbeat: timedelta

    def fetch(
        self,
        connection: Connection,
        stream: Row[Any],
        limit: int,
        at: datetime,
        skipped: Collection[int] = (),
    ) -> list[Message]:
        """Pending messages, created now if there are fewer than `limit`; pending until acknowledged.

        Without those whose ids are `skipped`.
        """
        mine = (messages.c.stream == stream.id) & ~messages.c.dead_lettered
        # A message that a wrong clock dated in the future would be rejected.
        usable = messages.c.created_at.between(to_micros(at - MAX_MESSAGE_AGE), to_micros(at + LEEWAY))
        unusable = connection.scalars(select(messages.c.id).where(mine, ~usable)).all()
        subject_states.discard_messages(connection, unusable)
        pending = _pending_messages(connection, stream, limit, skipped)
        while len(pending) < limit and stream.status == ENABLED and self._make_next(connection, stream, at):
            pending = _pending_messages(connection, stream, limit, skipped)
        return pending

    def enqueue_stream_event(
        self, connection: Connection, stream: Row[Any], payload: Verification | StreamUpdated, at: datetime
    ) -> None:
        """Add a message about the stream itself."""
        event = EventType.VERIFICATION if isinstance(payload, Verification) else EventType.STREAM_UPDATED
        self._store(connection, stream, event, payload, SubjectId(stream.name), at)

    def _make_next(self, connection: Connection, stream: Row[Any], at: datetime) -> bool:
        pending = select(subjects).where(_is_pending(stream), subjects.c.message_id.is_(None))
        ordered = pending.order_by(subjects.c.pending_priority.desc(), subjects.c.seq)
        rows = connection.execute(ordered.limit(MAX_CHANGES)).all()
        if not rows:
            return self._make_heartbeat(connection, stream, at)
        first = rows[0]
        if first.pending_priority == REMOVAL_PRIORITY:
            self._make_removal(connection, stream, first, at)
        else:
            alike = [row for row in rows if (row.policy, row.as_of) == (first.policy, first.as_of)]
            self._make_scores(connection, stream, alike, at)
        return True

    def _make_heartbeat(self, connection: Connection, stream: Row[Any], at: datetime) -> bool:
        last = connection.scalar(select(streams.c.last_message_at).where(streams.c.id == stream.id)) or 0
        is_due = self._is_silent(last, at) and not _has_message(connection, stream.id)
        if is_due:
            self.enqueue_stream_event(connection, stream, Verification(), at)
        return is_due

    def _is_silent(self, last: int, at: datetime) -> bool:
        """Whether the last message is older than the heartbeat, or dated in the future."""
        return not to_micros(at - self.heartbeat) < last <= to_micros(at + LEEWAY)

    def has_pending(self, connection: Connection, stream: Row[Any], at: datetime) -> bool:
        """Whether `fetch` would return anything: a message, a pending state or a heartbeat."""
        if _has_message(connection, stream.id):
            return True
        if stream.status != ENABLED:
            return False
        pending = select(subjects.c.person).where(_is_pending(stream)).limit(1)
        return self._is_silent(stream.last_message_at, at) or connection.execute(pending).first() is not None

    def _make_removal(self, connection: Connection, stream: Row[Any], row: Row[Any], at: datetime) -> None:
        event = EventType(row.event)
        terms = () if event is EventType.PERSON_ERASED else (stream.purpose, stream.context)
        removed = SubjectRemoved(row.seq, *terms)
        self._store(connection, stream, event, removed, SubjectId(row.subject), at, [row])

    def _make_scores(
        self, connection: Connection, stream: Row[Any], rows: list[Row[Any]], at: datetime
    ) -> None:
        changes = tuple(ScoreChange(SubjectId(row.subject), row.seq, row.points, row.band) for row in rows)
        first, day = rows[0], date.fromisoformat(rows[0].as_of)
        payload = ScoresChanged(stream.purpose, stream.context, first.policy, first.base, day, changes)
        self._store(connection, stream, EventType.SCORES_CHANGED, payload, SubjectId(stream.name), at, rows)
        shared = {"partner": stream.partner, "purpose": stream.purpose, "context": stream.context}
        shared["read_at"] = to_micros(at)
        reads = [{"person": row.person, "answered": row.points is not None, **shared} for row in rows]
        connection.execute(insert(score_reads), reads)

    def _store(
        self,
        connection: Connection,
        stream: Row[Any],
        event: EventType,
        payload: object,
        about: SubjectId,
        at: datetime,
        rows: Sequence[Row[Any]] = (),
    ) -> None:
        jti, now = new_jti(), to_micros(at)
        parties = {"issuer": self.issuer, "audience": stream.issuer}
        token = sign_event(event, payload, self.signer, now=self.clock(), jti=jti, sub_id=about, **parties)
        message = {
            "stream": stream.id,
            "jti": jti,
            "event": event.value,
            "subject_count": len(rows),
            "seq": max((row.seq for row in rows), default=0),
            "created_at": now,
            "token": token,
            **_NO_ERROR,
        }
        (number,) = connection.execute(insert(messages).values(**message)).inserted_primary_key or (0,)
        mine = (subjects.c.stream == stream.id) & subjects.c.person.in_([row.person for row in rows])
        connection.execute(update(subjects).where(mine).values(message_id=number))
        connection.execute(update(streams).where(streams.c.id == stream.id).values(last_message_at=now))


def acknowledge(connection: Connection, stream: int, jtis: Collection[str]) -> None:
    """Delete delivered messages. States that changed since stay pending; removals are deleted."""
    for row in _find_messages(connection, stream, jtis):
        contents = (subjects.c.message_id == row.id) & (subjects.c.seq <= row.seq)
        connection.execute(delete(subjects).where(contents, subjects.c.event != SCORES_CHANGED))
        connection.execute(update(subjects).where(contents).values(pending_priority=0))
        subject_states.discard_messages(connection, [row.id])


def dead_letter(connection: Connection, stream: int, errors: Mapping[str, str]) -> None:
    """Turn rejected messages, by ``jti``, into dead letters without their tokens.

    Of the reader's error, only a known code is stored: its text may be about a person.
    """
    for row in _find_messages(connection, stream, list(errors)):
        code = errors[row.jti] if errors[row.jti] in CODES else OTHER
        sent = subjects.c.message_id == row.id
        dead_contents = update(subjects).where(sent, subjects.c.seq <= row.seq)
        connection.execute(dead_contents.values(pending_priority=0, dead_message_id=row.id))
        connection.execute(update(subjects).where(sent).values(message_id=None))
        values = {"error_code": code, "token": b""}
        this_one = update(messages).where(messages.c.id == row.id)
        connection.execute(this_one.values(dead_lettered=True, **values))


def redrive(connection: Connection, stream: int) -> int:
    """Make the contents of dead letters pending again. Returns how many dead letters there were."""
    is_dead = (messages.c.stream == stream) & messages.c.dead_lettered
    dead = connection.scalars(select(messages.c.id).where(is_dead)).all()
    priority = case((subjects.c.event == SCORES_CHANGED, SCORE_PRIORITY), else_=REMOVAL_PRIORITY)
    contents = update(subjects).where(subjects.c.dead_message_id.in_(dead))
    connection.execute(contents.values(pending_priority=priority, dead_message_id=None))
    connection.execute(delete(messages).where(messages.c.id.in_(dead)))
    return len(dead)


def list_dead_letters(connection: Connection, stream: int) -> list[DeadLetter]:
    """The dead letters of a stream, oldest first."""
    dead = select(messages).where(messages.c.stream == stream, messages.c.dead_lettered)
    return [
        DeadLetter(row.id, row.jti, row.event, row.subject_count, row.error_code, "")
        for row in connection.execute(dead.order_by(messages.c.id))
    ]


def count_pending_subjects(connection: Connection, stream: Row[Any]) -> int:
    """How many persons have a pending state."""
    return connection.scalar(select(func.count()).select_from(subjects).where(_is_pending(stream))) or 0


def oldest_pending(connection: Connection) -> int | None:
    """The lowest sequence number of a pending state of an enabled stream: about its time, in microseconds."""
    lowest = []
    for stream in connection.execute(select(streams).where(streams.c.status == ENABLED)).all():
        # Each is the first entry of an index range.
        for priority in range(_lowest_priority(stream), REMOVAL_PRIORITY + 1):
            mine = (subjects.c.stream == stream.id, subjects.c.pending_priority == priority)
            lowest.append(connection.scalar(select(func.min(subjects.c.seq)).where(*mine)))
    return min((seq for seq in lowest if seq is not None), default=None)


def count_messages(connection: Connection, stream: int) -> MessageCounts:
    """Pending messages and dead letters; delivered messages are not counted."""
    columns = (messages.c.dead_lettered, func.count(), func.sum(func.length(messages.c.token)))
    mine = select(*columns).where(messages.c.stream == stream).group_by(messages.c.dead_lettered)
    counts = {dead: (count, size) for dead, count, size in connection.execute(mine)}
    (pending, size), (dead, _) = counts.get(False, (0, 0)), counts.get(True, (0, 0))
    return MessageCounts(pending, 0, dead, size)


def _is_pending(stream: Row[Any]) -> ColumnElement[bool]:
    return and_(subjects.c.stream == stream.id, subjects.c.pending_priority >= _lowest_priority(stream))


def _lowest_priority(stream: Row[Any]) -> int:
    """Of a stream that did not request scores only removals are delivered."""
    return SCORE_PRIORITY if SCORES_CHANGED in stream.events_requested else REMOVAL_PRIORITY


def _has_message(connection: Connection, stream: int) -> bool:
    mine = (messages.c.stream == stream, ~messages.c.dead_lettered)
    return connection.execute(select(messages.c.id).where(*mine).limit(1)).first() is not None


def _pending_messages(
    connection: Connection, stream: Row[Any], limit: int, skipped: Collection[int]
) -> list[Message]:
    mine = (messages.c.stream == stream.id, ~messages.c.dead_lettered, messages.c.id.not_in(skipped))
    pending = select(messages).where(*mine)
    if stream.status != ENABLED:
        pending = pending.where(messages.c.event == EventType.STREAM_UPDATED.value)
    removals_first = (messages.c.event == SCORES_CHANGED, messages.c.id)
    rows = connection.execute(pending.order_by(*removals_first).limit(limit))
    return [Message(row.id, row.jti, row.event, row.subject_count, row.token) for row in rows]


def _find_messages(connection: Connection, stream: int, jtis: Collection[str]) -> Sequence[Row[Any]]:
    mine = (messages.c.stream == stream, ~messages.c.dead_lettered, messages.c.jti.in_(list(jtis)))
    return connection.execute(select(messages).where(*mine)).all()
