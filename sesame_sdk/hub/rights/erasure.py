"""Erases a person from the ledger and everything derived from it (GDPR 17), and notifies partners (GDPR 19).

Rules:
    * in one transaction
    * the rest of the ledger still verifies: see `redaction`
    * every partner with a pseudonym of the person is notified, and a reader's stream too. The pseudonym stays
      with the notice until that is delivered, and is deleted with it
    * a token keeps its ``jti`` and digest: the same envelope again gets the first receipt and adds nothing,
      and the same signal in a new envelope has no grant
    * stored receipts hold no ids of signals that were not kept: see `ingest.outcome`

The person's row id is never reused.
"""

from datetime import datetime

from attrs import frozen
from sqlalchemy import Connection, delete, func, insert, select

from sesame_sdk.hub.consent import grants, subjects
from sesame_sdk.hub.database.tables import erasures, signals
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.rights import notices, redaction
from sesame_sdk.hub.rights.notices import Notice
from sesame_sdk.hub.rights.personal_data_map import personal_rows
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import SubjectRemoved


@frozen
class ErasureResult:
    """Counts of an erasure: envelopes that lost a disclosure, and partners to be notified."""

    signals: int
    envelopes: int
    partners: int


def erase(connection: Connection, person: str, at: datetime) -> ErasureResult:
    """Erase a person. `InvalidInputError`: unknown person, or one of the envelopes is damaged."""
    person_id = subjects.person_id(connection, person, lock=True)
    # First, so that a concurrent ingest either commits before this or finds no grant.
    grants.invalidate_grant_caches(connection)
    subject_states.enqueue_erasure(connection, person_id, at)
    subjects_by_partner = redaction.pseudonyms_of(connection, person_id)
    of_person = signals.c.person == person_id
    count = connection.scalar(select(func.count()).select_from(signals).where(of_person)) or 0
    envelopes = redaction.redact_person(connection, person_id, subjects_by_partner)
    for table, condition in personal_rows(person_id).items():
        connection.execute(delete(table).where(condition))
    _notify_partners(connection, subjects_by_partner, count, at)
    return ErasureResult(count, envelopes, len(subjects_by_partner))


def _notify_partners(
    connection: Connection, subjects_by_partner: dict[int, str], count: int, at: datetime
) -> None:
    """Record the erasure, and enqueue a notice to every partner."""
    row = {"erased_at": to_micros(at), "signals": count}
    (number,) = connection.execute(insert(erasures).values(**row)).inserted_primary_key or (0,)
    for partner, subject in subjects_by_partner.items():
        payload = SubjectRemoved(to_micros(at))
        notice = Notice(partner, EventType.PERSON_ERASED, subject, payload, erasure=number)
        notices.enqueue(connection, notice, at)
    notices.close_erasure(connection, number, at)
