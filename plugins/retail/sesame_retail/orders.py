"""Order lines become orders: one an invoice number, with its lines counted and summed."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from attrs import frozen

from sesame_retail import fields
from sesame_retail.entries import Entries, Entry
from sesame_retail.fields import Amounts, Moments, Unreadable
from sesame_retail.mapping import Columns, Deed, Reading
from sesame_retail.money import as_decimal
from sesame_sdk import KeptBack, Rejected

#: Told of each line that is not read: its number, why, and the line.
Reject = Callable[[int, str, str], None]


@frozen
class Order:
    """One invoice, or what was done to one later. What was bought is not in here.

    Attributes:
        number: the invoice number.
        customer: the shop's own number for the customer; None where the shop had none.
        placed_at: the earliest of its lines; UTC.
        lines: how many there are.
        total: what it comes to, in the unit of the kinds; negative for what takes goods back.
        cancelled: whether it takes goods back.
        corrects: whether it changes what an earlier order came to, and is none itself.
        key: what it counts by; its number where that is empty.
    """

    number: str
    customer: str | None
    placed_at: datetime
    lines: int
    total: Decimal
    cancelled: bool
    corrects: bool = False
    key: str = ""


@frozen
class Layout:
    """Where the fields stand in a row.

    Attributes:
        worth: indices of those that say what it comes to.
        which: of number, date, customer, and what else there is.
        others: what that else is, by its name in `Columns`.
    """

    worth: tuple[int, ...]
    which: tuple[int, ...]
    others: tuple[str, ...]

    @classmethod
    def of(cls, header: Sequence[str], columns: Columns) -> "Layout":
        """The layout under a header.

        Raises:
            Rejected: naming the columns that it lacks.
        """
        names = [name.strip() for name in header]
        if missing := [name for name in columns.wanted if name not in names]:
            raise Rejected(f"the header lacks {', '.join(missing)}", field="header")
        return cls(
            tuple(map(names.index, columns.worth)),
            tuple(map(names.index, columns.named.values())),
            tuple(columns.named)[3:],
        )

    def table(
        self, column: Callable[[int], Sequence[str]], place: Callable[[int], tuple[int, str]]
    ) -> "Table":
        """The columns that are needed of many rows."""
        return Table(tuple(map(column, self.worth)), tuple(map(column, self.which)), self.others, place)


@frozen
class Table:
    """Rows, by their columns.

    Attributes:
        worth: what each comes to: quantities and prices, or amounts alone.
        which: numbers, dates, customers, and what else there is.
        others: what that else is, by its name in `Columns`.
        place: the number of a row's line in the file, and the line.
    """

    worth: tuple[Sequence[str], ...]
    which: tuple[Sequence[str], ...]
    others: tuple[str, ...]
    place: Callable[[int], tuple[int, str]]


class Grouping:
    """Takes rows, and gives back orders.

    Args:
        reading: how the shop writes.
        reject: told of lines that are not read.
    """

    def __init__(self, reading: Reading, reject: Reject | None = None) -> None:
        self._deeds = reading.form.deeds
        self._reject = reject or (lambda *_: None)
        self._amounts = Amounts(decimal_comma=reading.form.decimal_comma)
        self._moments = Moments(reading.form.date_format, reading.form.zone)
        self.entries = Entries()

    def take(self, table: Table) -> Iterator[KeptBack]:
        """Put rows to their orders; one that cannot be read is kept back alone."""
        which: Iterable[tuple[str, ...]] = zip(*table.which, strict=True)
        rows: Sequence[int] | None = None
        try:
            worths = list(self._amounts.of(table.worth))
        except Unreadable:
            worths, rows = yield from self._sieve(table)
            good = set(rows)
            which = [one for row, one in enumerate(which) if row in good]
        at = 0
        # Most lines stand in runs of one number, date and customer. Only what differs within a run is
        # looked at line by line, and that in C: a step of bytecode here costs a tenth of reading the file.
        for one, run in groupby(which):
            after = at + len(list(run))
            try:
                self._put(one, table.others, worths[at:after])
            except Unreadable as fault:
                yield KeptBack(fault.reason, after - at, as_decimal(sum(worths[at:after])))
                for row in range(at, after):
                    self._turn_away(table, rows[row] if rows else row, fault)
            at = after

    def _sieve(self, table: Table) -> Generator[KeptBack, None, tuple[list[int], list[int]]]:
        """What the good rows come to, and which they are; the bad are kept back."""
        worths: list[int] = []
        rows: list[int] = []
        for row, one in enumerate(zip(*table.worth, strict=True)):
            try:
                worths += self._amounts.of([[text] for text in one])
                rows.append(row)
            except Unreadable as fault:
                if self._is_cancel(table, row):  # it takes back what is left, and need not say how much
                    worths.append(0)
                    rows.append(row)
                    continue
                self._turn_away(table, row, fault)
                yield KeptBack(fault.reason)
        return worths, rows

    def _is_cancel(self, table: Table, row: int) -> bool:
        if "deed" not in table.others or any(column[row].strip() for column in table.worth):
            return False
        word = table.which[3 + table.others.index("deed")][row]
        return self._deeds.get(word.strip().lower()) is Deed.CANCEL

    def _turn_away(self, table: Table, row: int, fault: Unreadable) -> None:
        line, text = table.place(row)
        self._reject(line, fault.reason, text)

    def _put(self, which: tuple[str, ...], others: tuple[str, ...], worths: list[int]) -> None:
        number, customer = fields.number(which[0]), fields.customer(which[2])
        entry = Entry(customer, self._moments[which[1]], len(worths), sum(worths), 0)
        deed, date = Deed.ORDER, ""
        if others:
            deed = self._others(entry, dict(zip(others, which[3:], strict=True)))
        if deed is not Deed.ORDER:
            entry.up = sum(worth for worth in worths if worth > 0)
            # Two returns of one order bear its number both.
            date = entry.placed_at.isoformat()
        self.entries.add((number, deed, date), entry)

    def _others(self, entry: Entry, found: dict[str, str]) -> Deed:
        entry.currency = found.get("currency", "").strip().upper()
        if fields.yes(found.get("test", "")):
            entry.fault = "test order"
        elif fields.yes(found.get("staff", "")):
            entry.fault = "staff order"
        if found.get("order"):
            entry.refers = fields.number(found["order"])
        word = found.get("deed", "").strip().lower()
        if word and word not in self._deeds:
            raise Unreadable("unknown deed")
        return self._deeds[word] if word else Deed.ORDER
