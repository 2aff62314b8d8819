"""Buffers the invoices of a file while it is read.

Lines of one invoice need not be adjacent, so all invoices are buffered until the end of the file: up to
`MAX_IN_MEMORY` in memory, the rest in a temporary SQLite file that is deleted when it is closed. So memory is
bounded however long the file is.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

from attrs import astuple, define

#: Entries in memory; some 500 bytes each.
MAX_IN_MEMORY = 50_000
#: In place of a currency's code.
SEVERAL = "several"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Number, record type, and the date where several records have one number.
InvoiceKey = tuple[str, str, str]


@define
class InvoiceTotal:
    """The lines of one invoice, summed; amounts are in ten-thousandths.

    Attributes:
        placed_at: of the earliest line.
        positive: the sum of the positive amounts.
        currency: code; empty for the default one; `SEVERAL` if the lines differ.
        order: the order that it belongs to; empty if that is its own number.
        fault: why it is skipped; empty if it is not.
    """

    customer: str | None
    placed_at: datetime
    lines: int
    total: int
    positive: int
    currency: str = ""
    order: str = ""
    fault: str = ""

    def add(self, other: "InvoiceTotal") -> None:
        """Add further lines; the result does not depend on the order."""
        self.lines += other.lines
        self.total += other.total
        self.positive += other.positive
        self.placed_at = min(self.placed_at, other.placed_at)
        if other.customer != self.customer:
            self.fault = max(self.fault, "invoice with several customers")
        if other.currency != self.currency:
            self.fault = max(self.fault, "invoice in several currencies")
            self.currency = SEVERAL  # its sum is meaningless
        if other.order != self.order:
            self.fault = max(self.fault, "invoice that belongs to several orders")
        self.fault = max(self.fault, other.fault)


class InvoiceBuffer:
    """Invoices by key, in the order of the first line of each."""

    def __init__(self, max_in_memory: int = MAX_IN_MEMORY) -> None:
        self._max = max_in_memory
        self._in_memory: dict[InvoiceKey, InvoiceTotal] = {}
        self._file: sqlite3.Connection | None = None

    def add(self, key: InvoiceKey, entry: InvoiceTotal) -> None:
        """Add to the invoice with this key."""
        total = self._in_memory.get(key)
        if total is not None:
            total.add(entry)
            return
        if len(self._in_memory) >= self._max:
            self._spill()
        self._in_memory[key] = entry

    def __len__(self) -> int:
        """The number of invoices."""
        if self._file is None:
            return len(self._in_memory)
        self._spill()
        count: int = self._file.execute("SELECT count(*) FROM invoice").fetchone()[0]
        return count

    def find(self, key: InvoiceKey) -> InvoiceTotal | None:
        """The invoice with this key, once all are added."""
        if self._file is None:
            return self._in_memory.get(key)
        self._spill()
        return _fetch(self._file, key)

    def all(self) -> Iterator[tuple[InvoiceKey, InvoiceTotal]]:
        """All keys and invoices."""
        if self._file is None:
            yield from self._in_memory.items()
            return
        self._spill()
        with closing(self._file.cursor()) as rows:
            for number, record_type, date, *values in rows.execute("SELECT * FROM invoice ORDER BY rowid"):
                yield (number, record_type, date), _entry(values)

    def close(self) -> None:
        """Delete the temporary file."""
        if self._file is not None:
            self._file.close()

    def _spill(self) -> None:
        file = self._file = self._file or _open_spill_file()
        for key, entry in self._in_memory.items():
            if (before := _fetch(file, key)) is not None:
                before.add(entry)
                entry = before
            # An upsert, since REPLACE would give it another place in the order.
            file.execute(_PUT, (*key, *_values(entry)))
        self._in_memory.clear()


_COLUMNS = "customer, placed_at, lines, total, positive, currency, order_number, fault"
_PUT = (
    f"INSERT INTO invoice VALUES ({', '.join('?' * 11)}) ON CONFLICT DO UPDATE SET"  # noqa: S608 - constants
    f" ({_COLUMNS}) = ({', '.join('excluded.' + name for name in _COLUMNS.split(', '))})"
)


def _open_spill_file() -> sqlite3.Connection:
    """A temporary file of SQLite, unlinked from the start; 8 MB of it are cached in memory."""
    file = sqlite3.connect("", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode = OFF",
        "PRAGMA cache_size = -8000",
        # Sums as text: those of long invoices can be beyond 64 bits.
        (
            "CREATE TABLE invoice (number TEXT, record_type TEXT, date TEXT, customer TEXT,"
            " placed_at INTEGER, lines INTEGER, total TEXT, positive TEXT, currency TEXT,"
            " order_number TEXT, fault TEXT,"
            " UNIQUE (number, record_type, date)) STRICT"
        ),
    ):
        file.execute(statement)
    return file


def _fetch(file: sqlite3.Connection, key: InvoiceKey) -> InvoiceTotal | None:
    query = f"SELECT {_COLUMNS} FROM invoice WHERE (number, record_type, date) = (?, ?, ?)"  # noqa: S608 - constants
    row = file.execute(query, key).fetchone()
    return None if row is None else _entry(row)


def _values(entry: InvoiceTotal) -> tuple[object, ...]:
    customer, at, lines, total, up, *rest = astuple(entry)
    return (customer, (at - _EPOCH) // _MICROSECOND, lines, str(total), str(up), *rest)


def _entry(values: "list[object] | tuple[object, ...]") -> InvoiceTotal:
    customer, at, lines, total, up, *rest = values
    placed_at = _EPOCH + int(at) * _MICROSECOND  # type: ignore[call-overload] # an integer column
    return InvoiceTotal(customer, placed_at, lines, int(total), int(up), *rest)  # type: ignore[arg-type,call-overload]
