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
from sesame_retail.files.invoice_buffer import InvoiceBuffer, InvoiceTotal
from sesame_retail.files.mapping import ColumnMapping, FileMapping, RecordType
from sesame_retail.files.row_blocks import Rows, Run, group_runs
from sesame_retail.money import in_currency, to_decimal
from sesame_sdk import InvalidInputError, Skipped

_NOTHING = Decimal(0)


@frozen
class Layout:
    """The indices of the fields in a row.

    The key columns are number, date, customer, then the optional ones, by their names in `ColumnMapping`.
    """

    amount_columns: tuple[int, ...]
    key_columns: tuple[int, ...]
    optional_columns: tuple[str, ...]

    @classmethod
    def from_header(cls, header: Sequence[str], columns: ColumnMapping) -> "Layout":
        """The layout under a header; an `InvalidInputError` names the missing columns."""
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
    """Groups rows by invoice."""

    def __init__(self, reading: FileMapping) -> None:
        self._types_by_word = reading.file_format.record_types
        self._currencies = reading.file_format.currencies
        self._amounts = AmountParser(decimal_comma=reading.file_format.decimal_comma)
        self._customers = CustomerParser()
        self._timestamps = TimestampParser(reading.file_format.date_format, reading.file_format.zone)
        self.invoices = InvoiceBuffer()

    def add_rows(self, layout: Layout, rows: Rows) -> Iterator[Skipped]:
        """Add rows to their invoices; only the rows that cannot be read are rejected."""
        good: Sequence[int] | None = None
        try:
            runs = rows.runs(layout.key_columns, layout.amount_columns, self._amounts)
        except UnreadableFieldError:
            amounts, good = yield from self._readable_rows(layout, rows)
            keys = list(zip(*map(rows.column, layout.key_columns), strict=True))
            runs = group_runs((keys[row] for row in good), amounts)
        at = 0
        for run in runs:
            try:
                self._add_run(run, layout.optional_columns)
            except UnreadableFieldError as fault:
                first, *others = (good[row] if good else row for row in range(at, at + run[1]))
                yield _rejected(rows, first, fault, self._convert(run, layout.optional_columns))
                for row in others:
                    yield _rejected(rows, row, fault)
            at += run[1]

    def _convert(self, run: Run, others: tuple[str, ...]) -> tuple[Decimal, str | None]:
        """The amount and currency of lines with readable amounts; None if they cannot be sent."""
        code = run[0][3 + others.index("currency")] if "currency" in others else ""
        unit, amount = self._currencies.sent_currency(code), self._currencies.convert(run[2], code)
        return (_NOTHING, None) if unit is None or amount is None else (to_decimal(amount), unit)

    def _readable_rows(
        self, layout: Layout, rows: Rows
    ) -> Generator[Skipped, None, tuple[list[int], list[int]]]:
        """The amounts and indices of the readable rows; the others are rejected."""
        amounts: list[int] = []
        good: list[int] = []
        record_types = (
            rows.column(layout.key_columns[3 + layout.optional_columns.index("record_type")])
            if "record_type" in layout.optional_columns
            else ()
        )
        for row, texts in enumerate(zip(*map(rows.column, layout.amount_columns), strict=True)):
            try:
                amounts += self._amounts.parse_columns([[text] for text in texts])
                good.append(row)
            except UnreadableFieldError as fault:
                if record_types and self._is_cancel(record_types[row], texts):
                    amounts.append(0)
                    good.append(row)
                    continue
                yield _rejected(rows, row, fault)
        return amounts, good

    def _is_cancel(self, word: str, amounts: tuple[str, ...]) -> bool:
        """Whether it cancels the rest of an order, and so needs no amount."""
        return self._types_by_word.get(word.strip().lower()) is RecordType.CANCEL and not any(
            map(str.strip, amounts)
        )

    def _add_run(self, run: Run, others: tuple[str, ...]) -> None:
        key, lines, total, positive = run
        number = field_parsers.parse_number(key[0])
        entry = InvoiceTotal(self._customers[key[2]], self._timestamps[key[1]], lines, total, 0)
        record_type, date = RecordType.ORDER, ""
        if others:
            record_type = self._others(entry, dict(zip(others, key[3:], strict=True)))
        if record_type is not RecordType.ORDER:
            entry.positive = positive
            # Two returns of one order have the same number.
            date = entry.placed_at.isoformat()
        self.invoices.add((number, record_type, date), entry)

    def _others(self, entry: InvoiceTotal, fields: dict[str, str]) -> RecordType:
        entry.currency = fields.get("currency", "").strip().upper()
        if field_parsers.parse_flag(fields.get("test", "")):
            entry.fault = "test order"
        elif field_parsers.parse_flag(fields.get("staff", "")):
            entry.fault = "staff order"
        if fields.get("order"):
            entry.order = field_parsers.parse_number(fields["order"])
        word = fields.get("record_type", "").strip().lower()
        if word and word not in self._types_by_word:
            raise UnreadableFieldError("unknown record type")
        return self._types_by_word[word] if word else RecordType.ORDER


def _rejected(
    rows: Rows,
    row: int,
    fault: UnreadableFieldError,
    converted: tuple[Decimal, str | None] = (_NOTHING, None),
) -> Skipped:
    line, text = rows.place(row)
    amount, unit = converted
    return Skipped(in_currency(fault.reason, unit) if unit else fault.reason, 1, amount, line=line, text=text)
