"""The door of signals: what of verified envelopes is kept, and the receipt for each.

A signal is kept when
    1. its kind is registered by the partner, now
    2. its value is in the kind's range: below zero only where the kind may lower, and at most `MAX_VALUE`
    3. it did not happen in the future, give or take what clocks differ, nor before all time that an id holds
    4. its person lets this partner send this kind, now
and is listed in the receipt with the reason otherwise. What says nothing of a person is looked at
first, and a subject whom nobody knows is told the same as one without a grant.

Envelopes that wait together are taken in together: what is asked of the database for each is asked
once, and the rows of all go into the table in its own order.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from itertools import chain

from attrs import field, frozen
from sqlalchemy import Connection

from sesame_sdk.hub.consent.grant_cache import GrantCache, Permission
from sesame_sdk.hub.database.dialects.base import SignalRow
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ledger import LedgerEntry, ReceivedMessage
from sesame_sdk.hub.ingest.outcome import IngestOutcome, ProcessedMessage
from sesame_sdk.hub.ingest.signal_table import SignalView, signal_row
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.partners import registrations
from sesame_sdk.hub.partners.registrations import AllowedKind
from sesame_sdk.hub.rights import redaction
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.model.envelope import DropReason, EventType, Receipt
from sesame_sdk.model.signals import MAX_VALUE, MIN_TIMESTAMP, Signal
from sesame_sdk.signing.envelopes import Opened


@frozen
class Told:
    """A verified envelope and its `ledger.digest_of`."""

    opened: Opened
    digest: bytes


@frozen
class Taken:
    """What became of an envelope: the receipt, and the counts of one that was not here before."""

    receipt: bytes
    new: Receipt | None = None

    def settled(self) -> bytes:
        """Count it, now that it is on disk; the receipt."""
        if self.new is None:
            metrics.count_duplicate_envelope()
        else:
            dropped = Counter(signal.reason for signal in self.new.dropped)
            metrics.count_envelope(self.new.accepted, self.new.duplicates, dropped)
        return self.receipt


@frozen
class _Sorted:
    """The signals of one envelope, sorted. Places are positions in the envelope, one for each row."""

    places: list[int] = field(factory=list)
    rows: list[SignalRow] = field(factory=list)
    dropped: list[tuple[int, DropReason]] = field(factory=list)


@frozen
class _Sieve:
    """What a partner may say at one moment, and of whom."""

    partner: int
    latest: datetime
    sayable: Mapping[str, AllowedKind]
    standings: Mapping[str, Permission]

    def sort(self, signals: Sequence[Signal], number: int) -> _Sorted:
        """Sort the signals of the envelope that will have this number."""
        found = _Sorted()
        for place, signal in enumerate(signals):
            standing = self.standings[signal.subject]
            kind = self.sayable.get(signal.kind)
            if kind is None:
                reason = DropReason.KIND_NOT_REGISTERED
            elif signal.value < 0 and not kind.may_be_negative:
                reason = DropReason.VALUE_AGAINST_POLARITY
            elif not -MAX_VALUE <= signal.value <= MAX_VALUE:
                reason = DropReason.VALUE_OUT_OF_RANGE
            elif signal.occurred_at > self.latest:
                reason = DropReason.IN_THE_FUTURE
            elif signal.occurred_at < MIN_TIMESTAMP:
                reason = DropReason.TOO_LONG_AGO
            elif standing.person is None or kind.kind_id not in standing.kinds:
                reason = DropReason.NO_GRANT
            else:
                found.places.append(place)
                found.rows.append(signal_row(signal, standing.person, self.partner, kind.kind_id, number))
                continue
            found.dropped.append((place, reason))
        return found


@frozen
class Ingest:
    """Takes verified envelopes into the ledger.

    Attributes:
        view: the table of signals.
        future: how far ahead of our clock a signal may have happened.
        sign: makes the receipt's token for a partner, by issuer URL, under a ``jti`` of its own.
        consents: grants that stand.
    """

    view: SignalView
    future: timedelta
    sign: Callable[[Receipt, str, str], bytes]
    consents: GrantCache

    def take(
        self, connection: Connection, partner: int, told: Sequence[Told], received_at: datetime
    ) -> list[Taken]:
        """Keep what may be kept of envelopes under one key, and answer each with a signed receipt.

        Raises:
            Rejected: a ``jti`` was used for another token.
            IntegrityError: two of the envelopes have the same.
        """
        arrivals = [_arrival(one, partner, received_at) for one in told]
        known = ledger.find_outcomes(connection, arrivals)
        new = [(arrival, one.opened) for arrival, one in zip(arrivals, told, strict=True)]
        new = [(arrival, opened) for arrival, opened in new if arrival.jti not in known]
        if new:
            entries = self._keep(connection, new)
            ledger.append_entries(connection, entries)
            known |= {entry.message.jti: ProcessedMessage(received_at, entry.outcome) for entry in entries}
        fresh = {arrival.jti for arrival, _ in new}
        return [self._taken(known[to.jti], to, one, fresh) for to, one in zip(arrivals, told, strict=True)]

    def _taken(self, known: ProcessedMessage, to: ReceivedMessage, told: Told, fresh: Set[str]) -> Taken:
        receipt = known.make_receipt(to.jti, told.opened.envelope.signals)
        signed = self.sign(receipt, to.issuer, known.outcome.jti)
        return Taken(signed, receipt if to.jti in fresh else None)

    def _keep(
        self, connection: Connection, new: Sequence[tuple[ReceivedMessage, Opened]]
    ) -> list[LedgerEntry]:
        sieve = self._sieve(connection, new)
        numbers = ledger.reserve_envelope_ids(connection, len(new))
        found = [
            sieve.sort(opened.envelope.signals, number)
            for number, (_, opened) in zip(numbers, new, strict=True)
        ]
        total = sum(len(one.rows) for one in found)
        all_new = self.view.insert(connection, chain.from_iterable(one.rows for one in found)) == total
        subject_states.mark_for_rescoring(connection, lambda: {row[0] for one in found for row in one.rows})
        entries = []
        for number, (arrival, opened), one in zip(numbers, new, found, strict=True):
            accepted, places = len(one.rows), one.places
            if not all_new:
                accepted, places = self._look_closer(connection, number, arrival.kid, one)
            outcome = IngestOutcome(accepted, len(one.rows) - accepted, tuple(one.dropped))
            entries.append(LedgerEntry(number, arrival, ledger.strip_dropped(opened, places), outcome))
        return entries

    def _sieve(self, connection: Connection, new: Sequence[tuple[ReceivedMessage, Opened]]) -> _Sieve:
        partner, now = new[0][0].partner, new[0][0].received_at
        subjects = {signal.subject for _, opened in new for signal in opened.envelope.signals}
        standings = self.consents.permissions(connection, partner, subjects, now)
        return _Sieve(partner, now + self.future, registrations.allowed_kinds(connection, partner), standings)

    def _look_closer(
        self, connection: Connection, number: int, kid: str, found: _Sorted
    ) -> tuple[int, list[int]]:
        """How many signals of an inserted envelope are new, and the places of those worth keeping.

        Worth keeping is also one that stands here already, by another key. An envelope that is not in the
        ledger yet came with this one, under the same key.
        """
        origins = self.view.find_origins(connection, found.rows)
        new = {row[:3] for row, (origin, _) in zip(found.rows, origins, strict=True) if origin == number}
        wanted = [origin == number or by not in {None, kid} for origin, by in origins]
        again = zip(found.rows, origins, wanted, strict=True)
        redaction.record_duplicates(
            connection, number, {row[0] for row, (origin, _), keep in again if keep and origin != number}
        )
        return len(new), [place for place, keep in zip(found.places, wanted, strict=True) if keep]


def _arrival(told: Told, partner: int, received_at: datetime) -> ReceivedMessage:
    envelope = told.opened.envelope
    return ReceivedMessage(
        partner=partner,
        issuer=envelope.issuer,
        event=EventType.SIGNALS,
        jti=envelope.jti,
        kid=told.opened.kid,
        issued_at=envelope.issued_at,
        received_at=received_at,
        digest=told.digest,
    )
