"""The table of signals, derived from the ledger so that scores need not open envelopes.

Rules:
    * person, partner and id identify a signal, so a signal that is sent again counts once
    * a signal that is there already stays, unless its envelope is void: then the new one replaces it
    * the ledger stores a signal's disclosure when the signal is new, or came under another key than the
      stored one. Of the others `duplicate_disclosures` has the row: if the key of the first is revoked, the
      signal is restored from there
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, select

from sesame_sdk.hub.database.dialects.base import SignalRow
from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.database.tables import duplicate_disclosures, envelopes, signals
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.partners.keys import void_envelopes
from sesame_sdk.model.signals import Signal

#: Rows restored at a time.
_BATCH_SIZE = 10_000
SAME_SIGNAL = and_(
    signals.c.person == duplicate_disclosures.c.person,
    signals.c.partner == duplicate_disclosures.c.partner,
    signals.c.id == duplicate_disclosures.c.id,
)


def signal_row(signal: Signal, person: int, partner: int, kind: int, envelope: int) -> SignalRow:
    """A row of the table."""
    key = bytes.fromhex(signal.id.replace("-", ""))
    return person, partner, key, kind, signal.value, to_micros(signal.occurred_at), envelope


def signal_rows(
    of: Iterable[Signal], owners: Mapping[str, int], kinds: Mapping[str, int], partner: int, envelope: int
) -> list[SignalRow]:
    """The rows of an envelope's signals; a signal of a subject that `owners` lacks has none."""
    return [
        signal_row(signal, owners[signal.subject], partner, kinds[signal.kind], envelope)
        for signal in of
        if signal.subject in owners
    ]


class SignalView:
    """The table of signals of one ledger."""

    def __init__(self, engine: Engine) -> None:
        self._table = dialect_of(engine).signal_table(engine, signals, envelopes, void_envelopes())

    def insert(self, connection: Connection, rows: Iterable[SignalRow]) -> int:
        """Add what is not there yet. Returns how many rows that was; of equal keys the first counts."""
        return self._table.insert(connection, rows)

    def find_origins(self, connection: Connection, rows: Sequence[SignalRow]) -> list[tuple[int, str | None]]:
        """For each inserted row, the envelope that the table refers to, and its key if it is in the ledger.

        Raises:
            ConcurrentWriteError: another worker stored one of them at the same time; try again.
        """
        return self._table.find_origins(connection, rows)

    def find_rows(self, connection: Connection, rows: Sequence[SignalRow]) -> list[SignalRow | None]:
        """The row that the table has for the person, partner and id of each of these."""
        return self._table.find_rows(connection, rows)

    def restore_duplicates(self, connection: Connection, partner: int) -> int:
        """After a key was revoked, restore its signals that came under another key too. Returns how many.

        It reads rows, and no envelopes: a revocation does not depend on what else is in the ledger.
        """
        void = void_envelopes()
        query = (
            select(duplicate_disclosures)
            .join(signals, SAME_SIGNAL)
            .where(
                duplicate_disclosures.c.partner == partner,
                duplicate_disclosures.c.envelope.not_in(void),
                signals.c.envelope.in_(void),
            )
            .order_by(duplicate_disclosures.c.envelope)
        )
        with connection.execute(query.execution_options(yield_per=_BATCH_SIZE)) as rows:
            return sum(self.insert(connection, map(plain_row, batch)) for batch in rows.partitions())


def plain_row(row: Row[Any]) -> SignalRow:
    """A row of either table as it is inserted."""
    return row.person, row.partner, bytes(row.id), row.kind, row.value, row.occurred_at, row.envelope
