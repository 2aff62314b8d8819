"""Rescore persons for streams, in batches that are each a transaction.

In this order:
    1. a grant that expired makes a removal pending
    2. persons in the queue, whose signals or grants changed, are rescored
    3. every day, and after a policy, a registration or a key changed, everyone is rescored: beside the queue,
       so that signals that keep coming do not hold this up

A scan goes through the persons in a circle. If it has to begin anew, it begins where it is, so that it
reaches everyone in the time of one circle, however often that happens. Readers take turns, and their streams
in each turn: many streams of one reader do not hold up those of another.

A batch is small enough not to delay other work of the writer. It reads grants, signals and scores in the
transaction that writes the states, so no withdrawal can come in between.

An error of one stream undoes the batch, and names the stream: the next batches skip it, and everyone is
rescored for it later. Only if the database fails do all streams wait.
"""

from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, or_, select, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.rules.kinds import counted_contexts
from sesame_sdk.hub.consent import read_consent
from sesame_sdk.hub.consent.read_consent import AuthenticatedRequest
from sesame_sdk.hub.database.dialects.base import FAILURES
from sesame_sdk.hub.database.tables import grants, pseudonyms, rescore_queue, streams
from sesame_sdk.hub.database.tables import stream_subjects as subjects
from sesame_sdk.hub.database.timestamps import to_micros, to_micros_or_none
from sesame_sdk.hub.scoring import read_auth, scores
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.hub.streams.streams import DISABLED, select_streams
from sesame_sdk.hub.streams.subject_states import SubjectState
from sesame_sdk.model.grant import Direction, Grant

#: Persons of one batch.
BATCH_SIZE = 1000


@frozen
class StreamRescoringError(Exception):
    """Rescoring one stream failed, by its number; the cause is the error. The database itself is well."""

    stream: int


def is_needed(connection: Connection, as_of: date, at: datetime, skipped: Collection[int] = ()) -> bool:
    """Whether `run_batch` would do anything."""
    queries = (_outdated_streams(as_of, skipped), select(rescore_queue.c.id), _with_expired_grant(at))
    return any(connection.execute(query.limit(1)).first() is not None for query in queries)


def run_batch(
    connection: Connection, guard: Guard, as_of: date, at: datetime, skipped: Collection[int] = ()
) -> None:
    """Do one batch of the work, without the streams whose numbers are `skipped`.

    Raises:
        StreamRescoringError: one stream's part failed.
    """
    # One entry of the queue that no other worker has locked.
    queued = select(rescore_queue).order_by(rescore_queue.c.id).limit(1).with_for_update(skip_locked=True)
    if expired := connection.scalars(_with_expired_grant(at).limit(BATCH_SIZE)).all():
        _end_expired_grants(connection, expired, at)
        return
    if row := connection.execute(queued).first():
        _rescore_queued(connection, row, guard, as_of, at, skipped)
    if row := connection.execute(_outdated_streams(as_of, skipped).limit(1)).first():
        with _named(row):
            _scan_next(connection, row, guard, as_of, at)


@contextmanager
def _named(stream: Row[Any]) -> Iterator[None]:
    try:
        yield
    except FAILURES:
        raise
    except Exception as error:
        raise StreamRescoringError(stream.id) from error


def _with_expired_grant(at: datetime) -> Select[int]:
    return select(subjects.c.person).where(subjects.c.grant_expires_at <= to_micros(at))


def rescore(
    connection: Connection, stream: Row[Any], persons: Sequence[int], guard: Guard, as_of: date, at: datetime
) -> None:
    """Rescore persons for a stream, and enqueue the states that changed."""
    request = AuthenticatedRequest(stream.issuer, "", stream.purpose, stream.context, at, at)
    try:
        read_auth.check_purpose(request, guard)
        _, policy = read_auth.admit_reader(connection, request)
    except InvalidInputError:  # without its registration or the policy there are no scores
        subject_states.enqueue_changes(connection, stream.id, persons, {}, at, {})
        return
    mine = (pseudonyms.c.partner == stream.partner) & pseudonyms.c.person.in_(persons)
    named = connection.scalars(select(pseudonyms.c.subject).where(mine)).all()
    known = read_consent.resolve_subjects(connection, request, stream.partner, named, guard)
    valid = {one.person: one.grant for one in known if one.grant}
    contexts = {person: counted_contexts(grant) for person, grant in valid.items()}
    computed = scores.compute_scores(connection, contexts, policy, as_of, at, reasons=False)
    states = {
        p: SubjectState(grant.subject, computed.get(p), _expiry_of(grant)) for p, grant in valid.items()
    }
    origin = {"policy": policy.digest, "base": policy.base, "as_of": as_of.isoformat()}
    subject_states.enqueue_changes(connection, stream.id, persons, states, at, origin)


def _expiry_of(grant: Grant) -> int | None:
    ends = [end for end in (grant.expires_at, grant.withdrawn_at) if end is not None]
    return to_micros_or_none(min(ends, default=None))


def _end_expired_grants(connection: Connection, persons: Sequence[int], at: datetime) -> None:
    subject_states.enqueue_withdrawals(connection, set(persons), at)
    # Persons with another grant are rescored, and get its expiry.
    subject_states.mark_for_rescoring(connection, lambda: persons)
    over = subjects.c.person.in_(persons) & (subjects.c.grant_expires_at <= to_micros(at))
    connection.execute(update(subjects).where(over).values(grant_expires_at=None))


def _rescore_queued(
    connection: Connection,
    row: Row[Any],
    guard: Guard,
    as_of: date,
    at: datetime,
    skipped: Collection[int],
) -> None:
    persons, served = array("q", row.person_ids), streams.c.id.not_in(skipped)
    for stream in connection.execute(select_streams().where(streams.c.status != DISABLED, served)).all():
        with _named(stream):
            rescore(connection, stream, persons[:BATCH_SIZE].tolist(), guard, as_of, at)
    if skipped:  # for which everyone is rescored later, these persons too
        left_out = update(streams).where(streams.c.id.in_(skipped))
        connection.execute(left_out.values(as_of=None, scan_as_of=None))
    connection.execute(delete(rescore_queue).where(rescore_queue.c.id == row.id))
    if rest := persons[BATCH_SIZE:]:
        connection.execute(insert(rescore_queue).values(id=row.id, person_ids=rest.tobytes()))


def _scan_next(connection: Connection, stream: Row[Any], guard: Guard, as_of: date, at: datetime) -> None:
    """Rescore the next persons who ever had a grant to this stream.

    The circle begins after `scan_end`, goes on at the lowest person, and ends with `scan_end`.
    """
    day, cursor = as_of.isoformat(), stream.scan_cursor
    end = stream.scan_end if stream.scan_as_of == day else cursor
    is_second_part = cursor < end
    persons = connection.scalars(_next_persons(stream, cursor, end if is_second_part else None)).all()
    if persons:
        rescore(connection, stream, persons, guard, as_of, at)
    progress: dict[str, object] = {"scan_as_of": day, "scan_end": end, "scan_cursor": 0}
    if len(persons) == BATCH_SIZE and persons[-1] != end:
        progress["scan_cursor"] = persons[-1]
    elif is_second_part or not end:
        progress |= {"as_of": day, "scan_as_of": None}
    last_turn = select(func.max(streams.c.scan_turn)).scalar_subquery()
    this_one = update(streams).where(streams.c.id == stream.id)
    connection.execute(this_one.values(**progress, scan_turn=last_turn + 1))


def _next_persons(stream: Row[Any], after: int, last: int | None) -> Select[int]:
    reads = and_(grants.c.direction == Direction.READ.value, grants.c.purpose == stream.purpose)
    next_ones = [pseudonyms.c.partner == stream.partner, pseudonyms.c.person > after]
    if last is not None:
        next_ones.append(pseudonyms.c.person <= last)
    granted = (
        select(pseudonyms.c.person)
        .distinct()
        .join(grants, grants.c.pseudonym == pseudonyms.c.id)
        .where(*next_ones, reads, grants.c.context == stream.context)
    )
    return granted.order_by(pseudonyms.c.person).limit(BATCH_SIZE)


def _outdated_streams(as_of: date, skipped: Collection[int]) -> Any:  # noqa: ANN401 - a Select of the whole row
    """The streams to scan, the reader first whose last turn is the longest ago."""
    behind = or_(streams.c.as_of.is_(None), streams.c.as_of != as_of.isoformat())
    turns = select(streams.c.partner, func.max(streams.c.scan_turn).label("turn"))
    turns_of = turns.group_by(streams.c.partner).subquery()
    outdated = select_streams().join(turns_of, turns_of.c.partner == streams.c.partner)
    ordered = outdated.order_by(turns_of.c.turn, streams.c.scan_turn, streams.c.id)
    return ordered.where(behind, streams.c.status != DISABLED, streams.c.id.not_in(skipped))
