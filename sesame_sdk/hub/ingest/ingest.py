"""Store the signals of verified envelopes, and make the receipt of each envelope.

A signal is stored when
    1. its kind is registered by the partner now
    2. its value is what its observation says (`values`): a count is 1, money has few decimals, nothing is
       negative or above `MAX_VALUE`
    3. it did not happen in the future, apart from clock skew, nor before any time that an id can hold
    4. its person lets this partner send this kind now
    5. it does not correct a signal that a dispute excludes from scores
    6. with it, months and days do not run faster than the calendar
and is listed in the receipt with the reason otherwise. Rules that say nothing about a person come first, and
an unknown subject gets the same reason as one without a grant.

Envelopes that wait together are stored together: each query runs once for all of them, and their rows are
inserted in the order of the table.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from attrs import field, frozen
from sqlalchemy import Connection

from sesame_sdk.hub.consent.grant_cache import GrantCache, Permission
from sesame_sdk.hub.database.dialects.base import SignalRow
from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.database.tables import envelopes
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ledger import IngestOutcome, LedgerEntry, ProcessedMessage, VerifiedMessage, opened
from sesame_sdk.hub.ingest.signal_table import Merged, MergeOutcome, SignalView, signal_row
from sesame_sdk.hub.ingest.values import CALENDAR_MEASURES, check_value, faster_than_calendar
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.partners import keys, registrations
from sesame_sdk.hub.partners.registrations import AllowedKind
from sesame_sdk.hub.scoring import eligible_signals
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import DropReason, EventType, Receipt
from sesame_sdk.model.signals import MIN_TIMESTAMP, Signal
from sesame_sdk.signing.jwt import sign_event


@frozen
class IngestResult:
    """The signed receipt of a message; `stored` is the receipt of an envelope that is new in the ledger."""

    receipt: bytes
    stored: Receipt | None = None
    duplicate: bool = False

    def on_commit(self) -> bytes:
        """Count the envelope, now that it is on disk; the signed receipt."""
        if self.stored is not None:
            dropped = Counter(signal.reason for signal in self.stored.dropped)
            metrics.count_envelope(
                self.stored.accepted, self.stored.duplicates, self.stored.corrected, dropped
            )
        elif self.duplicate:
            metrics.count_duplicate_envelope()
        return self.receipt


@frozen
class _SortedSignals:
    """The signals of one envelope by outcome; `positions` in the envelope, one for each of `rows`."""

    positions: list[int] = field(factory=list)
    rows: list[SignalRow] = field(factory=list)
    dropped: list[tuple[int, DropReason]] = field(factory=list)


@frozen
class _Rules:
    """What a partner may send at one time, and about whom."""

    partner: int
    latest: datetime
    kinds: Mapping[str, AllowedKind]
    permissions: Mapping[str, Permission]

    def sort(self, signals: Sequence[Signal], envelope_id: int) -> _SortedSignals:
        """Sort the signals of the envelope that will have this id."""
        result = _SortedSignals()
        for position, signal in enumerate(signals):
            permission = self.permissions[signal.subject]
            kind = self.kinds.get(signal.kind)
            if kind is None:
                reason = DropReason.KIND_NOT_REGISTERED
            elif (wrong := check_value(signal.value, kind.measure)) is not None:
                reason = wrong
            elif signal.occurred_at > self.latest:
                reason = DropReason.IN_THE_FUTURE
            elif signal.occurred_at < MIN_TIMESTAMP:
                reason = DropReason.TOO_LONG_AGO
            elif permission.person is None or kind.kind_id not in permission.kinds:
                reason = DropReason.NO_GRANT
            else:
                row = signal_row(signal, permission.person, self.partner, kind.kind_id, envelope_id)
                result.positions.append(position)
                result.rows.append(row)
                continue
            result.dropped.append((position, reason))
        return result


@frozen
class SignalIngest:
    """Stores verified envelopes in the ledger.

    A signal may have happened ahead of the hub's clock by `max_clock_skew`.
    """

    issuer: str
    signer: Signer
    signals: SignalView
    max_clock_skew: timedelta
    grants: GrantCache

    def store(
        self, connection: Connection, partner: int, messages: Sequence[VerifiedMessage], received_at: datetime
    ) -> list[IngestResult]:
        """Store what may be stored of envelopes that one key signed; a signed receipt for each.

        Raises:
            InvalidInputError: a ``jti`` was used for another token.
            IntegrityError: two of the envelopes have the same ``jti``.
        """
        processed = ledger.find_processed(connection, partner, messages)
        new = [message for message in messages if message.jti not in processed]
        if new:
            entries = self._insert(connection, partner, new, received_at)
            ledger.append_entries(connection, entries)
            processed |= {e.message.jti: ProcessedMessage(received_at, e.outcome) for e in entries}
        new_jtis = {message.jti for message in new}
        return [self._result(processed[one.jti], one, is_new=one.jti in new_jtis) for one in messages]

    def _result(self, processed: ProcessedMessage, message: VerifiedMessage, *, is_new: bool) -> IngestResult:
        receipt = processed.make_receipt(message.jti, opened(message).envelope.signals)
        signed = self.sign_receipt(receipt, message.issuer, processed.outcome.jti)
        return IngestResult(signed, receipt if is_new else None, duplicate=not is_new)

    def sign_receipt(self, receipt: Receipt, partner: str, jti: str) -> bytes:
        """The token of a receipt, for a partner by issuer URL."""
        parties, now = {"issuer": self.issuer, "audience": partner}, receipt.received_at
        return sign_event(EventType.RECEIPT, receipt, self.signer, now=now, jti=jti, **parties)

    def _insert(
        self, connection: Connection, partner: int, new: Sequence[VerifiedMessage], received_at: datetime
    ) -> list[LedgerEntry]:
        subjects = {signal.subject for message in new for signal in opened(message).envelope.signals}
        permissions = self.grants.permissions(connection, partner, subjects, received_at)
        kinds = registrations.allowed_kinds(connection, partner)
        rules = _Rules(partner, received_at + self.max_clock_skew, kinds, permissions)
        ids = dialect_of(connection).reserve_ids(connection, envelopes.c.id, len(new))
        sorted_signals = [
            rules.sort(opened(message).envelope.signals, envelope_id)
            for envelope_id, message in zip(ids, new, strict=True)
        ]
        _drop_beyond_calendar(connection, kinds, sorted_signals)
        rows = [row for one in sorted_signals for row in one.rows]
        all_new = self.signals.insert(connection, rows) == len(rows)
        merged = iter([] if all_new else self._merge(connection, partner, new[0].kid, rows, received_at))
        subject_states.mark_for_rescoring(connection, lambda: {row[0] for row in rows})
        entries = []
        for envelope_id, message, one in zip(ids, new, sorted_signals, strict=True):
            positions, outcome = one.positions, IngestOutcome(len(one.rows), dropped=tuple(one.dropped))
            if not all_new:
                positions, outcome = _summarize(one, list(islice(merged, len(one.rows))))
            stored = ledger.strip_dropped(opened(message), positions)
            entries.append(LedgerEntry(envelope_id, partner, message, received_at, stored, outcome))
        return entries

    def _merge(
        self, connection: Connection, partner: int, kid: str, rows: Sequence[SignalRow], at: datetime
    ) -> list[Merged]:
        """Store rows some of which say something of signals that are there already."""
        ledger.lock_head(connection, partner)  # the order of corrections is that of the ledger
        counts = not keys.is_revoked(connection, partner, kid, at)
        find_disputed = partial(eligible_signals.frozen_signals, connection, partner)
        return self.signals.merge(connection, rows, counts=counts, kid=kid, find_disputed=find_disputed)


def _summarize(signals: _SortedSignals, merged: Sequence[Merged]) -> tuple[list[int], IngestOutcome]:
    """The positions of the disclosures to store of an envelope, and its outcome."""
    counts = Counter(one.outcome for one in merged)
    pairs = list(zip(signals.positions, merged, strict=True))
    disputed = [
        (position, DropReason.DISPUTED) for position, one in pairs if one.outcome is MergeOutcome.DISPUTED
    ]
    outcome = IngestOutcome(
        accepted=counts[MergeOutcome.ACCEPTED],
        duplicates=counts[MergeOutcome.DUPLICATE],
        dropped=tuple(sorted([*signals.dropped, *disputed])),
        corrected=counts[MergeOutcome.CORRECTED],
    )
    return [position for position, one in pairs if one.stored], outcome


def _drop_beyond_calendar(
    connection: Connection, kinds: Mapping[str, AllowedKind], signals: Sequence[_SortedSignals]
) -> None:
    """Move the signals of months and days that the calendar does not have to those that are dropped."""
    measures = {kind.kind_id: kind.measure for kind in kinds.values() if kind.measure in CALENDAR_MEASURES}
    if not measures:
        return
    places = [(one, position) for one in signals for position in one.positions]
    rows = [row for one in signals for row in one.rows]
    beyond = set(faster_than_calendar(connection, rows, measures))
    if not beyond:
        return
    for one in signals:
        one.positions.clear()
        one.rows.clear()
    for number, (row, (one, position)) in enumerate(zip(rows, places, strict=True)):
        if number in beyond:
            one.dropped.append((position, DropReason.FASTER_THAN_CALENDAR))
        else:
            one.positions.append(position)
            one.rows.append(row)
    for one in signals:
        one.dropped.sort()
