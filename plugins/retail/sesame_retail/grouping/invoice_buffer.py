"""What is known of one invoice while a file is being read, and a place for more of them than fit in memory.

Lines of one invoice need not stand together, so all invoices are held until the file has ended: in
memory up to `MAX_IN_MEMORY`, the rest in a temporary file of SQLite's that goes away by itself. So memory
stays the same however long the file is.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

from attrs import astuple, define

#: Entries in memory; some 500 bytes each.
MAX_IN_MEMORY = 50_000
#: In place of a currency's code; none is like it.
SEVERAL = "several"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Number, what its lines record, and the date where that tells two of a number apart.
InvoiceKey = tuple[str, str, str]


@define
class InvoiceTotal:
    """Lines that belong together.

    Attributes:
        customer: None where the shop had none.
        placed_at: the earliest of the lines.
        lines: how many.
        total: ten-thousandths, in the feed's own currency.
        positive: of that, what is above zero.
        currency: code; empty for the usual one; `SEVERAL` where its lines do not agree.
        order: the order that it belongs to; empty where that is its own number.
        fault: why it cannot be told; empty where it can.
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
        """Take in further lines. In whatever order that is done, the same comes out."""
        self.lines += other.lines
        self.total += other.total
        self.positive += other.positive
        self.placed_at = min(self.placed_at, other.placed_at)
        if other.customer != self.customer:
            self.fault = max(self.fault, "invoice with several customers")
        if other.currency != self.currency:
            self.fault = max(self.fault, "invoice in several currencies")
            self.currency = SEVERAL  # its sum means nothing
        if other.order != self.order:
            self.fault = max(self.fault, "invoice that belongs to several orders")
        self.fault = max(self.fault, other.fault)


class InvoiceBuffer:
    """Entries by key, in the order in which the keys first came."""

    def __init__(self, most: int = MAX_IN_MEMORY) -> None:
        self._most = most
        self._held: dict[InvoiceKey, InvoiceTotal] = {}
        self._file: sqlite3.Connection | None = None

    def add(self, key: InvoiceKey, entry: InvoiceTotal) -> None:
        """Put an entry to what is there under its key."""
        found = self._held.get(key)
        if found is not None:
            found.add(entry)
            return
        if len(self._held) >= self._most:
            self._spill()
        self._held[key] = entry

    def __len__(self) -> int:
        """How many there are."""
        if self._file is None:
            return len(self._held)
        self._spill()
        found: int = self._file.execute("SELECT count(*) FROM invoice").fetchone()[0]
        return found

    def find(self, key: InvoiceKey) -> InvoiceTotal | None:
        """What is there under a key, once all is in."""
        if self._file is None:
            return self._held.get(key)
        self._spill()
        return _fetch(self._file, key)

    def all(self) -> Iterator[tuple[InvoiceKey, InvoiceTotal]]:
        """Everything."""
        if self._file is None:
            yield from self._held.items()
            return
        self._spill()
        with closing(self._file.cursor()) as rows:
            for number, record_type, date, *values in rows.execute("SELECT * FROM invoice ORDER BY rowid"):
                yield (number, record_type, date), _entry(values)

    def close(self) -> None:
        """Let go of the temporary file."""
        if self._file is not None:
            self._file.close()

    def _spill(self) -> None:
        file = self._file = self._file or _open_spill_file()
        for key, entry in self._held.items():
            if (before := _fetch(file, key)) is not None:
                before.add(entry)
                entry = before
            # An upsert, since REPLACE would give it another place in the order.
            file.execute(_PUT, (*key, *_values(entry)))
        self._held.clear()


_COLUMNS = "customer, placed_at, lines, total, positive, currency, order_number, fault"
_PUT = (
    f"INSERT INTO invoice VALUES ({', '.join('?' * 11)}) ON CONFLICT DO UPDATE SET"  # noqa: S608 - constants
    f" ({_COLUMNS}) = ({', '.join('excluded.' + name for name in _COLUMNS.split(', '))})"
)


def _open_spill_file() -> sqlite3.Connection:
    """A file that SQLite makes for itself, unlinked from the start; 8 MB of it are kept in memory."""
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
    moment = _EPOCH + int(at) * _MICROSECOND  # type: ignore[call-overload] # an integer column
    return InvoiceTotal(customer, moment, lines, int(total), int(up), *rest)  # type: ignore[arg-type,call-overload]
