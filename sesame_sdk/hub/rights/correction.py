"""Corrects a wrong pseudonym of a person at a partner (GDPR 16).

Rules:
    * in one transaction: grants stay, and are under the right pseudonym from then on
    * what came under the wrong pseudonym may be about somebody else, who did not consent: its signals are
      deleted as in an erasure, and do not count any more. The wrong pseudonym is free again
    * a stream of the partner gets the removal of the wrong pseudonym, and then the score under the right one
    * the time is kept with the pseudonym, for the person's export; disputes and reads stay as they were
    * signals that the partner sent under the right pseudonym were not stored: it sends them again
"""

import secrets
from datetime import datetime

from attrs import frozen
from sqlalchemy import Connection, insert, select, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.consent import grants, subjects
from sesame_sdk.hub.database.tables import (
    envelopes,
    further_disclosures,
    people,
    pseudonyms,
    signals,
    stream_subjects,
    streams,
)
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.partners import keys
from sesame_sdk.hub.rights import erasure
from sesame_sdk.hub.rights.erasure import ErasureResult
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.model import validators
from sesame_sdk.model.envelope import EventType


@frozen
class _Wrong:
    """The ids of a person, of a partner, and of the wrong pseudonym between them."""

    person: int
    partner: int
    pseudonym: int


def find_wrong(connection: Connection, person: str, partner: str, subject: str) -> _Wrong:
    """The pseudonym that `subject` would replace.

    Raises:
        InvalidInputError: the person or the partner is unknown, the person has no pseudonym there or has this
            one, it belongs to another person, or it has not the form of one.
    """
    validators.check_pseudonym(subject, "subject")
    person_id = subjects.person_id(connection, person)
    partner_id = keys.partner_id(connection, partner)
    mine = (pseudonyms.c.partner == partner_id) & (pseudonyms.c.person == person_id)
    row = connection.execute(select(pseudonyms).where(mine)).first()
    if row is None:
        raise InvalidInputError("the person has no pseudonym at this partner", field="partner")
    if row.subject == subject:
        raise InvalidInputError("is the person's pseudonym already", field="subject")
    if subjects.subject_owners(connection, partner_id, [subject]):
        raise subjects.second_owner_error()
    return _Wrong(person_id, partner_id, row.id)


def correct_pseudonym(
    connection: Connection, person: str, partner: str, subject: str, at: datetime
) -> ErasureResult:
    """Replace a person's pseudonym at a partner; counts what is deleted. Raises as `find_wrong` does."""
    wrong = find_wrong(connection, person, partner, subject)
    grants.renew_version(connection, grants.GRANTS_CACHE)
    subjects.count_change(connection, [wrong.person])
    row = {"partner": wrong.partner, "subject": subject, "person": wrong.person}
    new = insert(pseudonyms).values(**row, corrected_at=to_micros(at))
    (right,) = connection.execute(new).inserted_primary_key or (0,)
    grants.move_grants(connection, wrong.pseudonym, right)
    result = erasure.delete_person(connection, _separate(connection, wrong), EventType.GRANT_WITHDRAWN, at)
    subject_states.mark_for_rescoring(connection, lambda: [wrong.person])
    return result


def _separate(connection: Connection, wrong: _Wrong) -> int:
    """Give a pseudonym, and all that came under it, to a new person without a name; its id."""
    unnamed = insert(people).values(person=secrets.token_hex(32))
    (stranger,) = connection.execute(unnamed).inserted_primary_key or (0,)
    sent = select(envelopes.c.id).where(envelopes.c.partner == wrong.partner)
    read = select(streams.c.id).where(streams.c.partner == wrong.partner)
    for table, at_partner in (
        (pseudonyms, pseudonyms.c.id == wrong.pseudonym),
        (signals, signals.c.partner == wrong.partner),
        (further_disclosures, further_disclosures.c.envelope.in_(sent)),
        (stream_subjects, stream_subjects.c.stream.in_(read)),
    ):
        theirs = (table.c.person == wrong.person) & at_partner
        connection.execute(update(table).where(theirs).values(person=stranger))
    return stranger
