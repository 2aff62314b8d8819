"""Groups order lines by invoice number, and counts and sums them."""

from collections.abc import Generator, Iterator, Sequence
from decimal import Decimal

from attrs import frozen

from sesame_retail.files import field_parsers
from sesame_retail.files.field_parsers import (
    AmountParser,
    CustomerParser,
    TimestampParser,
    UnreadableFieldError,
)
from sesame_retail.files.mapping import ColumnMapping, FileMapping, RecordType
from sesame_retail.files.row_blocks import Rows, Run, group_runs
from sesame_retail.grouping.invoice_buffer import InvoiceBuffer, InvoiceTotal
from sesame_retail.money import in_currency, to_decimal
from sesame_sdk import InvalidInputError, Skipped

_NOTHING = Decimal(0)


@frozen
class Layout:
    """The indices of the fields in a row.

    Attributes:
        amount_columns: of which the amount is computed.
        key_columns: number, date, customer, and the optional ones.
        optional_columns: the names of the optional ones in `ColumnMapping`.
    """

    amount_columns: tuple[int, ...]
    key_columns: tuple[int, ...]
    optional_columns: tuple[str, ...]

    @classmethod
    def from_header(cls, header: Sequence[str], columns: ColumnMapping) -> "Layout":
        """The layout under a header.

        Raises:
            InvalidInputError: naming the missing columns.
        """
        names = [name.strip() for name in header]
        if missing := [name for name in columns.required_columns if name not in names]:
            raise InvalidInputError(
                f"the header lacks {', '.join(missing)}",
                field="header",
                hint="name its columns in a mapping: sesame retail map FILE > FILE.toml",
            )
        return cls(
            tuple(map(names.index, columns.amount_columns)),
            tuple(map(names.index, columns.key_columns.values())),
            tuple(columns.key_columns)[3:],
        )


class LineGrouper:
    """Groups rows by invoice.

    Args:
        reading: the mapping.
    """

    def __init__(self, reading: FileMapping) -> None:
        self._deeds = reading.file_format.record_types
        self._currencies = reading.file_format.currencies
        self._amounts = AmountParser(decimal_comma=reading.file_format.decimal_comma)
        self._customers = CustomerParser()
        self._moments = TimestampParser(reading.file_format.date_format, reading.file_format.zone)
        self.invoices = InvoiceBuffer()

    def add_rows(self, layout: Layout, rows: Rows) -> Iterator[Skipped]:
        """Add rows to their invoices; only the rows that cannot be read are rejected."""
        good: Sequence[int] | None = None
        try:
            runs = rows.runs(layout.key_columns, layout.amount_columns, self._amounts)
        except UnreadableFieldError:
            worths, good = yield from self._readable_rows(layout, rows)
            which = list(zip(*map(rows.column, layout.key_columns), strict=True))
            runs = group_runs((which[row] for row in good), worths)
        at = 0
        for run in runs:
            try:
                self._add_run(run, layout.optional_columns)
            except UnreadableFieldError as fault:
                first, *others = (good[row] if good else row for row in range(at, at + run[1]))
                yield _rejected(rows, first, fault, self._worth(run, layout.optional_columns))
                for row in others:
                    yield _rejected(rows, row, fault)
            at += run[1]

    def _worth(self, run: Run, others: tuple[str, ...]) -> tuple[Decimal, str | None]:
        """The amount and currency of lines with readable amounts; None if they cannot be sent."""
        code = run[0][3 + others.index("currency")] if "currency" in others else ""
        unit, worth = self._currencies.sent_currency(code), self._currencies.convert(run[2], code)
        return (_NOTHING, None) if unit is None or worth is None else (to_decimal(worth), unit)

    def _readable_rows(
        self, layout: Layout, rows: Rows
    ) -> Generator[Skipped, None, tuple[list[int], list[int]]]:
        """The amounts and indices of the readable rows; the others are rejected."""
        worths: list[int] = []
        good: list[int] = []
        record_types = (
            rows.column(layout.key_columns[3 + layout.optional_columns.index("record_type")])
            if "record_type" in layout.optional_columns
            else ()
        )
        for row, one in enumerate(zip(*map(rows.column, layout.amount_columns), strict=True)):
            try:
                worths += self._amounts.parse_columns([[text] for text in one])
                good.append(row)
            except UnreadableFieldError as fault:
                if record_types and self._is_cancel(record_types[row], one):
                    worths.append(0)
                    good.append(row)
                    continue
                yield _rejected(rows, row, fault)
        return worths, good

    def _is_cancel(self, word: str, worth: tuple[str, ...]) -> bool:
        """Whether it cancels the rest of an order, and so needs no amount."""
        return self._deeds.get(word.strip().lower()) is RecordType.CANCEL and not any(map(str.strip, worth))

    def _add_run(self, run: Run, others: tuple[str, ...]) -> None:
        which, lines, total, up = run
        number = field_parsers.parse_number(which[0])
        entry = InvoiceTotal(self._customers[which[2]], self._moments[which[1]], lines, total, 0)
        record_type, date = RecordType.ORDER, ""
        if others:
            record_type = self._others(entry, dict(zip(others, which[3:], strict=True)))
        if record_type is not RecordType.ORDER:
            entry.positive = up
            # Two returns of one order have the same number.
            date = entry.placed_at.isoformat()
        self.invoices.add((number, record_type, date), entry)

    def _others(self, entry: InvoiceTotal, found: dict[str, str]) -> RecordType:
        entry.currency = found.get("currency", "").strip().upper()
        if field_parsers.parse_flag(found.get("test", "")):
            entry.fault = "test order"
        elif field_parsers.parse_flag(found.get("staff", "")):
            entry.fault = "staff order"
        if found.get("order"):
            entry.order = field_parsers.parse_number(found["order"])
        word = found.get("record_type", "").strip().lower()
        if word and word not in self._deeds:
            raise UnreadableFieldError("unknown record type")
        return self._deeds[word] if word else RecordType.ORDER


def _rejected(
    rows: Rows, row: int, fault: UnreadableFieldError, worth: tuple[Decimal, str | None] = (_NOTHING, None)
) -> Skipped:
    line, text = rows.place(row)
    amount, unit = worth
    return Skipped(in_currency(fault.reason, unit) if unit else fault.reason, 1, amount, line=line, text=text)
