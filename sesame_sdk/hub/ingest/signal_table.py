"""The table of signals, derived from the ledger so that scores need not open envelopes.

Rules:
    * person, partner and id identify a signal, so a signal that is sent again counts once
    * a signal that is there already stays, unless its key was revoked when it was received: then the new one
      replaces it
    * the ledger stores a signal's disclosure when the signal is new, or came under another key than the
      stored one: if that key is revoked, the signal is restored from the other
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, and_, delete, func, select, true

from sesame_sdk.hub.consent import subjects
from sesame_sdk.hub.database import ids
from sesame_sdk.hub.database.dialects.base import SignalRow
from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.database.tables import envelopes, signals
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ledger import ReplayedEnvelope
from sesame_sdk.hub.partners.keys import void_envelopes
from sesame_sdk.model.signals import Signal


def signal_row(signal: Signal, person: int, partner: int, kind: int, envelope: int) -> SignalRow:
    """A row of the table."""
    key = bytes.fromhex(signal.id.replace("-", ""))
    return person, partner, key, kind, signal.value, to_micros(signal.occurred_at), envelope


class SignalView:
    """The table of signals of one ledger, whose envelopes have the issuer URL `hub` as audience."""

    def __init__(self, engine: Engine, hub: str) -> None:
        self._hub = hub
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

    def rebuild(self, connection: Connection) -> int:
        """Delete all rows and insert them again from the ledger. Returns how many signals there are.

        Raises:
            InvalidInputError: an envelope in the ledger no longer matches its signature.
        """
        connection.execute(delete(signals))
        for envelope in ledger.replay_envelopes(connection, self._hub, true()):
            self._insert_again(connection, envelope)
        return connection.scalar(select(func.count()).select_from(signals)) or 0

    def restore_duplicates(self, connection: Connection, partner: int) -> int:
        """After a key was revoked, restore its signals that came under another key too. Returns how many."""
        valid = envelopes.c.id.not_in(void_envelopes())
        again = and_(envelopes.c.partner == partner, envelopes.c.duplicates > 0, valid)
        replayed = ledger.replay_envelopes(connection, self._hub, again)
        return sum(self._insert_again(connection, envelope) for envelope in replayed)

    def _insert_again(self, connection: Connection, envelope: ReplayedEnvelope) -> int:
        partner, number = envelope.partner, envelope.envelope_id
        owners = subjects.subject_owners(connection, partner, {s.subject for s in envelope.signals})
        kinds = ids.ensure_kind_ids(connection, {signal.kind for signal in envelope.signals})
        rows = [signal_row(s, owners[s.subject], partner, kinds[s.kind], number) for s in envelope.signals]
        return self.insert(connection, rows)
