"""Reads order lines with DuckDB, and groups them by order.

Rules:
1. Every form of a file becomes columns of text, which one set of rules reads (`sql/rules.sql`).
2. A line that cannot be read is rejected with its number, column, reason and the form of its value. The other
   lines of its order count.
3. What does not fit into memory goes to a temporary directory that only its owner can read.
4. DuckDB loads no extension, and its database is deleted with the directory.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from attrs import define, evolve, field

from sesame_retail.files import order_sql
from sesame_retail.files.mapping import FileMapping, RecordType
from sesame_retail.files.text_files import HINT, Dialect
from sesame_retail.money import in_currency, to_decimal, to_parts
from sesame_sdk import Closeable, InvalidInputError, Skipped, records

#: What DuckDB may use before it writes to the temporary directory.
_MEMORY = "160MB"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Rows that are fetched at a time.
_PAGE = 4096
#: In place of a currency's code.
SEVERAL = "several"
#: Number, record type, and the time where several records have one number.
InvoiceKey = tuple[str, str, str]
_NOTHING = Decimal(0)


@define
class InvoiceTotal:
    """The lines of one invoice, summed; amounts are in millionths.

    Attributes:
        customer: None if it has none.
        placed_at: of the earliest line.
        positive: the sum of the positive amounts.
        currency: code; empty for the default one; `SEVERAL` if the lines differ.
        order: the order that it belongs to; empty if that is its own number.
        fault: why it is skipped; empty if it is not.
        returned: how much was returned, by its state.
    """

    customer: str | None
    placed_at: datetime
    lines: int
    total: int
    positive: int
    currency: str = ""
    order: str = ""
    fault: str = ""
    returned: int = 0


@define
class OrderLines(Closeable):
    """The order lines of one file.

    `read_csv`, `read_json` or `read_parquet` reads a file; the other methods return what is in it.
    """

    reading: FileMapping
    #: Lines in the file, and how many of them are rejected.
    lines: int = field(init=False, default=0)
    rejected: int = field(init=False, default=0)
    #: A directory for copies; it is deleted with the object.
    folder: Path = field(init=False)
    _exits: ExitStack = field(init=False, factory=ExitStack)
    _database: duckdb.DuckDBPyConnection = field(init=False)
    _copy: Path | None = field(init=False, default=None)
    _dialect: Dialect = field(init=False, factory=lambda: Dialect("utf-8"))
    #: The rows of the file, the column of each meaning, and its type, in SQL.
    _source: str = field(init=False, default="")
    _raw: dict[str, str] = field(init=False, factory=dict)
    _kinds: dict[str, str] = field(init=False, factory=dict)
    #: Lines that could not be split into fields, by their number in the copy.
    _split_errors: dict[int, str] = field(init=False, factory=dict)
    _lines: str = field(init=False, default="")
    _words: dict[str, str] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.folder = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="sesame-")))
        self._database = connect(self.folder)
        self._exits.callback(self._database.close)
        self._database.execute(f"SET GLOBAL TimeZone = {order_sql.quote(self.reading.file_format.time_zone)}")
        self._database.execute(order_sql.rules(self.reading))
        self._words = order_sql.word_readers(self.reading)

    def close(self) -> None:
        """Delete the copies and the database."""
        self._exits.close()

    def read_csv(self, copy: Path, dialect: Dialect) -> None:
        """Read what `text_files.copy_records` wrote of a CSV file."""
        self._copy, self._dialect = copy, dialect
        columns = self.reading.columns.in_use
        places = records.find_columns(dialect.header, columns.values(), HINT)
        self._raw = {meaning: f"c{places[column]}" for meaning, column in columns.items()}
        self._kinds = dict.fromkeys(columns, "VARCHAR")
        self._source = order_sql.csv_rows(copy, dialect.delimiter, len(dialect.header))
        self._group("''")

    def read_json(self, copy: Path, dialect: Dialect) -> None:
        """Read what `text_files.copy_records` wrote of JSON lines."""
        self._copy, self._dialect = copy, dialect
        columns = self.reading.columns.in_use
        fields = order_sql.JsonLines(columns)
        self._raw, self._source = fields.columns(), fields.rows(copy)
        self._kinds = dict.fromkeys(columns, "VARCHAR")
        self._group(fields.broken())
        if self.lines > self.rejected:
            (present,) = self.ask(fields.present(self._source))
            if missing := [
                path for path, is_there in zip(columns.values(), present, strict=True) if not is_there
            ]:
                raise InvalidInputError(f"no line has {', '.join(missing)}", field="header", hint=HINT)

    def read_parquet(self, path: Path) -> None:
        """Read a Parquet file."""
        table = f"read_parquet({order_sql.quote(str(path))}, file_row_number = true)"
        columns = self.reading.columns.in_use
        described = self._database.execute(f"DESCRIBE FROM {table}").fetchall()
        types = {name: kind for name, kind, *_ in described}
        records.find_columns([name for name, *_ in described], columns.values(), HINT)
        self._raw = {
            meaning: order_sql.parquet_column(column, types[column]) for meaning, column in columns.items()
        }
        self._kinds = {meaning: types[column] for meaning, column in columns.items()}
        self._source = f"(SELECT *, file_row_number + 1 AS line FROM {table})"  # noqa: S608 - quoted
        self._group("''")

    def rejects(self) -> Iterator[Skipped]:
        """The lines that cannot be read, in the order of the file."""
        if not self.rejected:
            return
        rows = self._rejected_rows()
        if self._copy is None:
            yield from rows
        else:
            yield from self._find_lines(rows, self._copy)

    def invoices(self) -> Iterator[tuple[InvoiceKey, InvoiceTotal]]:
        """The invoices of all readable lines, in the order of the first line of each."""
        cursor = quiet(self._database.cursor())
        cursor.execute("FROM invoices")
        while page := cursor.fetchmany(_PAGE):
            for row in page:
                yield _invoice(row)

    @property
    def invoice_count(self) -> int:
        """The number of invoices of readable lines."""
        count: int = self.ask("SELECT count(*) FROM invoices")[0][0]
        return count

    def has_record_type(self, record_type: RecordType) -> bool:
        """Whether any invoice is of this type."""
        return bool(self.ask("SELECT count(*) FROM invoices WHERE type = ?", str(record_type))[0][0])

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query, in which the macros of `sql/rules.sql` are known."""
        rows: list[tuple[Any, ...]] = self._database.execute(query, list(values)).fetchall()
        return rows

    def _group(self, broken: str) -> None:
        """Read all lines, and group them: first those of equal texts, then those of an invoice."""
        keys = [f"r_{meaning}" for meaning in self._raw if meaning not in order_sql.AMOUNTS]
        columns = [
            *(f"{column} AS r_{meaning}" for meaning, column in self._raw.items()),
            f"{broken} AS broken",
        ]
        amount = order_sql.line_amount(self._kinds, self._words)
        self._lines = order_sql.statement(
            "lines", columns=", ".join(columns), amount=amount, source=self._source
        )
        grouped = order_sql.statement("group", keys=", ".join([*keys, "broken"]), lines=self._lines)
        self._database.execute(grouped)
        faults = order_sql.faults(self.reading, self._raw)
        parsed = order_sql.read_lines(self.reading, self._raw, "grouped", faults)
        self._database.execute(f"CREATE TABLE parsed AS {parsed}")
        self._database.execute(order_sql.invoices(self.reading, self._raw))
        if self._copy is not None:
            self._split_errors = dict(self._database.execute(_SPLIT_ERRORS).fetchall())
        self._count()

    def _count(self) -> None:
        ((lines, readable),) = self.ask(_COUNTS)
        self.lines = int(lines) + len(self._split_errors)
        self.rejected = self.lines - int(readable)

    def _rejected_rows(self) -> Iterator[Skipped]:
        """The lines that were split but cannot be read, by the number of the record."""
        faults = (*order_sql.amount_faults(self._kinds), *order_sql.faults(self.reading, self._raw))
        meanings = list(self._raw)
        texts = ", ".join(f"CAST(r_{meaning} AS VARCHAR)" for meaning in meanings)
        read = order_sql.read_lines(self.reading, self._raw, f"({self._lines})", faults)
        cursor = quiet(self._database.cursor())
        cursor.execute(order_sql.statement("rejects", texts=texts, read=read))
        while page := cursor.fetchmany(_PAGE):
            for line, index, broken, amount, currency, *values in page:
                if not index:
                    yield Skipped(broken, line=line, text=json.dumps(values))
                    continue
                fault = faults[index - 1]
                yield self._reject(fault, line, amount, currency, dict(zip(meanings, values, strict=True)))

    def _reject(
        self, fault: order_sql.Fault, line: int, amount: Decimal, currency: str, texts: dict[str, str | None]
    ) -> Skipped:
        currencies = self.reading.file_format.currencies
        unit, converted = currencies.sent_currency(currency), currencies.convert(to_parts(amount), currency)
        return Skipped(
            in_currency(fault.reason, unit) if unit else fault.reason,
            1,
            to_decimal(converted or 0),
            line=line,
            column=self.reading.columns.in_use[fault.meaning],
            form=records.value_form(texts[fault.meaning] or ""),
            text=json.dumps(list(texts.values()), ensure_ascii=False),
        )

    def _find_lines(self, rejects: Iterator[Skipped], copy: Path) -> Iterator[Skipped]:
        """Rejected records with the number of their line in the file, and the line."""
        reject, record, is_csv = next(rejects, None), 0, bool(self._dialect.delimiter)
        with copy.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                split_error = self._split_errors.get(number)
                record += split_error is None and (not is_csv or line != b"\n")
                place, text = number + self._dialect.offset, line.decode().rstrip("\n")
                if split_error is not None:
                    yield Skipped(split_error, line=place, text=text)
                    continue
                while reject is not None and reject.line == record and line != b"\n":
                    yield evolve(reject, line=place, text=text)
                    reject = next(rejects, None)


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills to a folder, and loads and installs no extension."""
    database = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(folder),
            "memory_limit": _MEMORY,
        }
    )
    return quiet(database)


def quiet(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The same connection, without DuckDB's own progress bar on stdout."""
    connection.execute("SET enable_progress_bar = false")
    return connection


#: By the number of the line in the copy; blank lines are none.
_SPLIT_ERRORS = """
SELECT line, CASE WHEN bool_or(error_type IN ('MISSING COLUMNS', 'TOO MANY COLUMNS'))
    THEN 'wrong number of columns' ELSE 'unreadable line' END
FROM reject_errors GROUP BY line"""
_COUNTS = """
SELECT coalesce(sum(lines), 0), coalesce(sum(readable) FILTER (fault IS NULL), 0) FROM parsed"""


def _invoice(row: tuple[Any, ...]) -> tuple[InvoiceKey, InvoiceTotal]:
    number, record_type, time, kept, customer, last_customer, placed, lines, total, positive, *rest = row
    currency, last_currency, order, last_order, test, staff, returned, unknown_return, several_totals = rest
    fault = kept
    if test or staff:
        fault = "test order" if test else "staff order"
    elif several_totals or total is None:
        fault = fault or ("invoice with several totals" if several_totals else "order without a total")
    elif placed is None:
        fault = "order without a date"
    elif customer != last_customer:
        fault = "invoice with several customers"
    elif currency != last_currency:
        fault = "invoice in several currencies"
    elif order != last_order:
        fault = "invoice that belongs to several orders"
    elif unknown_return:
        fault = "partly returned order without the amount"
    at = _EPOCH if placed is None else _EPOCH + timedelta(microseconds=placed)
    key = (number, record_type, "" if time is None else (_EPOCH + timedelta(microseconds=time)).isoformat())
    several = SEVERAL if currency != last_currency else currency
    return key, InvoiceTotal(
        customer or None, at, lines, total or 0, positive, several, order, fault, returned
    )


@contextmanager
def database_errors(path: Path) -> Iterator[None]:
    """Turn errors of DuckDB into `InvalidInputError`; their texts may hold values."""
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException, duckdb.DataError) as error:
        raise InvalidInputError(f"cannot be read: {type(error).__name__}", field=path.name) from None
