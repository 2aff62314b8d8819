"""Disputes in the tables: opened, taken a step on, read back.

Rules:
    * what keeps a signal from counting does so in the transaction that says it, for every score and reader
    * each step that its source must hear of owes it a notice, in the same transaction
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, insert, select, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.consent import subjects
from sesame_sdk.hub.database.signal_ids import signal_id_to_bytes, signal_id_to_text
from sesame_sdk.hub.database.tables import kinds, partners, pseudonyms, signals
from sesame_sdk.hub.database.tables import people as people_table
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.partners import keys
from sesame_sdk.hub.rights import notices
from sesame_sdk.hub.rights.dispute_model import (
    DECISIONS,
    REVIEWS,
    Dispute,
    DisputeState,
    Step,
    What,
    check_statement,
)
from sesame_sdk.hub.rights.notices import Notice
from sesame_sdk.hub.rights.tables import dispute_steps, disputes
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.notice_events import DisputeDecided, SignalDisputed

#: Disputes whose steps are read at a time.
_AT_ONCE = 500


def open_one(
    connection: Connection, person: str, partner: str, signal: str, reason: str, at: datetime
) -> Dispute:
    """Open a dispute; its signal does not count from now on.

    Args:
        connection: in a transaction.
        person: the operator's reference.
        partner: issuer of the signal's source.
        signal: its id.
        reason: what is wrong with it, in the person's words; its source reads them.
        at: now; UTC.

    Raises:
        InvalidInputError: there is no such signal of this person, or it was disputed already.
    """
    step = Step(What.OPENED, at, "person", reason.strip())
    of = subjects.person_id(connection, person, lock=True)
    row = {
        "person": of,
        "partner": keys.partner_id(connection, partner),
        "signal": signal_id_to_bytes(signal),
    }
    kind = _kind_of_new(connection, row)
    new = insert(disputes).values(**row, kind=kind, frozen=True, statement="")
    (number,) = connection.execute(new).inserted_primary_key or (0,)
    _append(connection, number, step)
    found = one(connection, number)
    due = found.deadlines()[1].due
    _owe(
        connection, found, EventType.SIGNAL_DISPUTED, SignalDisputed(signal, found.kind, step.words, due), at
    )
    subject_states.mark_for_rescoring(connection, lambda: [of])
    return found


def take_step(connection: Connection, number: int, step: Step) -> Dispute:
    """Go on with a dispute; what its signal counts follows at once.

    Raises:
        InvalidInputError: no such dispute, or it cannot come to that from where it is.
    """
    # Two who decide at the same time come one after the other.
    person = connection.scalar(select(disputes.c.person).where(disputes.c.id == number).with_for_update())
    before = one(connection, number)
    after = before.with_step(step)
    _append(connection, number, step)
    if after.frozen != before.frozen:
        connection.execute(update(disputes).where(disputes.c.id == number).values(frozen=after.frozen))
        subject_states.mark_for_rescoring(connection, lambda: [person or 0])
    if step.what in (*DECISIONS, *REVIEWS):
        outcome = DisputeDecided(after.signal, "upheld" if after.state is DisputeState.UPHELD else "rejected")
        _owe(connection, after, EventType.DISPUTE_DECIDED, outcome, step.at)
    return after


def state(connection: Connection, number: int, words: str) -> None:
    """Put a person's own words beside the signal, in place of earlier ones; none takes them back.

    Raises:
        InvalidInputError: no such dispute, or the words are too many.
    """
    said = check_statement(words)
    one(connection, number)
    connection.execute(update(disputes).where(disputes.c.id == number).values(statement=said))


def one(connection: Connection, number: int) -> Dispute:
    """The dispute of this number.

    Raises:
        InvalidInputError: there is none.
    """
    found = _read(connection, disputes.c.id == number)
    if not found:
        raise InvalidInputError(
            "there is none of this number",
            field="dispute",
            hint="see: sesame disputes list",
            code="not_found",
        )
    return found[0]


def listed(connection: Connection, person: str | None = None) -> list[Dispute]:
    """Every dispute, or one person's, oldest first."""
    if person is None:
        return _read(connection)
    return _read(connection, people_table.c.person == person)


def heard(connection: Connection, number: int, event: EventType, at: datetime) -> None:
    """The source of a dispute has its notice."""
    what = What.SOURCE_TOLD if event is EventType.SIGNAL_DISPUTED else What.SOURCE_HEARD
    take_step(connection, number, Step(what, at, "source"))


def _kind_of_new(connection: Connection, row: dict[str, Any]) -> int:
    """The kind of a signal that was not disputed before."""
    mine = and_(disputes.c.person == row["person"], disputes.c.partner == row["partner"])
    number = connection.scalar(select(disputes.c.id).where(mine, disputes.c.signal == row["signal"]))
    if number is not None:
        message = f"was disputed already: dispute {number} is {one(connection, number).state}"
        hint = f"see: sesame disputes show {number}"
        raise InvalidInputError(message, field="signal", hint=hint, code="conflict")
    theirs = and_(signals.c.person == row["person"], signals.c.partner == row["partner"])
    kind: int | None = connection.scalar(select(signals.c.kind).where(theirs, signals.c.id == row["signal"]))
    if kind is None:
        hint = "sesame people export shows the signals of a person with their ids"
        raise InvalidInputError("is none that this partner sent of this person", field="signal", hint=hint)
    return kind


def _append(connection: Connection, number: int, step: Step) -> None:
    row = {
        "action": step.what.value,
        "happened_at": to_micros(step.at),
        "actor": step.by,
        "comment": step.words,
    }
    connection.execute(insert(dispute_steps).values(dispute=number, **row))


def _owe(connection: Connection, about: Dispute, event: EventType, payload: object, at: datetime) -> None:
    """Owe the source a notice, in place of one of the same event that it was not told yet."""
    source = and_(disputes.c.person == pseudonyms.c.person, disputes.c.partner == pseudonyms.c.partner)
    named = select(pseudonyms.c.partner, pseudonyms.c.subject).join(disputes, source)
    partner, subject = connection.execute(named.where(disputes.c.id == about.number)).one()
    notices.withdraw(connection, about.number, event)
    notices.owe(connection, Notice(partner, event, subject, payload, dispute=about.number), at)


def _read(connection: Connection, *where: ColumnElement[bool]) -> list[Dispute]:
    rows = connection.execute(_rows().where(*where).order_by(disputes.c.id)).all()
    steps = _steps(connection, [row.id for row in rows])
    return [
        Dispute(
            number=row.id,
            person=row.person,
            partner=row.issuer,
            signal=signal_id_to_text(row.signal),
            kind=row.kind,
            steps=tuple(steps[row.id]),
            statement=row.statement,
        )
        for row in rows
    ]


def _rows() -> Select[Any]:
    return (
        select(
            *(disputes.c.id, disputes.c.signal, disputes.c.statement),
            *(people_table.c.person, partners.c.issuer, kinds.c.name.label("kind")),
        )
        .join(people_table, people_table.c.id == disputes.c.person)
        .join(partners, partners.c.id == disputes.c.partner)
        .join(kinds, kinds.c.id == disputes.c.kind)
    )


def _steps(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {number: [] for number in numbers}
    for start in range(0, len(numbers), _AT_ONCE):
        some = dispute_steps.c.dispute.in_(numbers[start : start + _AT_ONCE])
        for row in connection.execute(select(dispute_steps).where(some).order_by(dispute_steps.c.id)):
            found[row.dispute].append(_step(row))
    return found


def _step(row: Row[Any]) -> Step:
    return Step(What(row.action), from_micros(row.happened_at), row.actor, row.comment)
