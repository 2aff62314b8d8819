"""Reads a growing file from where it was left, also after ``kill -9``.

Rules:
1. The range to be read is saved before its signals are stored, and the new position after. So the same bytes
   are read again after a crash, and make the same signals with the same ids: nothing counts twice.
2. The last invoice is held until another follows, or the file has not grown for a while, since lines may be
   missing. Lines that arrive later add to their order.
3. A file that shrank, or begins differently, is another file: it is refused.
"""

from collections.abc import Iterator
from pathlib import Path

from attrs import define

from sesame_retail.files import csv_reader, order_files
from sesame_retail.files.compression import COMPRESSED, file_errors
from sesame_retail.files.invoice_buffer import InvoiceKey, InvoiceTotal
from sesame_retail.files.line_grouping import Layout, LineGrouper
from sesame_retail.files.mapping import FileMapping, RecordType
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


@define
class FileTail:
    """Reads a growing CSV or JSON-lines file, which is not compressed."""

    path: Path
    reading: FileMapping
    store: OrderStore

    def __attrs_post_init__(self) -> None:
        if COMPRESSED & set(self.path.suffixes) or order_files.PARQUET & set(self.path.suffixes):
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
            InvalidInputError: it is another file than before, or not a file of orders.
        """
        position = self.store.file_position(self.name)
        with file_errors(self.path), self.path.open("rb") as file:
            head = file.read(_HEAD)
            self._check(head, position)
            again = position.read_until > position.position
            file.seek(position.position)
            data = file.read(position.read_until - position.position if again else MAX_STEP_BYTES)
            file.seek(0)
            header = file.readline(csv_reader.MAX_RECORD) if position.position else b""
        text = self._text(data) if again else self._complete_invoices(self._text(data), quiet=quiet)
        if not text:
            return None
        end = position.position + len(text.encode(self._encoding, "surrogateescape"))
        position = FilePosition(position.position, end, position.head or head[:end])
        self.store.save(OrderChanges(), file=self.name, position=position)
        return self._group(header, text, position)

    def commit(self, step: TailStep) -> None:
        """Save the position after a step whose signals are in the outbox."""
        position = step.position
        self.store.save(
            step.changes,
            file=self.name,
            position=FilePosition(position.read_until, position.read_until, position.head),
        )

    @property
    def _encoding(self) -> str:
        # Otherwise the byte order mark would be a part of the first column's name.
        encoding = self.reading.file_format.encoding
        return "utf-8" if encoding == "utf-8-sig" else encoding

    def _text(self, data: bytes) -> str:
        if len(data) == MAX_STEP_BYTES and b"\n" not in data:
            raise InvalidInputError(f"holds a line of more than {MAX_STEP_BYTES} bytes", field=self.path.name)
        return data[: data.rfind(b"\n") + 1].decode(self._encoding, "surrogateescape")

    def _check(self, head: bytes, position: FilePosition) -> None:
        if not head.startswith(position.head) or self.path.stat().st_size < position.position:
            raise InvalidInputError(
                "is not the file that was followed under this name", field=self.path.name, hint="rename it"
            )

    def _complete_invoices(self, text: str, *, quiet: bool) -> str:
        """The text up to its last invoice, or all of it if that is complete."""
        if quiet or not text or self._json:
            return text
        lines = text.splitlines(keepends=True)
        while lines and "".join(lines).count('"') % 2:
            lines.pop()  # a quoted field goes on
        if not lines:
            return ""
        delimiter = self.reading.file_format.delimiter
        at = self._number_at()
        last = lines[-1].split(delimiter)[at : at + 1]
        end = len(lines)
        while end and lines[end - 1].split(delimiter)[at : at + 1] == last:
            end -= 1
        return "".join(lines[:end])

    def _number_at(self) -> int:
        with self.path.open("rb") as file:
            header = file.readline(csv_reader.MAX_RECORD).decode("utf-8-sig", "surrogateescape")
        names = [name.strip().strip('"') for name in header.split(self.reading.file_format.delimiter)]
        column = self.reading.columns.number
        return names.index(column) if column in names else 0

    @property
    def _json(self) -> bool:
        return bool(order_files.JSON & set(self.path.suffixes))

    def _group(self, header: bytes, text: str, position: FilePosition) -> TailStep:
        grouping = LineGrouper(self.reading)
        if self._json:
            skipped = list(
                order_files.group_json_lines(grouping, text.split("\n")[:-1], 1, self.reading.columns)
            )
        else:
            begin = header.decode(self._encoding, "surrogateescape")
            file = csv_reader.CsvReader(
                [csv_reader.normalize_line_ends((begin + text).removeprefix("\ufeff"))],
                self.reading.file_format.delimiter,
            )
            layout = Layout.from_header(file.header, self.reading.columns)
            skipped = [
                item for block in file.blocks() for item in order_files.group_block(grouping, layout, block)
            ]
        updates = [
            item for key, total in grouping.invoices.all() for item in self._updates(key, total, position)
        ]
        skipped += [item for item in updates if isinstance(item, Skipped)]
        return TailStep(
            self.store.apply_updates(item for item in updates if isinstance(item, OrderUpdate)),
            skipped,
            position,
        )

    def _updates(
        self, key: InvoiceKey, entry: InvoiceTotal, position: FilePosition
    ) -> Iterator[OrderUpdate | Skipped]:
        number, record_type, date = key
        currencies = self.reading.file_format.currencies
        amount, positive = (
            currencies.convert(parts, entry.currency) for parts in (entry.total, entry.positive)
        )
        unit = currencies.sent_currency(entry.currency) or ""
        reason = entry.fault or ("another currency" if amount is None else "")
        if not reason and entry.customer is None:
            reason = "no customer"
        free = record_type == RecordType.ORDER and self.reading.is_return(number)
        if not reason and record_type == RecordType.ORDER and amount is not None and not free and amount < 0:
            reason = "order below zero"
        if reason or amount is None or positive is None:
            yield Skipped(in_currency(reason, unit) if unit else reason, entry.lines, to_decimal(amount or 0))
            return
        order = entry.order or number
        update_key = f"{number} {date or position.position} {record_type}"
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
