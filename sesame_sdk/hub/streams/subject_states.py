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
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, insert, select, update

from sesame_sdk.hub.consent.grants import SCORES, is_valid, renew_version
from sesame_sdk.hub.database.engine import upsert
from sesame_sdk.hub.database.tables import grants, pseudonyms, rescore_queue, streams
from sesame_sdk.hub.database.tables import stream_messages as messages
from sesame_sdk.hub.database.tables import stream_subjects as subjects
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.grant import Direction
from sesame_sdk.model.score import Score

SCORE_PRIORITY, REMOVAL_PRIORITY = 1, 2
SCORES_CHANGED = EventType.SCORES_CHANGED.value
_PENDING_SCORE = {"event": SCORES_CHANGED, "pending_priority": SCORE_PRIORITY, "dead_message_id": None}
#: What a removal sets in a state.
_NO_SCORE = {"points": None, "band": None, "grant_expires_at": None, "dead_message_id": None}
_BATCH_SIZE = 500


@frozen
class SubjectState:
    """The current state of a person for a stream; `grant_expires_at` is in microseconds."""

    subject: str
    score: Score | None
    grant_expires_at: int | None


def mark_for_rescoring(connection: Connection, persons: Callable[[], Iterable[int]]) -> None:
    """Queue persons whose scores may have changed, if there is any stream."""
    has_stream = connection.execute(select(streams.c.id).limit(1)).first() is not None
    if has_stream and (person_ids := array("q", set(persons()))):
        connection.execute(insert(rescore_queue).values(person_ids=person_ids.tobytes()))


def rescan(connection: Connection, *of: ColumnElement[bool]) -> None:
    """Rescore everyone for every stream, or those that `of` selects: a policy, registration or key changed.

    A scan in progress goes on from where it is, and ends there: changes that come again and again do not keep
    it from reaching everyone.
    """
    renew_version(connection, SCORES)
    connection.execute(update(streams).where(*of).values(as_of=None, scan_as_of=None))


def enqueue_withdrawals(connection: Connection, persons: Collection[int], at: datetime) -> int:
    """Enqueue withdrawals of those persons who have no valid grant to a stream. Returns how many."""
    count, ids = 0, sorted(persons)
    scored = (
        select(subjects.c.stream, subjects.c.person)
        .join(streams, streams.c.id == subjects.c.stream)
        .where(subjects.c.event == SCORES_CHANGED, ~_has_valid_grant(at))
    )
    for start in range(0, len(ids), _BATCH_SIZE):
        batch = subjects.c.person.in_(ids[start : start + _BATCH_SIZE])
        rows = connection.execute(scored.where(batch)).all()
        for stream, person in rows:
            enqueue_removals(connection, stream, [person], EventType.GRANT_WITHDRAWN, at)
        count += len(rows)
    return count


def enqueue_removal(connection: Connection, person: int, event: EventType, at: datetime) -> None:
    """Enqueue the removal of a person for every stream that has a state of the person.

    The pseudonym stays in the row until the message is delivered. What readers wrote that have a pseudonym
    of the person is deleted: it could be about the person.
    """
    _delete_texts(connection, person)
    for stream in connection.scalars(select(subjects.c.stream).where(subjects.c.person == person)).all():
        enqueue_removals(connection, stream, [person], event, at)


def _delete_texts(connection: Connection, person: int) -> None:
    """Delete the texts of readers that have a pseudonym of a person: descriptions, and ``state`` in messages.

    A reader that waits for a verification event requests it again.
    """
    knows = select(pseudonyms.c.partner).where(pseudonyms.c.person == person)
    theirs = streams.c.partner.in_(knows)
    connection.execute(update(streams).where(theirs).values(description=""))
    of_readers = messages.c.stream.in_(select(streams.c.id).where(theirs))
    is_verification = messages.c.event == EventType.VERIFICATION.value
    connection.execute(delete(messages).where(of_readers, is_verification))


def enqueue_removals(
    connection: Connection, stream: int, persons: Sequence[int], event: EventType, at: datetime
) -> None:
    """Enqueue removals, and discard pending messages about these persons."""
    first = _reserve_sequence(connection, stream, len(persons), at)
    removal = {"event": event.value, "pending_priority": REMOVAL_PRIORITY, **_NO_SCORE}
    for seq, person in enumerate(persons, first):
        this_one = and_(subjects.c.stream == stream, subjects.c.person == person)
        pending = select(subjects.c.message_id).where(this_one, subjects.c.message_id.is_not(None))
        discard_messages(connection, connection.scalars(pending).all())
        connection.execute(update(subjects).where(this_one).values(seq=seq, **removal))


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

    `states` are those of the `persons` (at most some thousand) who have a valid grant; `origin` is
    ``policy``, ``base`` and ``as_of`` of their scores.
    """
    previous = select(subjects).where(subjects.c.stream == stream, subjects.c.person.in_(sorted(persons)))
    before = {row.person: row for row in connection.execute(previous)}
    left = [p for p, row in before.items() if p not in states and row.event == SCORES_CHANGED]
    enqueue_removals(connection, stream, left, EventType.GRANT_WITHDRAWN, at)
    changes = {p: state for p, state in states.items() if _is_change(before.get(p), state, origin)}
    first = _reserve_sequence(connection, stream, len(changes), at)
    shared = {"stream": stream, **_PENDING_SCORE, **origin}
    rows = [
        {"person": person, "seq": seq, **_state(one), **shared}
        for seq, (person, one) in enumerate(changes.items(), first)
    ]
    upsert(connection, subjects, rows)
    for person, one in states.items():  # a new grant may expire at another time though the score is the same
        if person in before and before[person].grant_expires_at != one.grant_expires_at:
            this_one = and_(subjects.c.stream == stream, subjects.c.person == person)
            connection.execute(update(subjects).where(this_one).values(grant_expires_at=one.grant_expires_at))
    return len(left) + len(rows)


def _state(one: SubjectState) -> dict[str, Any]:
    return {
        "subject": one.subject,
        "points": one.score and one.score.points,
        "band": one.score and one.score.band,
        "grant_expires_at": one.grant_expires_at,
    }


def _is_change(before: Row[Any] | None, now: SubjectState, origin: Mapping[str, Any]) -> bool:
    if before is None:
        return now.score is not None
    old = (before.event, before.points, before.band)
    new = (SCORES_CHANGED, now.score and now.score.points, now.score and now.score.band)
    return old != new or (now.score is not None and before.policy != origin["policy"])


def _reserve_sequence(connection: Connection, stream: int, count: int, at: datetime) -> int:
    """The first of `count` sequence numbers that no state of this stream had before."""
    last: int = connection.scalar(select(streams.c.seq).where(streams.c.id == stream)) or 0
    first = max(last + 1, to_micros(at))
    if count:
        connection.execute(update(streams).where(streams.c.id == stream).values(seq=first + count - 1))
    return first


def _has_valid_grant(at: datetime) -> Any:  # noqa: ANN401 - a condition on `stream_subjects` joined with `streams`
    mine = and_(pseudonyms.c.person == subjects.c.person, pseudonyms.c.partner == streams.c.partner)
    reads = and_(grants.c.direction == Direction.READ.value, grants.c.purpose == streams.c.purpose)
    granted = select(grants.c.id).join(pseudonyms, pseudonyms.c.id == grants.c.pseudonym)
    return exists(granted.where(mine, reads, grants.c.context == streams.c.context, is_valid(at)))
