"""What each stream is told of each person: the latest state, and whether it is still owed.

Rules:
    * a state has a number that only grows, also over a restored backup: it begins at the time of day
    * who takes the consent back is marked in the same transaction, and what was on its way about them
      is never sent again
    * a score is owed when points, band or policy differ from what was said last
    * who was never told of is not told of for having left
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, and_, delete, exists, insert, select, update

from sesame_sdk.hub.consent.grants import is_valid
from sesame_sdk.hub.database.engine import upsert
from sesame_sdk.hub.database.tables import (
    grants,
    pseudonyms,
    rescore_queue,
    stream_messages,
    stream_subjects,
    streams,
)
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.grant import Direction
from sesame_sdk.model.score import Score

SCORE_PRIORITY, REMOVAL_PRIORITY = 1, 2
_AT_ONCE = 500


@frozen
class SubjectState:
    """What holds of one person for one stream now.

    Attributes:
        subject: the consumer's pseudonym.
        score: if there is one.
        grant_expires_at: microseconds; when the consent ends by itself, if it does.
    """

    subject: str
    score: Score | None
    grant_expires_at: int | None


def mark_for_rescoring(connection: Connection, persons: Callable[[], Iterable[int]]) -> None:
    """Remember people whose scores may have changed, if anybody wants to be told."""
    if connection.execute(select(streams.c.id).limit(1)).first() is not None:
        some = array("q", set(persons()))
        if some:
            connection.execute(insert(rescore_queue).values(person_ids=some.tobytes()))


def rescan_all(connection: Connection) -> None:
    """Have everybody looked at again: a policy, a registration or a key has changed."""
    connection.execute(update(streams).values(as_of=None, scan_cursor=0))


def enqueue_withdrawals(connection: Connection, persons: Collection[int], at: datetime) -> int:
    """Announce those of `persons` whose consent to a stream no longer stands. How many that are."""
    left = 0
    numbers = sorted(persons)
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        chosen = select(stream_subjects.c.stream, stream_subjects.c.person).join(
            streams, streams.c.id == stream_subjects.c.stream
        )
        scored = stream_subjects.c.event == EventType.SCORES_CHANGED.value
        rows = connection.execute(
            chosen.where(stream_subjects.c.person.in_(some), scored, ~_has_valid_grant(at))
        ).all()
        for stream, person in rows:
            enqueue_removals(connection, stream, [person], EventType.GRANT_WITHDRAWN, at)
        left += len(rows)
    return left


def enqueue_erasure(connection: Connection, person: int, at: datetime) -> None:
    """Announce to every stream that ever heard of a person that the person is erased.

    The pseudonym stays in the row until the consumer has it, and goes with it.
    """
    for stream in connection.scalars(
        select(stream_subjects.c.stream).where(stream_subjects.c.person == person)
    ).all():
        enqueue_removals(connection, stream, [person], EventType.PERSON_ERASED, at)


def enqueue_removals(
    connection: Connection, stream: int, persons: Sequence[int], event: EventType, at: datetime
) -> None:
    """Say that people left, and let no earlier message about them leave the house any more."""
    seq = _reserve_sequence(connection, stream, len(persons), at)
    for number, person in enumerate(persons, seq):
        this_one = and_(stream_subjects.c.stream == stream, stream_subjects.c.person == person)
        carried = connection.scalars(
            select(stream_subjects.c.message_id).where(this_one, stream_subjects.c.message_id.is_not(None))
        ).all()
        discard_messages(connection, carried)
        gone = {
            "event": event.value,
            "points": None,
            "band": None,
            "grant_expires_at": None,
            "pending_priority": REMOVAL_PRIORITY,
            "seq": number,
        }
        connection.execute(update(stream_subjects).where(this_one).values(**gone, dead_message_id=None))


def discard_messages(connection: Connection, numbers: Collection[int]) -> None:
    """Throw messages away unsent; what they carried is owed as before, and goes into new ones."""
    if numbers:
        connection.execute(
            update(stream_subjects).where(stream_subjects.c.message_id.in_(numbers)).values(message_id=None)
        )
        connection.execute(delete(stream_messages).where(stream_messages.c.id.in_(numbers)))


def enqueue_changes(
    connection: Connection,
    stream: int,
    asked: Collection[int],
    found: Mapping[int, SubjectState],
    at: datetime,
    of: Mapping[str, Any],
) -> int:
    """Owe a stream what changed. How many states that are.

    Args:
        connection: in a transaction.
        stream: its number.
        asked: the people who were looked at, at most some thousand.
        found: those of them whose consent stands.
        at: now; UTC.
        of: ``policy``, ``base`` and ``as_of`` of the scores.
    """
    before = _before(connection, stream, asked)
    left = [p for p, row in before.items() if p not in found and row.event == EventType.SCORES_CHANGED.value]
    enqueue_removals(connection, stream, left, EventType.GRANT_WITHDRAWN, at)
    news = {person: one for person, one in found.items() if _is_change(before.get(person), one, of)}
    seq = _reserve_sequence(connection, stream, len(news), at)
    rows = [
        {"stream": stream, "person": person, "seq": number, **_state(one), **of}
        for number, (person, one) in enumerate(news.items(), seq)
    ]
    upsert(connection, stream_subjects, rows)
    _update_grant_expiry(connection, stream, before, found)
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


def _is_change(before: Row[Any] | None, now: SubjectState, of: Mapping[str, Any]) -> bool:
    if before is None:
        return now.score is not None
    said = (before.event, before.points, before.band)
    says = (EventType.SCORES_CHANGED.value, now.score and now.score.points, now.score and now.score.band)
    return said != says or (now.score is not None and before.policy != of["policy"])


def _before(connection: Connection, stream: int, persons: Collection[int]) -> dict[int, Row[Any]]:
    rows = connection.execute(
        select(stream_subjects).where(
            stream_subjects.c.stream == stream, stream_subjects.c.person.in_(sorted(persons))
        )
    )
    return {row.person: row for row in rows}


def _update_grant_expiry(
    connection: Connection, stream: int, before: Mapping[int, Row[Any]], found: Mapping[int, SubjectState]
) -> None:
    """A consent that was given anew may end at another time, also where the score stays."""
    for person, one in found.items():
        if person in before and before[person].grant_expires_at != one.grant_expires_at:
            this_one = and_(stream_subjects.c.stream == stream, stream_subjects.c.person == person)
            connection.execute(
                update(stream_subjects).where(this_one).values(grant_expires_at=one.grant_expires_at)
            )


def _reserve_sequence(connection: Connection, stream: int, many: int, at: datetime) -> int:
    """The first of so many numbers that no state of this stream had before."""
    last: int = connection.scalar(select(streams.c.seq).where(streams.c.id == stream)) or 0
    first = max(last + 1, to_micros(at))
    if many:
        connection.execute(update(streams).where(streams.c.id == stream).values(seq=first + many - 1))
    return first


def _has_valid_grant(at: datetime) -> Any:  # noqa: ANN401 - a condition on `told` joined with `streams`
    mine = and_(pseudonyms.c.person == stream_subjects.c.person, pseudonyms.c.partner == streams.c.partner)
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
