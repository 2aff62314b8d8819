"""A stream's messages on their way: what `exchange.outbox` is to a partner, kept in the ledger's database.

It is there, and not in a file beside it, so that a withdrawal and what follows from it are one
transaction: see ``docs/decisions/0015``.

Rules:
    * a message is made and signed when somebody is there to take it; who left goes first
    * a person is in one message at a time, so that each person's states arrive in order
    * every score that goes out is a read, logged for its person in the same transaction
    * a message keeps its ``jti`` and its bytes until it is acknowledged or an hour has passed; one that
      somebody in it leaves is thrown away, and the others go into a new one
    * what was refused for good is a dead letter; what it carried is owed again when it is redriven
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from sesame_sdk.delivery.messages import DeadLetter, Message, MessageCounts
from sesame_sdk.hub.database.tables import score_reads, stream_messages, stream_subjects, streams
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.hub.streams.streams import ENABLED
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
from sesame_sdk.signing.jwt import LEEWAY
from sesame_sdk.signing.security_events import new_jti, sign_event

#: A message that waits longer is made anew: its date says how fresh it is, and old ones are refused.
MAX_MESSAGE_AGE = timedelta(hours=1)
_SCORES = EventType.SCORES_CHANGED.value


@frozen
class StreamSigner:
    """Signs the messages of streams."""

    issuer: str
    signer: Signer
    clock: Callable[[], datetime]

    def sign(self, event: EventType, payload: object, audience: str, about: SubjectId, jti: str) -> bytes:
        """The token of a message to a reader, about a person or a stream (RFC 9493)."""
        return sign_event(
            event,
            payload,
            self.signer,
            issuer=self.issuer,
            audience=audience,
            now=self.clock(),
            jti=jti,
            sub_id=about,
        )


@frozen
class StreamOutbox:
    """Makes messages and keeps what became of them. Every method works in the caller's transaction.

    Attributes:
        signer: signs them.
        heartbeat: after so long without a message one is sent to say that the stream is alive.
    """

    signer: StreamSigner
    heartbeat: timedelta

    def fetch(
        self, connection: Connection, stream: Row[Any], limit: int, at: datetime, after: int | None = None
    ) -> list[Message]:
        """Up to `most` messages, made now where there are fewer. They are given again until settled.

        Args:
            connection: in a transaction.
            stream: a row of `streams.rows`.
            limit: how many.
            at: now; UTC.
            after: only messages above this number, in the order of their numbers.
        """
        mine = (stream_messages.c.stream == stream.id) & ~stream_messages.c.dead_lettered
        # By a clock that was ahead of its time it says a time at which nobody would believe it.
        fit = stream_messages.c.created_at.between(to_micros(at - MAX_MESSAGE_AGE), to_micros(at + LEEWAY))
        subject_states.discard_messages(
            connection, connection.scalars(select(stream_messages.c.id).where(mine, ~fit)).all()
        )
        found = _open(connection, stream, limit, after)
        while len(found) < limit and stream.status == ENABLED and self._make_next(connection, stream, at):
            found = _open(connection, stream, limit, after)
        return found

    def enqueue_stream_event(
        self, connection: Connection, stream: Row[Any], payload: Verification | StreamUpdated, at: datetime
    ) -> None:
        """Put a message about the stream itself on its way."""
        event = EventType.VERIFICATION if isinstance(payload, Verification) else EventType.STREAM_UPDATED
        self._store(connection, stream, event, payload, SubjectId(stream.name), at)

    def _make_next(self, connection: Connection, stream: Row[Any], at: datetime) -> bool:
        waiting = (
            stream_subjects.c.stream == stream.id,
            stream_subjects.c.pending_priority > 0,
            stream_subjects.c.message_id.is_(None),
        )
        ordered = (
            select(stream_subjects)
            .where(*waiting)
            .order_by(stream_subjects.c.pending_priority.desc(), stream_subjects.c.seq)
        )
        rows = connection.execute(ordered.limit(MAX_CHANGES)).all()
        if not rows:
            return self._make_heartbeat(connection, stream, at)
        first = rows[0]
        if first.pending_priority == subject_states.REMOVAL_PRIORITY:
            self._make_removal(connection, stream, first, at)
        else:
            alike = [row for row in rows if (row.policy, row.as_of) == (first.policy, first.as_of)]
            self._make_scores(connection, stream, alike, at)
        return True

    def _make_heartbeat(self, connection: Connection, stream: Row[Any], at: datetime) -> bool:
        waits = (
            select(stream_messages.c.id)
            .where(stream_messages.c.stream == stream.id, ~stream_messages.c.dead_lettered)
            .limit(1)
        )
        spoke = connection.scalar(select(streams.c.last_message_at).where(streams.c.id == stream.id)) or 0
        due = self._is_silent(spoke, at) and connection.execute(waits).first() is None
        if due:
            self.enqueue_stream_event(connection, stream, Verification(), at)
        return due

    def _is_silent(self, spoke: int, at: datetime) -> bool:
        """Whether a stream was spoken through too long ago, or at a time that is still to come."""
        return not to_micros(at - self.heartbeat) < spoke <= to_micros(at + LEEWAY)

    def has_pending(self, connection: Connection, stream: Row[Any], at: datetime) -> bool:
        """Whether `take` would give anything: a message, a state that is owed, or a sign of life."""
        waits = (
            select(stream_messages.c.id)
            .where(stream_messages.c.stream == stream.id, ~stream_messages.c.dead_lettered)
            .limit(1)
        )
        if connection.execute(waits).first():
            return True
        if stream.status != ENABLED:
            return False
        owed = (
            select(stream_subjects.c.person)
            .where(stream_subjects.c.stream == stream.id, stream_subjects.c.pending_priority > 0)
            .limit(1)
        )
        return self._is_silent(stream.last_message_at, at) or connection.execute(owed).first() is not None

    def _make_removal(self, connection: Connection, stream: Row[Any], row: Row[Any], at: datetime) -> None:
        event = EventType(row.event)
        erased = event is EventType.PERSON_ERASED
        payload = (
            SubjectRemoved(row.seq) if erased else SubjectRemoved(row.seq, stream.purpose, stream.context)
        )
        self._store(connection, stream, event, payload, SubjectId(row.subject), at, [row])

    def _make_scores(
        self, connection: Connection, stream: Row[Any], rows: Sequence[Row[Any]], at: datetime
    ) -> None:
        changes = tuple(ScoreChange(SubjectId(row.subject), row.seq, row.points, row.band) for row in rows)
        day, first = date.fromisoformat(rows[0].as_of), rows[0]
        payload = ScoresChanged(stream.purpose, stream.context, first.policy, first.base, day, changes)
        self._store(connection, stream, EventType.SCORES_CHANGED, payload, SubjectId(stream.name), at, rows)
        shared = {"partner": stream.partner, "purpose": stream.purpose, "context": stream.context}
        log = [
            {"person": r.person, "read_at": to_micros(at), "answered": r.points is not None, **shared}
            for r in rows
        ]
        connection.execute(insert(score_reads), log)

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
        jti = new_jti()
        row = {
            "stream": stream.id,
            "jti": jti,
            "event": event.value,
            "subject_count": len(rows),
            "seq": max((row.seq for row in rows), default=0),
            "created_at": to_micros(at),
            "token": self.signer.sign(event, payload, stream.issuer, about, jti),
            "dead_lettered": False,
            "error_code": "",
            "error_description": "",
        }
        (number,) = connection.execute(insert(stream_messages).values(**row)).inserted_primary_key or (0,)
        persons = [row.person for row in rows]
        mine = (stream_subjects.c.stream == stream.id) & stream_subjects.c.person.in_(persons)
        connection.execute(update(stream_subjects).where(mine).values(message_id=number))
        connection.execute(
            update(streams).where(streams.c.id == stream.id).values(last_message_at=to_micros(at))
        )


def acknowledge(connection: Connection, stream: int, jtis: Collection[str]) -> None:
    """The consumer has these. What changed since is owed still; who left is forgotten."""
    for row in _named(connection, stream, jtis):
        carried = (stream_subjects.c.message_id == row.id, stream_subjects.c.seq <= row.seq)
        connection.execute(delete(stream_subjects).where(*carried, stream_subjects.c.event != _SCORES))
        connection.execute(update(stream_subjects).where(*carried).values(pending_priority=0))
        subject_states.discard_messages(connection, [row.id])


def dead_letter(connection: Connection, stream: int, faults: Mapping[str, tuple[str, str]]) -> None:
    """The consumer refused these for good; by ``jti``, a code and the reason. The token is not kept."""
    for row in _named(connection, stream, list(faults)):
        code, reason = faults[row.jti]
        carried = (stream_subjects.c.message_id == row.id, stream_subjects.c.seq <= row.seq)
        connection.execute(
            update(stream_subjects).where(*carried).values(pending_priority=0, dead_message_id=row.id)
        )
        connection.execute(
            update(stream_subjects).where(stream_subjects.c.message_id == row.id).values(message_id=None)
        )
        gone = {
            "dead_lettered": True,
            "error_code": code[:64],
            "error_description": reason[:1024],
            "token": b"",
        }
        connection.execute(update(stream_messages).where(stream_messages.c.id == row.id).values(**gone))


def redrive(connection: Connection, stream: int) -> int:
    """Owe what dead letters carried once more, in new messages. How many dead letters there were."""
    gone = connection.scalars(
        select(stream_messages.c.id).where(
            stream_messages.c.stream == stream, stream_messages.c.dead_lettered
        )
    ).all()
    carried = stream_subjects.c.dead_message_id.in_(gone)
    scored = stream_subjects.c.event == _SCORES
    connection.execute(
        update(stream_subjects)
        .where(carried, scored)
        .values(pending_priority=subject_states.SCORE_PRIORITY, dead_message_id=None)
    )
    connection.execute(
        update(stream_subjects)
        .where(carried, ~scored)
        .values(pending_priority=subject_states.REMOVAL_PRIORITY, dead_message_id=None)
    )
    connection.execute(delete(stream_messages).where(stream_messages.c.id.in_(gone)))
    return len(gone)


def list_dead_letters(connection: Connection, stream: int) -> list[DeadLetter]:
    """What the consumer refused for good, oldest first."""
    chosen = (
        select(stream_messages)
        .where(stream_messages.c.stream == stream, stream_messages.c.dead_lettered)
        .order_by(stream_messages.c.id)
    )
    return [
        DeadLetter(r.jti, r.event, r.subject_count, r.error_code, r.error_description)
        for r in connection.execute(chosen)
    ]


def count_pending_subjects(connection: Connection, stream: int) -> int:
    """People whose state is owed."""
    owed = (stream_subjects.c.stream == stream, stream_subjects.c.pending_priority > 0)
    return connection.scalar(select(func.count()).select_from(stream_subjects).where(*owed)) or 0


def oldest_pending(connection: Connection) -> int | None:
    """The least number of a state owed to a running stream: about when it came to be, in us."""
    firsts = []
    for stream in connection.scalars(select(streams.c.id).where(streams.c.status == ENABLED)).all():
        for due in (
            subject_states.SCORE_PRIORITY,
            subject_states.REMOVAL_PRIORITY,
        ):  # each is the first entry of a part of an index
            owed = select(func.min(stream_subjects.c.seq)).where(
                stream_subjects.c.stream == stream, stream_subjects.c.pending_priority == due
            )
            firsts.append(connection.scalar(owed))
    return min((first for first in firsts if first is not None), default=None)


def count_messages(connection: Connection, stream: int) -> MessageCounts:
    """Messages on their way and dead; what was received is not kept."""
    rows = select(
        stream_messages.c.dead_lettered, func.count(), func.sum(func.length(stream_messages.c.token))
    )
    found = {
        row[0]: row
        for row in connection.execute(
            rows.where(stream_messages.c.stream == stream).group_by(stream_messages.c.dead_lettered)
        )
    }
    pending, gone = found.get(False), found.get(True)
    return MessageCounts(
        pending[1] if pending else 0, 0, gone[1] if gone else 0, pending[2] if pending else 0
    )


def _open(connection: Connection, stream: Row[Any], most: int, after: int | None) -> list[Message]:
    mine = (
        stream_messages.c.stream == stream.id,
        ~stream_messages.c.dead_lettered,
        stream_messages.c.id > (after or 0),
    )
    chosen = select(stream_messages).where(*mine)
    if stream.status != ENABLED:
        chosen = chosen.where(stream_messages.c.event == EventType.STREAM_UPDATED.value)
    first = chosen.order_by(
        *([stream_messages.c.event == _SCORES] if after is None else []), stream_messages.c.id
    ).limit(most)
    return [Message(r.id, r.jti, r.event, r.subject_count, r.token) for r in connection.execute(first)]


def _named(connection: Connection, stream: int, jtis: Collection[str]) -> Sequence[Row[Any]]:
    chosen = select(stream_messages).where(
        stream_messages.c.stream == stream,
        ~stream_messages.c.dead_lettered,
        stream_messages.c.jti.in_(list(jtis)),
    )
    return connection.execute(chosen).all()
