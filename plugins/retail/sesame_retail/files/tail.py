"""A file that grows, read as it does, from where it was left: after ``kill -9`` too.

Rules:
1. What will be read is written down before it is told, and that it was told after. So the same bytes are
   taken again after a crash, and give the same signals under the same ids: nothing counts twice.
2. The last invoice of what is there waits until another follows it, or the file has been quiet for a
   while: its lines may still be coming. Lines that come later than that add to their order.
3. A file that shrank, or that begins differently, is another file: it is refused, not guessed at.
"""

from collections.abc import Iterator
from pathlib import Path

from attrs import define

from sesame_retail.files import csv_reader, order_files
from sesame_retail.files.compression import COMPRESSED, file_errors
from sesame_retail.files.mapping import FileMapping, RecordType
from sesame_retail.grouping.invoice_buffer import InvoiceKey, InvoiceTotal
from sesame_retail.grouping.line_grouping import Layout, LineGrouper
from sesame_retail.money import in_currency, to_decimal
from sesame_retail.webhooks.order_state import OrderUpdate
from sesame_retail.webhooks.order_store import FilePosition, OrderChanges, OrderStore
from sesame_sdk import InvalidInputError, Skipped

#: Bytes taken at a time.
MAX_STEP_BYTES = 1 << 22
_HEAD = 1 << 10


@define
class TailStep:
    """A piece of the feed.

    Attributes:
        changes: what it comes to.
        skipped: what of it stays in the shop.
        position: where the feed stands once it was told.
    """

    changes: OrderChanges
    skipped: list[Skipped]
    position: FilePosition


@define
class FileTail:
    """Reads a growing CSV or JSON-lines file.

    Args:
        path: the file; not packed.
        reading: how the shop writes.
        store: what is remembered of orders, and of the file.
    """

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
        """What the book calls the feed."""
        return str(self.path.absolute())

    def read_step(self, *, quiet: bool) -> TailStep | None:
        """Read on; None where there is nothing to read yet.

        Args:
            quiet: the file has not grown for a while: its last invoice is whole.

        Raises:
            InvalidInputError: it is not the file that it was, or not a file of orders.
        """
        place = self.store.file_position(self.name)
        with file_errors(self.path), self.path.open("rb") as file:
            head = file.read(_HEAD)
            self._check(head, place)
            again = place.read_until > place.position
            file.seek(place.position)
            data = file.read(place.read_until - place.position if again else MAX_STEP_BYTES)
            file.seek(0)
            header = file.readline(csv_reader.MAX_RECORD) if place.position else b""
        text = self._text(data) if again else self._complete_invoices(self._text(data), quiet=quiet)
        if not text:
            return None
        end = place.position + len(text.encode(self._encoding, "surrogateescape"))
        place = FilePosition(place.position, end, place.head or head[:end])
        self.store.save(OrderChanges(), feed=self.name, place=place)
        return self._group(header, text, place)

    def commit(self, step: TailStep) -> None:
        """A step was told, and is in the outbox."""
        place = step.position
        self.store.save(
            step.changes, feed=self.name, place=FilePosition(place.read_until, place.read_until, place.head)
        )

    @property
    def _encoding(self) -> str:
        # The mark at the beginning of a file is read as a part of the header's first name otherwise.
        return (
            "utf-8" if self.reading.file_format.encoding == "utf-8-sig" else self.reading.file_format.encoding
        )

    def _text(self, data: bytes) -> str:
        if len(data) == MAX_STEP_BYTES and b"\n" not in data:
            raise InvalidInputError(f"holds a line of more than {MAX_STEP_BYTES} bytes", field=self.path.name)
        return data[: data.rfind(b"\n") + 1].decode(self._encoding, "surrogateescape")

    def _check(self, head: bytes, place: FilePosition) -> None:
        if not head.startswith(place.head) or self.path.stat().st_size < place.position:
            raise InvalidInputError(
                "is not the file that was followed under this name", field=self.path.name, hint="rename it"
            )

    def _complete_invoices(self, text: str, *, quiet: bool) -> str:
        """The text up to its last invoice, unless that is whole."""
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
        called = self.reading.columns.number
        return names.index(called) if called in names else 0

    def _takes_back(self, number: str) -> bool:
        prefix = self.reading.cancelled_prefix
        return bool(prefix) and number.startswith(prefix)

    @property
    def _json(self) -> bool:
        return bool(order_files.JSON & set(self.path.suffixes))

    def _group(self, header: bytes, text: str, place: FilePosition) -> TailStep:
        grouping = LineGrouper(self.reading)
        if self._json:
            kept = list(
                order_files.group_json_lines(grouping, text.split("\n")[:-1], 1, self.reading.columns)
            )
        else:
            begin = header.decode(self._encoding, "surrogateescape")
            file = csv_reader.CsvReader(
                [csv_reader.normalize_line_ends((begin + text).removeprefix("\ufeff"))],
                self.reading.file_format.delimiter,
            )
            layout = Layout.from_header(file.header, self.reading.columns)
            kept = [
                one for block in file.blocks() for one in order_files.group_block(grouping, layout, block)
            ]
        news = [one for key, entry in grouping.invoices.all() for one in self._updates(key, entry, place)]
        kept += [one for one in news if isinstance(one, Skipped)]
        return TailStep(
            self.store.apply_updates(one for one in news if isinstance(one, OrderUpdate)), kept, place
        )

    def _updates(
        self, key: InvoiceKey, entry: InvoiceTotal, place: FilePosition
    ) -> Iterator[OrderUpdate | Skipped]:
        number, record_type, date = key
        currencies = self.reading.file_format.currencies
        worth, up = (currencies.convert(parts, entry.currency) for parts in (entry.total, entry.positive))
        unit = currencies.sent_currency(entry.currency) or ""
        reason = entry.fault or ("another currency" if worth is None else "")
        if not reason and entry.customer is None:
            reason = "no customer"
        free = record_type == RecordType.ORDER and self._takes_back(number)
        if not reason and record_type == RecordType.ORDER and worth is not None and not free and worth < 0:
            reason = "order below zero"
        if reason or worth is None or up is None:
            yield Skipped(in_currency(reason, unit) if unit else reason, entry.lines, to_decimal(worth or 0))
            return
        order = entry.order or number
        own = f"{number} {date or place.position} {record_type}"
        if record_type == RecordType.ORDER and not free:
            late = self.store.has_update(f"order {number}")
            yield OrderUpdate(
                number,
                own if late else f"order {number}",
                entry.placed_at,
                entry.customer,
                is_order=not late,
                stated=0 if late else worth,
                added=worth if late else 0,
                lines=entry.lines,
                currency=unit,
            )
            return
        back = max(-worth, 0) if free else abs(worth) if record_type == RecordType.RETURN else up - worth
        yield OrderUpdate(
            order if not free else number,
            number if free and not self.store.has_update(number) else own,
            entry.placed_at,
            entry.customer,
            added=up if record_type in (RecordType.CORRECTION, RecordType.EXCHANGE) else 0,
            returned=0 if record_type == RecordType.CANCEL else back,
            cancels=record_type == RecordType.CANCEL,
            lines=entry.lines,
            currency=unit,
        )
