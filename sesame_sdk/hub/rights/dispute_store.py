"""Disputes in the database.

Rules:
    * a signal is excluded in the transaction that records the step, for every score and reader. It is named
      by any of its ids: a correction changes the time in the id, and not which signal it is
    * a step that the source must learn of enqueues its notice in the same transaction
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.consent import subjects
from sesame_sdk.hub.database.ids import join_signal_id, split_signal_id
from sesame_sdk.hub.database.tables import dispute_steps, disputes, kinds, partners, pseudonyms, signals
from sesame_sdk.hub.database.tables import people as people_table
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.partners import keys
from sesame_sdk.hub.rights import notices
from sesame_sdk.hub.rights.dispute_model import (
    DECISIONS,
    REVIEWS,
    Dispute,
    DisputeAction,
    DisputeState,
    DisputeStep,
    validate_statement,
)
from sesame_sdk.hub.rights.notices import Notice
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import DisputeDecided, SignalDisputed

#: Disputes whose steps are read in one query.
_CHUNK = 500


def open_dispute(
    connection: Connection, person: str, partner: str, signal: str, reason: str, at: datetime
) -> Dispute:
    """Open a dispute; its signal is excluded from scores from now on. The source reads the `reason`.

    `InvalidInputError`: there is no such signal of this person, or it was already disputed.
    """
    step = DisputeStep(DisputeAction.OPENED, at, "person", reason.strip())
    person_id = subjects.person_id(connection, person, lock=True)
    partner_id = keys.partner_id(connection, partner)
    key, id_time = split_signal_id(signal)
    row = {"person": person_id, "partner": partner_id, "key": key, "id_time": id_time}
    kind = _kind_of_undisputed(connection, row)
    new = insert(disputes).values(**row, kind=kind, frozen=True, statement="")
    (number,) = connection.execute(new).inserted_primary_key or (0,)
    _append(connection, number, step)
    dispute = get_dispute(connection, number)
    due = dispute.deadlines()[1].due
    payload = SignalDisputed(signal, dispute.kind, step.comment, due)
    _enqueue_notice(connection, dispute, EventType.SIGNAL_DISPUTED, payload, at)
    _exclude_or_include(connection, person_id)
    return dispute


def add_step(connection: Connection, number: int, step: DisputeStep) -> Dispute:
    """Take the next step of a dispute; scores follow in the same transaction.

    `InvalidInputError`: no such dispute, or the step is not allowed in its state.
    """
    # Two decisions at the same time are serialized.
    person = connection.scalar(select(disputes.c.person).where(disputes.c.id == number).with_for_update())
    before = get_dispute(connection, number)
    after = before.with_step(step)
    _append(connection, number, step)
    if after.restricts_signal != before.restricts_signal:
        restricted = update(disputes).values(frozen=after.restricts_signal)
        connection.execute(restricted.where(disputes.c.id == number))
        _exclude_or_include(connection, person or 0)
    if step.action in (*DECISIONS, *REVIEWS):
        outcome = DisputeDecided(after.signal, "upheld" if after.state is DisputeState.UPHELD else "rejected")
        _enqueue_notice(connection, after, EventType.DISPUTE_DECIDED, outcome, step.happened_at)
    return after


def set_statement(connection: Connection, number: int, words: str) -> None:
    """Set or replace the person's own statement; an empty one removes it."""
    statement = validate_statement(words)
    get_dispute(connection, number)
    connection.execute(update(disputes).where(disputes.c.id == number).values(statement=statement))


def get_dispute(connection: Connection, number: int) -> Dispute:
    """Raises `InvalidInputError` for an unknown number."""
    matches = _read(connection, disputes.c.id == number)
    if not matches:
        hint = "see: sesame disputes list"
        raise InvalidInputError("unknown dispute", field="dispute", hint=hint, code="not_found")
    return matches[0]


def list_disputes(connection: Connection, person: str | None = None) -> list[Dispute]:
    """All disputes, or one person's, oldest first."""
    return _read(connection, *(() if person is None else [people_table.c.person == person]))


def record_delivery(connection: Connection, number: int, event: EventType, at: datetime) -> None:
    """Record that the source of a dispute received a notice."""
    opened = event is EventType.SIGNAL_DISPUTED
    action = DisputeAction.SOURCE_NOTIFIED if opened else DisputeAction.RESULT_TO_SOURCE
    add_step(connection, number, DisputeStep(action, at, "source"))


def _kind_of_undisputed(connection: Connection, row: dict[str, Any]) -> int:
    """The kind of a signal that was never disputed; raises for any other."""
    mine = and_(disputes.c.person == row["person"], disputes.c.partner == row["partner"])
    number = connection.scalar(select(disputes.c.id).where(mine, disputes.c.key == row["key"]))
    if number is not None:
        message = f"was already disputed: dispute {number} is {get_dispute(connection, number).state}"
        hint = f"see: sesame disputes show {number}"
        raise InvalidInputError(message, field="signal", hint=hint, code="conflict")
    theirs = and_(signals.c.person == row["person"], signals.c.partner == row["partner"])
    kind: int | None = connection.scalar(select(signals.c.kind).where(theirs, signals.c.key == row["key"]))
    if kind is None:
        hint = "sesame people export shows the ids of a person's signals"
        raise InvalidInputError("this partner sent no such signal of this person", field="signal", hint=hint)
    return kind


def _exclude_or_include(connection: Connection, person: int) -> None:
    subjects.count_change(connection, [person])
    subject_states.mark_for_rescoring(connection, lambda: [person])


def _append(connection: Connection, number: int, step: DisputeStep) -> None:
    row = {"action": step.action.value, "happened_at": to_micros(step.happened_at)}
    row |= {"actor": step.actor, "comment": step.comment}
    connection.execute(insert(dispute_steps).values(dispute=number, **row))


def _enqueue_notice(
    connection: Connection, dispute: Dispute, event: EventType, payload: object, at: datetime
) -> None:
    """Enqueue a notice to the source; it replaces an undelivered one of the same event."""
    source = and_(disputes.c.person == pseudonyms.c.person, disputes.c.partner == pseudonyms.c.partner)
    named = select(pseudonyms.c.partner, pseudonyms.c.subject).join(disputes, source)
    partner, subject = connection.execute(named.where(disputes.c.id == dispute.number)).one()
    notices.cancel(connection, dispute.number, event)
    notices.enqueue(connection, Notice(partner, event, subject, payload, dispute=dispute.number), at)


def _read(connection: Connection, *where: ColumnElement[bool]) -> list[Dispute]:
    query = (
        select(
            *(disputes.c.id, disputes.c.key, disputes.c.id_time, disputes.c.statement),
            *(people_table.c.person, partners.c.issuer, kinds.c.name.label("kind")),
        )
        .join(people_table, people_table.c.id == disputes.c.person)
        .join(partners, partners.c.id == disputes.c.partner)
        .join(kinds, kinds.c.id == disputes.c.kind)
    )
    rows = connection.execute(query.where(*where).order_by(disputes.c.id)).all()
    steps = _steps(connection, [row.id for row in rows])
    ids = [join_signal_id(row.key, row.id_time) for row in rows]
    return [
        Dispute(row.id, row.person, row.issuer, signal, row.kind, tuple(steps[row.id]), row.statement)
        for row, signal in zip(rows, ids, strict=True)
    ]


def _steps(connection: Connection, numbers: Sequence[int]) -> dict[int, list[DisputeStep]]:
    steps: dict[int, list[DisputeStep]] = {number: [] for number in numbers}
    for start in range(0, len(numbers), _CHUNK):
        some = dispute_steps.c.dispute.in_(numbers[start : start + _CHUNK])
        for row in connection.execute(select(dispute_steps).where(some).order_by(dispute_steps.c.id)):
            at = from_micros(row.happened_at)
            steps[row.dispute].append(DisputeStep(DisputeAction(row.action), at, row.actor, row.comment))
    return steps
