"""Order lines become orders: one an invoice number, with its lines counted and summed."""

from collections.abc import Generator, Iterator, Sequence
from decimal import Decimal

from attrs import frozen

from sesame_retail.files import field_parsers
from sesame_retail.files.field_parsers import Amounts, Customers, Moments, Unreadable
from sesame_retail.files.mapping import ColumnMapping, Deed, MappingMode
from sesame_retail.files.row_blocks import Rows, Run, runs_of
from sesame_retail.grouping.invoice_buffer import Entries, Entry
from sesame_retail.money import as_decimal, in_currency
from sesame_sdk import InvalidInputError, Skipped

_NOTHING = Decimal(0)


@frozen
class Layout:
    """Where the fields stand in a row.

    Attributes:
        worth: indices of those that say what it comes to.
        which: of number, date, customer, and what else there is.
        others: what that else is, by its name in `ColumnMapping`.
    """

    worth: tuple[int, ...]
    which: tuple[int, ...]
    others: tuple[str, ...]

    @classmethod
    def of(cls, header: Sequence[str], columns: ColumnMapping) -> "Layout":
        """The layout under a header.

        Raises:
            InvalidInputError: naming the columns that it lacks.
        """
        names = [name.strip() for name in header]
        if missing := [name for name in columns.wanted if name not in names]:
            raise InvalidInputError(
                f"the header lacks {', '.join(missing)}",
                field="header",
                hint="let a mapping name its columns: sesame retail map FILE > FILE.toml",
            )
        return cls(
            tuple(map(names.index, columns.worth)),
            tuple(map(names.index, columns.named.values())),
            tuple(columns.named)[3:],
        )


class Grouping:
    """Takes rows, and gives back orders.

    Args:
        reading: how the shop writes.
    """

    def __init__(self, reading: MappingMode) -> None:
        self._deeds = reading.form.deeds
        self._currencies = reading.form.currencies
        self._amounts = Amounts(decimal_comma=reading.form.decimal_comma)
        self._customers = Customers()
        self._moments = Moments(reading.form.date_format, reading.form.zone)
        self.entries = Entries()

    def take(self, layout: Layout, rows: Rows) -> Iterator[Skipped]:
        """Put rows to their orders; one that cannot be read is kept back alone."""
        good: Sequence[int] | None = None
        try:
            runs = rows.runs(layout.which, layout.worth, self._amounts)
        except Unreadable:
            worths, good = yield from self._sieve(layout, rows)
            which = list(zip(*map(rows.column, layout.which), strict=True))
            runs = runs_of((which[row] for row in good), worths)
        at = 0
        for run in runs:
            try:
                self._put(run, layout.others)
            except Unreadable as fault:
                first, *others = (good[row] if good else row for row in range(at, at + run[1]))
                yield _rejected(rows, first, fault, self._worth(run, layout.others))
                for row in others:
                    yield _rejected(rows, row, fault)
            at += run[1]

    def _worth(self, run: Run, others: tuple[str, ...]) -> tuple[Decimal, str | None]:
        """What lines come to whose amounts are known, and in which currency; None where it cannot be sent."""
        code = run[0][3 + others.index("currency")] if "currency" in others else ""
        unit, worth = self._currencies.unit(code), self._currencies.convert(run[2], code)
        return (_NOTHING, None) if unit is None or worth is None else (as_decimal(worth), unit)

    def _sieve(self, layout: Layout, rows: Rows) -> Generator[Skipped, None, tuple[list[int], list[int]]]:
        """What the good rows come to, and which they are; the bad are kept back."""
        worths: list[int] = []
        good: list[int] = []
        deeds = rows.column(layout.which[3 + layout.others.index("deed")]) if "deed" in layout.others else ()
        for row, one in enumerate(zip(*map(rows.column, layout.worth), strict=True)):
            try:
                worths += self._amounts.of([[text] for text in one])
                good.append(row)
            except Unreadable as fault:
                if deeds and self._is_cancel(deeds[row], one):
                    worths.append(0)
                    good.append(row)
                    continue
                yield _rejected(rows, row, fault)
        return worths, good

    def _is_cancel(self, word: str, worth: tuple[str, ...]) -> bool:
        """Whether it takes back what is left of an order, and so need not say how much."""
        return self._deeds.get(word.strip().lower()) is Deed.CANCEL and not any(map(str.strip, worth))

    def _put(self, run: Run, others: tuple[str, ...]) -> None:
        which, lines, total, up = run
        number = field_parsers.number(which[0])
        entry = Entry(self._customers[which[2]], self._moments[which[1]], lines, total, 0)
        deed, date = Deed.ORDER, ""
        if others:
            deed = self._others(entry, dict(zip(others, which[3:], strict=True)))
        if deed is not Deed.ORDER:
            entry.up = up
            # Two returns of one order bear its number both.
            date = entry.placed_at.isoformat()
        self.entries.add((number, deed, date), entry)

    def _others(self, entry: Entry, found: dict[str, str]) -> Deed:
        entry.currency = found.get("currency", "").strip().upper()
        if field_parsers.yes(found.get("test", "")):
            entry.fault = "test order"
        elif field_parsers.yes(found.get("staff", "")):
            entry.fault = "staff order"
        if found.get("order"):
            entry.refers = field_parsers.number(found["order"])
        word = found.get("deed", "").strip().lower()
        if word and word not in self._deeds:
            raise Unreadable("unknown deed")
        return self._deeds[word] if word else Deed.ORDER


def _rejected(
    rows: Rows, row: int, fault: Unreadable, worth: tuple[Decimal, str | None] = (_NOTHING, None)
) -> Skipped:
    line, text = rows.place(row)
    amount, unit = worth
    return Skipped(in_currency(fault.reason, unit) if unit else fault.reason, 1, amount, line=line, text=text)
