"""Uploads signals: into the outbox, and from there to the hub, in rounds.

Rules:
    * every signal goes into the outbox, whether the hub answers or not: after a failed delivery, signals are
      only stored
    * reading ends early only when the outbox is full and cannot be emptied, or when the source fails; what
      was read before is uploaded and counted
    * every item is counted once: as a signal, as skipped by rule, or as rejected, with its line
"""

import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from attrs import define, field

from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError, SesameError
from sesame_sdk.interfaces import Closeable, SignalProvider, Skipped
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.signals import Signal, SignalKind

if TYPE_CHECKING:
    from sesame_sdk.partner.client import Client

#: Signals that go into the outbox before it is emptied: bounds its size, whatever the source's.
ROUND_SIZE = 100_000
#: Signals that a dry run keeps to be shown, and records that cannot be read.
SAMPLE_SIZE = 10
#: What a partner can do about signals that the hub dropped.
HINTS = {
    DropReason.KIND_NOT_REGISTERED: "register the plugin first: sesame registrations add",
    DropReason.NO_GRANT: "expected: signals without consent are dropped",
    DropReason.VALUE_AGAINST_POLARITY: "the plugin sends a negative value; the observation has the sign",
    DropReason.VALUE_OUT_OF_RANGE: "the plugin sends a value beyond a billion",
    DropReason.VALUE_AGAINST_MEASURE: "the plugin sends a count that is not 1, or an amount of another form",
    DropReason.FASTER_THAN_CALENDAR: "the plugin sends more months or days than have passed",
    DropReason.IN_THE_FUTURE: "check this machine's clock",
    DropReason.TOO_LONG_AGO: "the plugin parses dates wrongly: these are before 1970",
    DropReason.DISPUTED: "a dispute of the signal is open or upheld; answer it, and correct nothing before",
}
#: Objects allocated before Python looks for cycles. Signals are in none, and the default of 700 cost a
#: fifteenth of the time.
_GC_THRESHOLD = 50_000
#: Seconds between thread switches. The thread that makes signals must let the one that writes them go on
#: between the statements of a write; at the default of 5 ms, a tenth of the time went in waiting.
_SWITCH_INTERVAL = 0.001


@contextmanager
def bulk_mode() -> Iterator[None]:
    """Tune this process for bulk work: rare garbage collection and short thread turns."""
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(_GC_THRESHOLD, *thresholds[1:])
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)


class RejectsFile(Closeable):
    """A file for rejected records. Only its owner can read it.

    A record is a line: number, reason, column, form of the value, and the record itself, separated by tabs.
    The file is created at the first rejected record.

    Args:
        path: the file.
        append: whether records are added to an earlier file, which is else truncated.
    """

    def __init__(self, path: Path, *, append: bool = False) -> None:
        self.path = path
        self._mode = os.O_APPEND if append else os.O_TRUNC
        self._file: TextIO | None = None

    def write(self, item: Skipped) -> None:
        """Add a record."""
        if self._file is None:
            number = os.open(self.path, os.O_WRONLY | os.O_CREAT | self._mode | os.O_NOFOLLOW, 0o600)
            self._file = os.fdopen(number, "w", encoding="utf-8", errors="surrogateescape")
        self._file.write(f"{item.line}\t{item.reason}\t{item.column}\t{item.form}\t{item.text}\n")

    def sync(self) -> None:
        """Write to disk what was added."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


@define
class SkippedTotal:
    """What was skipped for one reason."""

    items: int = 0
    records: int = 0
    amount: Decimal = Decimal(0)


@define
class UploadSummary:
    """The outcome of an upload.

    Attributes:
        events: what the source was read as, such as orders.
        signals: how many were made, by kind.
        skipped: what did not become a signal, by reason; rejected records are among them.
        rejected: how many records could not be read.
        sent, dead_lettered, pending: envelopes that the hub took, that it rejected, and in the outbox.
        accepted, duplicates, corrected, dropped: the hub's count of signals.
        amounts: of the signals of each kind whose unit is a currency.
        sample: the first signals of a dry run.
        reject_sample: the first records that could not be read, of a dry run; without their text.
        dry_run: nothing was stored or sent.
        complete: the source was read to its end.
        errors: what went wrong, worst first.
    """

    events: int = 0
    signals: Counter[str] = field(factory=Counter)
    skipped: dict[str, SkippedTotal] = field(factory=dict)
    rejected: int = 0
    sent: int = 0
    dead_lettered: int = 0
    pending: int = 0
    accepted: int = 0
    duplicates: int = 0
    corrected: int = 0
    dropped: Counter[DropReason] = field(factory=Counter)
    amounts: dict[str, Decimal] = field(factory=dict)
    sample: list[Signal] = field(factory=list)
    reject_sample: list[Skipped] = field(factory=list)
    dry_run: bool = False
    complete: bool = True
    errors: list[SesameError] = field(factory=list)

    @property
    def exit_code(self) -> int:
        """0 if all signals are on the hub or were skipped by rule; else that of the worst error.

        2: the configuration or the plugin is at fault; 4: records or envelopes were rejected; 5: envelopes
        are still in the outbox.
        """
        return self.errors[0].exit_code if self.errors else 0

    def as_dict(self) -> dict[str, object]:
        """The counts, for JSON."""
        return {
            "complete": self.complete,
            "dry_run": self.dry_run,
            "events": self.events,
            "signals": dict(self.signals),
            "amounts": {kind: str(amount) for kind, amount in self.amounts.items()},
            "skipped": {
                reason: {"items": total.items, "records": total.records, "amount": str(total.amount)}
                for reason, total in self.skipped.items()
            },
            "rejected": self.rejected,
            "envelopes": {"sent": self.sent, "dead_lettered": self.dead_lettered, "pending": self.pending},
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "corrected": self.corrected,
            "dropped": {str(reason): count for reason, count in self.dropped.items()},
        }

    def rows(self) -> list[dict[str, object]]:
        """The counts, as the rows of a table."""
        rows = [
            _row(f"signals: {kind}", count, None, self.amounts.get(kind))
            for kind, count in sorted(self.signals.items())
        ]
        rows += [
            _row(f"skipped: {reason}", total.items, total.records, total.amount)
            for reason, total in sorted(self.skipped.items())
        ]
        if not self.dry_run:
            rows += [_row("hub: accepted", self.accepted), _row("hub: duplicates", self.duplicates)]
            if self.corrected:
                rows.append(_row("hub: corrected", self.corrected))
            rows += [_row(f"hub: dropped, {reason}", count) for reason, count in self.dropped.items()]
        if self.dead_lettered:
            rows.append(_row("envelopes: dead-lettered", self.dead_lettered))
        if self.pending:
            rows.append(_row("envelopes: pending", self.pending))
        return rows

    def hints(self) -> list[str]:
        """What to do about signals that the hub dropped."""
        return [f"dropped, {reason}: {HINTS[reason]}" for reason in self.dropped]


def _row(
    result: str, count: int, records: int | None = None, amount: Decimal | None = None
) -> dict[str, object]:
    # No amount where no money is.
    return {
        "result": result,
        "count": count,
        "records": records,
        "amount": f"{amount:.2f}" if amount else None,
    }


class SignalUploader:
    """Uploads signals through a client's outbox.

    ``summary = SignalUploader(client).upload(signals)`` is all that most callers need.

    Args:
        client: the partner's client; None for a dry run, which counts, and stores and sends nothing.
        progress: called with the number of signals of each envelope that left the outbox.
        reject: called with each record that could not be read, such as `RejectsFile.write`.
        kinds: of the signals; the amounts of those in a currency are summed.
    """

    def __init__(
        self,
        client: "Client | None",
        *,
        progress: Callable[[int], None] | None = None,
        reject: Callable[[Skipped], None] = lambda _: None,
        kinds: Iterable[SignalKind] = (),
    ) -> None:
        self._client, self._progress, self._reject = client, progress, reject
        self._offline, self._full, self._busy, self._reason = False, False, False, ""
        self._fault: SesameError | None = None
        self.summary = UploadSummary(dry_run=client is None)
        self._add_kinds(kinds)

    def _add_kinds(self, kinds: Iterable[SignalKind]) -> None:
        self.summary.amounts |= {kind.name: Decimal(0) for kind in kinds if kind.currency}

    def upload(self, items: Iterable[Signal | Skipped]) -> UploadSummary:
        """Upload all signals, and count what was skipped."""
        signals = self._count(self._until_error(items))
        while self._store(islice(signals, ROUND_SIZE)) and not self._full:
            if not self._offline:
                self.deliver()
        return self.finish()

    def upload_file(
        self, provider: SignalProvider[Any], pseudonymizer: Pseudonymizer, file: Path
    ) -> UploadSummary:
        """Upload what a provider reads in a file."""
        self._add_kinds(provider.kinds)
        return self.upload(self._read(provider, pseudonymizer, file))

    def store(self, items: Iterable[Signal | Skipped]) -> bool:
        """Put signals into the outbox, which is emptied only if it is full; whether there was room for all.

        Raises:
            SesameError: what the source raises; the signals before are in the outbox.
        """
        self._full = False
        self._store(self._count(items))
        return not self._full

    def deliver(self) -> int:
        """Send what is in the outbox, if the hub answers; how many envelopes left it."""
        if self._client is None:
            return 0
        try:
            delivery = self._client.deliver(progress=self._progress)
        except SesameError as error:
            self._offline, self._reason = True, str(error)
            self._busy = isinstance(error, RetryableError)
            self._fault = None if self._busy else error
            return 0
        self._offline, self._busy, self._reason = bool(delivery.pending), False, delivery.reason
        summary = self.summary
        summary.sent += delivery.sent
        summary.dead_lettered += delivery.dead
        summary.accepted += delivery.accepted
        summary.duplicates += delivery.duplicates
        summary.corrected += delivery.corrected
        summary.dropped.update(delivery.dropped)
        return delivery.sent + delivery.dead

    @property
    def pending_reason(self) -> str:
        """Why the last delivery left envelopes in the outbox; empty if it left none."""
        return self._reason

    def finish(self) -> UploadSummary:
        """The summary, with what is left in the outbox."""
        summary = self.summary
        if self._client is not None:
            summary.pending = self._client.counts().pending
        if self._fault is not None:
            summary.errors.append(self._fault)
        if summary.dead_lettered and self._client is not None:
            reasons = [letter.reason for letter in self._client.dead_letters()[-summary.dead_lettered :]]
            summary.errors.append(
                InvalidInputError(
                    f"{summary.dead_lettered} envelope(s) were not accepted: {'; '.join(sorted({*reasons}))}",
                    hint="see: sesame outbox list",
                )
            )
        if summary.rejected:
            summary.errors.append(InvalidInputError(f"{summary.rejected:,} record(s) could not be read"))
        if self._full:
            summary.complete = False
            summary.errors.append(
                RetryableError(
                    f"the outbox is full; the source was not read to its end: {self._reason}",
                    hint="run the same command again later; no signal counts twice",
                )
            )
        elif summary.pending:
            delivering = "another process delivers them" if self._busy else self._reason
            summary.errors.append(
                RetryableError(
                    f"{summary.pending} envelope(s) are pending in the outbox: {delivering}",
                    hint="send them later: sesame outbox deliver",
                )
            )
        return summary

    def _store(self, signals: Iterable[Signal]) -> int:
        """Put signals into the outbox, emptying it as often as that helps; how many it took."""
        if self._client is None:
            return sum(1 for _ in signals)
        from sesame_sdk.delivery.messages import OutboxFullError

        stored = 0
        while True:
            try:
                return stored + self._client.post(signals).signals
            except OutboxFullError as full:
                stored, signals = stored + full.stored, full.remaining
            if not self.deliver():
                self._full = True
                return stored

    def _count(self, items: Iterable[Signal | Skipped]) -> Iterator[Signal]:
        """The signals among `items`; the others are counted."""
        made, amounts, sample = self.summary.signals, self.summary.amounts, self.summary.sample
        wanted = SAMPLE_SIZE if self._client is None else 0
        for item in items:
            if isinstance(item, Skipped):
                self._skip(item)
                continue
            made[item.kind] += 1
            if item.kind in amounts:
                amounts[item.kind] += Decimal(repr(item.value))
            if wanted:
                sample.append(item)
                wanted -= 1
            yield item

    def _until_error(self, items: Iterable[Signal | Skipped]) -> Iterator[Signal | Skipped]:
        """The items up to an error of their source, which is kept."""
        try:
            yield from items
        except SesameError as error:
            self.summary.complete = False
            self.summary.errors.insert(0, error)

    def _skip(self, item: Skipped) -> None:
        total = self.summary.skipped.setdefault(item.reason, SkippedTotal())
        total.items += 1
        total.records += item.records
        total.amount += item.amount
        if item.line is not None:
            self.summary.rejected += 1
            if self._client is None and len(self.summary.reject_sample) < SAMPLE_SIZE:
                self.summary.reject_sample.append(item)
            self._reject(item)

    def _read(
        self, provider: SignalProvider[Any], pseudonymizer: Pseudonymizer, file: Path
    ) -> Iterator[Signal | Skipped]:
        number = 1
        try:
            for event in provider.read(file):
                self.summary.events = number
                if isinstance(event, Skipped):
                    yield event
                else:
                    yield from _signals(provider, pseudonymizer, event, number)
                number += 1
        except ConfigurationError as error:
            raise ConfigurationError(str(error), field=f"event {number} of {file.name}") from error


def _signals(
    provider: SignalProvider[Any], pseudonymizer: Pseudonymizer, event: object, number: int
) -> Iterable[Signal | Skipped]:
    try:
        return provider.signals(event, pseudonymizer)
    except InvalidInputError as error:
        # The message names the field and never carries a value.
        reason = ": ".join(filter(None, ("rejected", error.field, error.message)))
        return (Skipped(reason, line=number),)
