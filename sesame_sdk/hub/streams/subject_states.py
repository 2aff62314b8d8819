"""The latest state of each person for each stream, and whether it is pending.

Rules:
    * the sequence number of a state only grows, also over a restored backup: it starts at the current time
    * a withdrawal makes a removal pending in the same transaction, and discards pending messages about
      the person
    * a score is pending when points, band or policy differ from the last state
    * a person without any state in a stream gets no removal
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, and_, delete, exists, insert, select, update

from sesame_sdk.hub.consent.grants import is_valid
from sesame_sdk.hub.database.engine import upsert
from sesame_sdk.hub.database.tables import grants, pseudonyms, rescore_queue, streams
from sesame_sdk.hub.database.tables import stream_messages as messages
from sesame_sdk.hub.database.tables import stream_subjects as subjects
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.grant import Direction
from sesame_sdk.model.score import Score

SCORE_PRIORITY, REMOVAL_PRIORITY = 1, 2
_BATCH_SIZE = 500


@frozen
class SubjectState:
    """The current state of a person for a stream.

    Attributes:
        subject: the reader's pseudonym.
        score: None if there is none.
        grant_expires_at: microseconds; when the consent ends by itself, if it does.
    """

    subject: str
    score: Score | None
    grant_expires_at: int | None


def mark_for_rescoring(connection: Connection, persons: Callable[[], Iterable[int]]) -> None:
    """Queue persons whose scores may have changed, if there is any stream."""
    if connection.execute(select(streams.c.id).limit(1)).first() is not None:
        some = array("q", set(persons()))
        if some:
            connection.execute(insert(rescore_queue).values(person_ids=some.tobytes()))


def rescan_all(connection: Connection) -> None:
    """Rescore everyone for every stream, after a policy, a registration or a key changed."""
    connection.execute(update(streams).values(as_of=None, scan_cursor=0))


def enqueue_withdrawals(connection: Connection, persons: Collection[int], at: datetime) -> int:
    """Enqueue withdrawals of those persons who have no valid grant to a stream. Returns how many."""
    count = 0
    numbers = sorted(persons)
    for start in range(0, len(numbers), _BATCH_SIZE):
        some = numbers[start : start + _BATCH_SIZE]
        chosen = select(subjects.c.stream, subjects.c.person).join(streams, streams.c.id == subjects.c.stream)
        scored = subjects.c.event == EventType.SCORES_CHANGED.value
        rows = connection.execute(
            chosen.where(subjects.c.person.in_(some), scored, ~_has_valid_grant(at))
        ).all()
        for stream, person in rows:
            enqueue_removals(connection, stream, [person], EventType.GRANT_WITHDRAWN, at)
        count += len(rows)
    return count


def enqueue_erasure(connection: Connection, person: int, at: datetime) -> None:
    """Enqueue the erasure of a person for every stream that has a state of the person.

    The pseudonym stays in the row until the message is delivered.
    """
    for stream in connection.scalars(select(subjects.c.stream).where(subjects.c.person == person)).all():
        enqueue_removals(connection, stream, [person], EventType.PERSON_ERASED, at)


def enqueue_removals(
    connection: Connection, stream: int, persons: Sequence[int], event: EventType, at: datetime
) -> None:
    """Enqueue removals, and discard pending messages about these persons."""
    seq = _reserve_sequence(connection, stream, len(persons), at)
    for number, person in enumerate(persons, seq):
        this_one = and_(subjects.c.stream == stream, subjects.c.person == person)
        carried = connection.scalars(
            select(subjects.c.message_id).where(this_one, subjects.c.message_id.is_not(None))
        ).all()
        discard_messages(connection, carried)
        removal = {
            "event": event.value,
            "points": None,
            "band": None,
            "grant_expires_at": None,
            "pending_priority": REMOVAL_PRIORITY,
            "seq": number,
        }
        connection.execute(update(subjects).where(this_one).values(**removal, dead_message_id=None))


def discard_messages(connection: Connection, numbers: Collection[int]) -> None:
    """Delete messages unsent; their contents stay pending, and go into new messages."""
    if numbers:
        connection.execute(update(subjects).where(subjects.c.message_id.in_(numbers)).values(message_id=None))
        connection.execute(delete(messages).where(messages.c.id.in_(numbers)))


def enqueue_changes(
    connection: Connection,
    stream: int,
    persons: Collection[int],
    states: Mapping[int, SubjectState],
    at: datetime,
    origin: Mapping[str, Any],
) -> int:
    """Enqueue the states that changed. Returns how many.

    Args:
        connection: in a transaction.
        stream: its row.
        persons: who was rescored, at most some thousand.
        states: of those of them who have a valid grant.
        at: now; UTC.
        origin: ``policy``, ``base`` and ``as_of`` of the scores.
    """
    before = _previous_states(connection, stream, persons)
    left = [p for p, row in before.items() if p not in states and row.event == EventType.SCORES_CHANGED.value]
    enqueue_removals(connection, stream, left, EventType.GRANT_WITHDRAWN, at)
    changes = {p: state for p, state in states.items() if _is_change(before.get(p), state, origin)}
    seq = _reserve_sequence(connection, stream, len(changes), at)
    rows = [
        {"stream": stream, "person": person, "seq": number, **_state(one), **origin}
        for number, (person, one) in enumerate(changes.items(), seq)
    ]
    upsert(connection, subjects, rows)
    _update_grant_expiry(connection, stream, before, states)
    return len(left) + len(rows)


def _state(one: SubjectState) -> dict[str, Any]:
    return {
        "subject": one.subject,
        "event": EventType.SCORES_CHANGED.value,
        "points": one.score and one.score.points,
        "band": one.score and one.score.band,
        "grant_expires_at": one.grant_expires_at,
        "pending_priority": SCORE_PRIORITY,
        "dead_message_id": None,
    }


def _is_change(before: Row[Any] | None, now: SubjectState, origin: Mapping[str, Any]) -> bool:
    if before is None:
        return now.score is not None
    old = (before.event, before.points, before.band)
    new = (EventType.SCORES_CHANGED.value, now.score and now.score.points, now.score and now.score.band)
    return old != new or (now.score is not None and before.policy != origin["policy"])


def _previous_states(connection: Connection, stream: int, persons: Collection[int]) -> dict[int, Row[Any]]:
    rows = connection.execute(
        select(subjects).where(subjects.c.stream == stream, subjects.c.person.in_(sorted(persons)))
    )
    return {row.person: row for row in rows}


def _update_grant_expiry(
    connection: Connection, stream: int, before: Mapping[int, Row[Any]], states: Mapping[int, SubjectState]
) -> None:
    """A new grant may expire at another time though the score is the same."""
    for person, one in states.items():
        if person in before and before[person].grant_expires_at != one.grant_expires_at:
            this_one = and_(subjects.c.stream == stream, subjects.c.person == person)
            connection.execute(update(subjects).where(this_one).values(grant_expires_at=one.grant_expires_at))


def _reserve_sequence(connection: Connection, stream: int, count: int, at: datetime) -> int:
    """The first of `count` sequence numbers that no state of this stream had before."""
    last: int = connection.scalar(select(streams.c.seq).where(streams.c.id == stream)) or 0
    first = max(last + 1, to_micros(at))
    if count:
        connection.execute(update(streams).where(streams.c.id == stream).values(seq=first + count - 1))
    return first


def _has_valid_grant(at: datetime) -> Any:  # noqa: ANN401 - a condition on `stream_subjects` joined with `streams`
    mine = and_(pseudonyms.c.person == subjects.c.person, pseudonyms.c.partner == streams.c.partner)
    read = and_(
        grants.c.direction == Direction.READ.value,
        grants.c.purpose == streams.c.purpose,
        grants.c.context == streams.c.context,
    )
    return exists(
        select(grants.c.id)
        .join(pseudonyms, pseudonyms.c.id == grants.c.pseudonym)
        .where(mine, read, is_valid(at))
    )
