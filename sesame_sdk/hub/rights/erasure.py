"""A person gone from the ledger and from all that is made of it (GDPR 17), and partners told (GDPR 19).

Rules:
    * all of it in one transaction, or nothing
    * what remains in the ledger still verifies: see `redaction`
    * every partner that has a name for the person is told, senders and readers; a reader with a stream hears
      it there too. Until each was told its pseudonym stays with the notice, and goes with it
    * a token keeps its ``jti`` and digest, so what the partner sends once more gets the receipt of the first
      time and brings nobody back; in a new envelope the signal meets no consent
    * what was answered before holds no ids of signals that were not kept, of the erased or others: see
      `outcomes`

The number that the tables knew the person by is never given to another.
"""

from datetime import datetime

from attrs import frozen
from sqlalchemy import Connection, delete, func, insert, select

from sesame_sdk.hub.consent import grants, subjects
from sesame_sdk.hub.database.tables import signals
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.rights import notices, redaction
from sesame_sdk.hub.rights.notices import Notice
from sesame_sdk.hub.rights.personal_data_map import rows_of
from sesame_sdk.hub.rights.tables import erasures
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import SubjectRemoved


@frozen
class Erased:
    """What an erasure came to.

    Attributes:
        signals: how many of the person's there were.
        envelopes: how many lost a disclosure.
        partners: how many are to be told.
    """

    signals: int
    envelopes: int
    partners: int


def erase(connection: Connection, person: str, at: datetime) -> Erased:
    """Erase a person.

    Args:
        connection: in a transaction.
        person: the operator's reference.
        at: now; UTC.

    Raises:
        Rejected: nobody is known by that, or an envelope of theirs is damaged.
    """
    number = subjects.person_id(connection, person, lock=True)
    # First, so that whoever takes in signals meanwhile comes before all this, or sees no consent.
    grants.invalidate_grant_caches(connection)
    subject_states.enqueue_erasure(connection, number, at)
    names = redaction.names_of(connection, number)
    many = connection.scalar(select(func.count()).select_from(signals).where(signals.c.person == number)) or 0
    dropped = redaction.drop(connection, number, names)
    for table, mine in rows_of(number).items():
        connection.execute(delete(table).where(mine))
    _tell(connection, names, many, at)
    return Erased(many, dropped, len(names))


def _tell(connection: Connection, names: dict[int, str], many: int, at: datetime) -> None:
    """Owe every partner the news, and write down that there was an erasure."""
    row = {"erased_at": to_micros(at), "signals": many}
    (number,) = connection.execute(insert(erasures).values(**row)).inserted_primary_key or (0,)
    for partner, subject in names.items():
        gone = Notice(
            partner, EventType.PERSON_ERASED, subject, SubjectRemoved(to_micros(at)), erasure=number
        )
        notices.owe(connection, gone, at)
    notices.close(connection, number, at)
