"""Reads a growing file from where it was left, also after ``kill -9``, a rotation or a truncation.

Rules:
1. The range to be read is saved before its signals are stored, and the new position after. So the same bytes
   are read again after a crash, and make the same signals with the same ids: nothing counts twice.
2. The last invoice is held until another follows, or the file has not grown for a while, since lines may be
   missing. Lines that arrive later add to their order.
3. A file that shrank, or begins differently, is another one. The rest of the one before is read first, if it
   is beside it under a longer name, as log rotation leaves it.
4. An order that the file before had too, with the same lines, changes nothing. Only the last order of a file
   may go on at the beginning of the next.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from attrs import define, evolve

from sesame_retail.files import text_files
from sesame_retail.files.compression import COMPRESSED, file_errors
from sesame_retail.files.mapping import FileMapping, RecordType
from sesame_retail.files.order_files import file_format
from sesame_retail.files.order_lines import SEVERAL, InvoiceKey, InvoiceTotal, OrderLines, database_errors
from sesame_retail.files.text_files import Dialect
from sesame_retail.money import in_currency, to_decimal
from sesame_retail.order_state import OrderUpdate
from sesame_retail.order_store import FilePosition, OrderChanges, OrderStore
from sesame_sdk import InvalidInputError, Skipped

#: Bytes read at a time.
MAX_STEP_BYTES = 1 << 22
_HEAD = 1 << 10


@define
class TailStep:
    """A part of the file: its orders, what is not sent, and where it ends."""

    changes: OrderChanges
    skipped: list[Skipped]
    position: FilePosition
    #: The position once the step is committed.
    next_position: FilePosition
    lines: int = 0
    rejected: int = 0


@define
class _Part:
    """Whole records of the file, one a line."""

    dialect: Dialect
    records: list[bytes]
    #: The end of each line, in bytes of the file from the beginning of the part.
    ends: list[int]


@define
class FileTail:
    """Reads a growing CSV or JSON-lines file, which is not compressed."""

    path: Path
    reading: FileMapping
    store: OrderStore

    def __attrs_post_init__(self) -> None:
        if COMPRESSED & set(self.path.suffixes) or file_format(self.path) == "parquet":
            raise InvalidInputError(
                "cannot be followed", field=self.path.name, hint="follow the plain CSV or JSON lines"
            )

    @property
    def name(self) -> str:
        """The name of the file in the store."""
        return str(self.path.absolute())

    def read_step(self, *, quiet: bool) -> TailStep | None:
        """Read the next part; None if there is none yet.

        The last invoice of a quiet file, which has not grown for a while, is complete.

        Raises:
            InvalidInputError: it is not a file of orders.
        """
        position = self.store.file_position(self.name)
        source, is_current = self._find_source(position)
        if source is None:
            return None
        step = self._read_from(source, position, quiet=quiet or not is_current)
        if step is None and not is_current:
            fresh = FilePosition(generation=position.generation + 1, last_number=position.last_number)
            self.store.save(OrderChanges(), file=self.name, position=fresh)
            return self.read_step(quiet=quiet)
        return step

    def commit(self, step: TailStep) -> None:
        """Save the position after a step whose signals are in the outbox."""
        self.store.save(step.changes, file=self.name, position=step.next_position)

    def _find_source(self, position: FilePosition) -> tuple[Path | None, bool]:
        """The file that goes on at a position, and whether it is the one that is followed now."""
        if _goes_on(self.path, position):
            return self.path, True
        rotated = sorted(self.path.parent.glob(f"{_escaped(self.path.name)}?*"))
        beside = (other for other in rotated if other.suffix not in (*COMPRESSED, ".toml", ".rejects"))
        before = next((other for other in beside if _goes_on(other, position)), None)
        if before is not None:
            return before, False
        if not self.path.exists():
            if position.position:
                return None, True  # between two files
            raise InvalidInputError("cannot be read: FileNotFoundError", field=self.path.name)
        fresh = FilePosition(generation=position.generation + 1, last_number=position.last_number)
        self.store.save(OrderChanges(), file=self.name, position=fresh)
        return self.path, True

    def _read_from(self, source: Path, position: FilePosition, *, quiet: bool) -> TailStep | None:
        position = self.store.file_position(self.name)
        again = position.read_until > position.position
        with file_errors(source), database_errors(source), source.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(position.position)
            data = file.read(position.read_until - position.position if again else MAX_STEP_BYTES)
            part = self._split(source, head, data, position, whole=again or quiet)
        if part is None:
            return None
        lines = len(part.records) if again or quiet else self._complete_invoices(part)
        if not lines:
            return None
        end = position.position + part.ends[lines - 1]
        started = evolve(position, read_until=end, head=position.head or head[:end])
        self.store.save(OrderChanges(), file=self.name, position=started)
        return self._group(part, lines, started, head)

    def _split(
        self, source: Path, head: bytes, data: bytes, position: FilePosition, *, whole: bool
    ) -> _Part | None:
        """The records in some bytes; None if there is no whole one."""
        encoding, mark = text_files.detect_encoding(head, self.reading.file_format.encoding)
        ends = _line_ends(data, encoding)
        if not ends:
            if len(data) == MAX_STEP_BYTES:
                raise InvalidInputError(
                    f"holds a line of more than {MAX_STEP_BYTES} bytes", field=source.name
                )
            return None
        skip = 0 if position.position else mark
        text = text_files.clean(data[skip : ends[-1]].decode(encoding, "replace").encode("utf-8", "replace"))
        if file_format(self.path) == "json":
            records = text_files.exact_json(text).split(b"\n")[:-1]
            return _Part(Dialect(encoding, offset=position.lines), records, ends)
        dialect = self._dialect(source, encoding)
        above = max(0, dialect.offset - position.lines)
        rest = text.split(b"\n", above)[-1]
        repair = text_files.QuoteRepair(dialect.delimiter.encode(), len(dialect.header))
        repaired = repair.add(rest) + (repair.finish() if whole else b"")
        records = [*[b""] * above, *repaired.split(b"\n")[:-1]]
        return _Part(evolve(dialect, offset=position.lines), records, ends)

    def _dialect(self, source: Path, encoding: str) -> Dialect:
        with source.open("rb") as file:
            _, blocks = text_files.read_text(file, encoding)
            wanted, delimiter = self.reading.columns.required_columns, self.reading.file_format.delimiter
            return text_files.find_header(blocks, encoding, delimiter, wanted)[0]

    def _complete_invoices(self, part: _Part) -> int:
        """How many lines there are before those of the last invoice, which may go on."""
        if not part.dialect.delimiter:
            return len(part.records)
        column = part.dialect.header.index(self.reading.columns.number)
        numbers = [
            text_files.split_record(line, part.dialect)[column : column + 1] for line in part.records[-1:]
        ]
        count = len(part.records)
        while count and (
            not part.records[count - 1]
            or text_files.split_record(part.records[count - 1], part.dialect)[column : column + 1]
            == numbers[0]
        ):
            count -= 1
        return count

    def _group(self, part: _Part, lines: int, position: FilePosition, head: bytes) -> TailStep:
        with OrderLines(self.reading) as orders:
            copy = orders.folder / "copy"
            copy.write_bytes(b"\n".join([*part.records[:lines], b""]))
            (orders.read_csv if part.dialect.delimiter else orders.read_json)(copy, part.dialect)
            skipped = list(orders.rejects())
            invoices = list(orders.invoices())
            counts = orders.lines, orders.rejected
        updates = [
            item
            for at, (key, total) in enumerate(invoices)
            for item in self._updates(key, total, position, goes_on=not at and _may_go_on(key, position))
        ]
        skipped += [item for item in updates if isinstance(item, Skipped)]
        changes = self.store.apply_updates(item for item in updates if isinstance(item, OrderUpdate))
        changes.update_keys |= {_content(key, total, position.generation) for key, total in invoices}
        zone = self.reading.file_format.time_zone
        changes.orders = [evolve(order, time_zone=zone) for order in changes.orders]
        end = position.read_until
        done = FilePosition(
            end,
            end,
            head[:end],
            position.lines + lines,
            position.generation,
            invoices[-1][0][0] if invoices else position.last_number,
        )
        return TailStep(changes, skipped, position, done, *counts)

    def _updates(
        self, key: InvoiceKey, entry: InvoiceTotal, position: FilePosition, *, goes_on: bool
    ) -> Iterator[OrderUpdate | Skipped]:
        number, record_type, date = key
        currencies = self.reading.file_format.currencies
        amount, positive, returned_by_state = (
            currencies.convert(parts, entry.currency)
            for parts in (entry.total, entry.positive, entry.returned)
        )
        unit = currencies.sent_currency(entry.currency) or ""
        reason = entry.fault or (f"another currency: {entry.currency}" if amount is None else "")
        if not reason and entry.customer is None:
            reason = "no customer"
        free = record_type == RecordType.ORDER and self.reading.is_return(number)
        if not reason and record_type == RecordType.ORDER and amount is not None and not free and amount < 0:
            reason = "order below zero"
        if reason or amount is None or positive is None:
            known = 0 if entry.currency == SEVERAL else entry.total if amount is None else amount
            yield Skipped(in_currency(reason, unit) if unit else reason, entry.lines, to_decimal(known))
            return
        if not goes_on and self.store.has_update(_content(key, entry, position.generation - 1)):
            yield Skipped(
                in_currency("order that the file before had", unit), entry.lines, to_decimal(amount)
            )
            return
        order = entry.order or number
        update_key = f"{number} {date or f'{position.generation}:{position.position}'} {record_type}"
        if record_type == RecordType.ORDER and not free:
            late = self.store.has_update(f"order {number}")
            yield OrderUpdate(
                number,
                update_key if late else f"order {number}",
                entry.placed_at,
                entry.customer,
                is_order=not late,
                stated=0 if late else amount,
                added=amount if late else 0,
                returned=returned_by_state or 0,
                lines=entry.lines,
                currency=unit,
            )
            return
        returned = (
            max(-amount, 0)
            if free
            else abs(amount)
            if record_type == RecordType.RETURN
            else positive - amount
        )
        yield OrderUpdate(
            order if not free else number,
            number if free and not self.store.has_update(number) else update_key,
            entry.placed_at,
            entry.customer,
            added=positive if record_type in (RecordType.CORRECTION, RecordType.EXCHANGE) else 0,
            returned=0 if record_type == RecordType.CANCEL else returned,
            cancels=record_type == RecordType.CANCEL,
            lines=entry.lines,
            currency=unit,
        )


def _may_go_on(key: InvoiceKey, position: FilePosition) -> bool:
    """Whether the first invoice of a file is the last one of the file before."""
    return position.position == 0 and key[0] == position.last_number


def _content(key: InvoiceKey, entry: InvoiceTotal, generation: int) -> str:
    """Identifies an invoice by what was read of it, and in which file."""
    return f"content {generation} {' '.join(key)} {entry.placed_at.isoformat()} {entry.lines} {entry.total}"


def _goes_on(path: Path, position: FilePosition) -> bool:
    """Whether a file begins as the one that was read, and is at least as long."""
    with suppress(OSError), path.open("rb") as file:
        head = file.read(max(_HEAD, len(position.head)))
        return head.startswith(position.head) and path.stat().st_size >= max(
            position.position, position.read_until
        )
    return False


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _line_ends(data: bytes, encoding: str) -> list[int]:
    """Where the lines end in some bytes, which begin on a line; a return at the very end may go on."""
    feed, both, back = (text.encode(encoding) for text in ("\n", "\r\n", "\r"))
    width = len(feed)
    found = re.finditer(b"|".join(map(re.escape, (both, feed, back))), data)
    ends = [match.end() for match in found if match.start() % width == 0]
    if ends and ends[-1] == len(data) and data.endswith(back):
        ends.pop()
    return ends
