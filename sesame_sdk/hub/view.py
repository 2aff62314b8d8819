"""The table of signals: a view of the ledger, kept so that scores need not open envelopes.

Rules:
    * a signal is known by person, partner and id, so that what is sent again counts once
    * one that is there already stays, unless it came under a key that no longer counted when we
      received it: then the new one takes its place
    * the ledger keeps a signal's disclosure when it was new here, or came under another key than the one
      that is here: should that key be revoked, the signal stands by the other
"""

from collections.abc import Iterable
from itertools import chain
from operator import itemgetter

from sqlalchemy import Connection, Engine, and_, bindparam, delete, func, select, true

from sesame_sdk.hub import kinds, ledger, people
from sesame_sdk.hub.database import bare_sql, insert_or_replace
from sesame_sdk.hub.ledger import Replayed
from sesame_sdk.hub.moments import micros
from sesame_sdk.hub.parties import void_envelopes
from sesame_sdk.hub.schema import envelopes, signals
from sesame_sdk.model.signal import Signal

#: In the order of the columns of `signals`.
Row = tuple[int, int, bytes, int, float, int, int]
#: Rows of one statement. The driver lets go of the interpreter's lock for each, and has to get it back
#: from threads that verify: row by row, that took longer than the inserting.
_AT_ONCE = 250
_by_person = itemgetter(0)


def as_row(signal: Signal, person: int, partner: int, kind: int, envelope: int) -> Row:
    """A signal as the table has it."""
    key = bytes.fromhex(signal.id.replace("-", ""))
    return person, partner, key, kind, signal.value, micros(signal.occurred_at), envelope


class View:
    """The table of signals of one ledger.

    Args:
        engine: of the ledger.
        hub: our own issuer, for whom the envelopes in the ledger are.
    """

    def __init__(self, engine: Engine, hub: str) -> None:
        self._hub = hub
        statement = insert_or_replace(signals, where=signals.c.envelope.in_(void_envelopes()))
        self._insert = bare_sql(engine, statement)
        one = "(" + ", ".join("?" * len(signals.c)) + ")"
        self._insert_many = self._insert.replace(one, ", ".join([one] * _AT_ONCE))
        this_one = and_(*(column == bindparam(None) for column in signals.primary_key))
        origin = select(signals.c.envelope, envelopes.c.kid).outerjoin(
            envelopes, envelopes.c.id == signals.c.envelope
        )
        self._origin = bare_sql(engine, origin.where(this_one))

    def insert(self, connection: Connection, rows: Iterable[Row]) -> int:
        """Add what is not there yet. Returns how many rows that was; of equal keys the first counts."""
        # By person, as the table is: each of its pages is then visited once.
        ordered = sorted(rows, key=_by_person)
        whole = len(ordered) // _AT_ONCE * _AT_ONCE
        inserted = 0
        for start in range(0, whole, _AT_ONCE):
            values = tuple(chain.from_iterable(ordered[start : start + _AT_ONCE]))
            inserted += connection.exec_driver_sql(self._insert_many, values).rowcount
        if rest := ordered[whole:]:
            inserted += connection.exec_driver_sql(self._insert, rest).rowcount
        return inserted

    def origins(self, connection: Connection, rows: Iterable[Row]) -> list[tuple[int, str | None]]:
        """For each row, once inserted, the envelope that it stands by, and its key if it is in the ledger."""
        found = [connection.exec_driver_sql(self._origin, row[:3]).one() for row in rows]
        return [(origin.envelope, origin.kid) for origin in found]

    def rebuild(self, connection: Connection) -> int:
        """Throw the table away and make it again from the ledger. Returns how many signals there are.

        Raises:
            Rejected: an envelope in the ledger no longer matches its signature.
        """
        connection.execute(delete(signals))
        for envelope in ledger.replay(connection, self._hub, true()):
            self._insert_again(connection, envelope)
        return connection.scalar(select(func.count()).select_from(signals)) or 0

    def restore(self, connection: Connection, partner: int) -> int:
        """After a key was revoked: let signals that came under another key too stand by that one.

        Returns how many those are.
        """
        again = and_(
            envelopes.c.partner == partner,
            envelopes.c.duplicates > 0,
            envelopes.c.id.not_in(void_envelopes()),
        )
        return sum(self._insert_again(connection, one) for one in ledger.replay(connection, self._hub, again))

    def _insert_again(self, connection: Connection, envelope: Replayed) -> int:
        owners = people.owners(connection, envelope.partner, {signal.subject for signal in envelope.signals})
        numbers = kinds.numbered(connection, {signal.kind for signal in envelope.signals})
        rows = [
            as_row(signal, owners[signal.subject], envelope.partner, numbers[signal.kind], envelope.number)
            for signal in envelope.signals
        ]
        return self.insert(connection, rows)
