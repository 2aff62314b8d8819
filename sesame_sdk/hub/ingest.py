"""The door of signals: what of a verified envelope is kept, and the receipt for it.

A signal is kept when
    1. its kind is registered by the partner, now
    2. its value does not go against the kind's polarity
    3. it did not happen in the future, give or take what clocks differ
    4. its person lets this partner send this kind, now
and is listed in the receipt with the reason otherwise. What says nothing of a person is looked at
first, and a subject whom nobody knows is told the same as one without a grant.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from attrs import field, frozen
from sqlalchemy import Connection

from sesame_sdk.hub import ledger, registrations
from sesame_sdk.hub.consents import Consents
from sesame_sdk.hub.ledger import Arrival
from sesame_sdk.hub.view import Row, View, as_row
from sesame_sdk.model.envelope import Dropped, DropReason, Receipt
from sesame_sdk.model.signal import Signal
from sesame_sdk.signing.envelopes import Opened


@frozen
class _Sorted:
    """The signals of one envelope, sorted. Places are positions in the envelope, one for each row."""

    places: list[int] = field(factory=list)
    rows: list[Row] = field(factory=list)
    dropped: list[Dropped] = field(factory=list)


@frozen
class Ingest:
    """Takes verified envelopes into the ledger.

    Attributes:
        view: the table of signals.
        future: how far ahead of our clock a signal may have happened.
        sign: makes the receipt's token for a partner, by issuer URL.
        consents: grants that stand.
    """

    view: View
    future: timedelta
    sign: Callable[[Receipt, str], bytes]
    consents: Consents

    def take(self, connection: Connection, arrival: Arrival, opened: Opened) -> bytes:
        """Keep what may be kept, and answer with the signed receipt.

        Raises:
            Rejected: the ``jti`` was used for another token.
        """
        if receipt := ledger.receipt_of(connection, arrival):
            return receipt
        number = ledger.next_number(connection)
        found = self._sort(connection, number, arrival, opened.envelope.signals)
        accepted = self.view.insert(connection, found.rows)
        duplicates = len(found.rows) - accepted
        places = found.places
        if duplicates:
            wanted = self.view.worth_keeping(connection, number, arrival.kid, found.rows)
            places = [place for place, keep in zip(places, wanted, strict=True) if keep]
        answer = Receipt(arrival.jti, arrival.received_at, accepted, duplicates, tuple(found.dropped))
        receipt = self.sign(answer, arrival.issuer)
        ledger.append(connection, number, arrival, ledger.keep(opened, places), receipt, duplicates)
        return receipt

    def _sort(
        self, connection: Connection, number: int, arrival: Arrival, signals: Sequence[Signal]
    ) -> _Sorted:
        subjects = {signal.subject for signal in signals}
        standings = self.consents.of(connection, arrival.partner, subjects, arrival.received_at)
        sayable = registrations.sayable(connection, arrival.partner)
        latest = arrival.received_at + self.future
        found = _Sorted()
        for place, signal in enumerate(signals):
            standing = standings[signal.subject]
            kind = sayable.get(signal.kind)
            if kind is None:
                reason = DropReason.KIND_NOT_REGISTERED
            elif signal.value < 0 and not kind.may_lower:
                reason = DropReason.VALUE_AGAINST_POLARITY
            elif signal.occurred_at > latest:
                reason = DropReason.IN_THE_FUTURE
            elif standing.person is None or kind.number not in standing.kinds:
                reason = DropReason.NO_GRANT
            else:
                found.places.append(place)
                found.rows.append(as_row(signal, standing.person, arrival.partner, kind.number, number))
                continue
            found.dropped.append(Dropped(signal.id, reason))
        return found
