"""All columns of a file as text, to be asked what is in them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from attrs import frozen

from sesame_retail.files import order_sql, text_files
from sesame_retail.files.compression import file_errors, open_source
from sesame_retail.files.mapping import FileFormat, FileMapping
from sesame_retail.files.order_files import file_format
from sesame_retail.files.order_lines import connect, database_errors
from sesame_sdk import InvalidInputError

#: Lines among which the header is looked for, and by which the delimiter is found.
_FIRST_LINES = 200
#: Of JSON lines: fields that are looked at, and how deep they lie.
_MAX_FIELDS = 500
_MAX_DEPTH = 6


@frozen
class FileColumns:
    """The columns of a file, in a table of a database.

    Attributes:
        header: their names; of JSON, their paths.
        dialect: how a text file is written; None for Parquet.
        lines: how many there are.
    """

    database: duckdb.DuckDBPyConnection
    header: tuple[str, ...]
    dialect: text_files.Dialect | None
    lines: int

    def column(self, name: str) -> str:
        """A column's name in the table, which is called ``rows``."""
        return f"c{self.header.index(name)}"

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        rows: list[tuple[Any, ...]] = self.database.execute(query).fetchall()
        return rows

    def texts(self, name: str, most: int = 100) -> list[str]:
        """The commonest different texts of a column that are not missing."""
        column = self.column(name)
        rows = self.ask(
            f"SELECT t, count(*) FROM (SELECT cleaned(trimmed({column})) AS t FROM rows)"  # noqa: S608 - an index
            f" WHERE t IS NOT NULL GROUP BY t ORDER BY count(*) DESC, t LIMIT {most}"
        )
        return [text for text, _ in rows]


@contextmanager
def open_columns(path: Path) -> Iterator[FileColumns]:
    """The columns of a file, for as long as the context lasts.

    Raises:
        InvalidInputError: it does not exist, is corrupt, or has no header of several columns.
    """
    with ExitStack() as stack:
        stack.enter_context(file_errors(path))
        stack.enter_context(database_errors(path))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sesame-")))
        database = connect(folder)
        stack.callback(database.close)
        database.execute(order_sql.rules(FileMapping()))
        dialect, header, rows = _read(path, folder, database)
        if len(header) < 2:
            raise InvalidInputError("has no header of several columns", field=path.name)
        database.execute(f"CREATE TABLE rows AS {rows}")
        lines: int = database.execute("SELECT count(*) FROM rows").fetchall()[0][0]
        yield FileColumns(database, header, dialect, lines)


def _read(
    path: Path, folder: Path, database: duckdb.DuckDBPyConnection
) -> tuple[text_files.Dialect | None, tuple[str, ...], str]:
    """The dialect, the header, and the query for all columns."""
    if file_format(path) == "parquet":
        table = f"read_parquet({order_sql.quote(str(path))}, file_row_number = true)"
        names = [name for name, *_ in database.execute(f"DESCRIBE FROM {table}").fetchall()]
        header = tuple(name for name in names if name != "file_row_number")
        values = (f"CAST({order_sql.quote_name(name)} AS VARCHAR)" for name in header)
        return None, header, _select(values, table, "file_row_number + 1")
    copy = folder / "copy"
    with open_source(path) as source, copy.open("wb") as out:
        encoding, blocks = text_files.read_text(source.stream, guess_encoding(path))
        first = next(blocks, b"")
        if file_format(path) == "json":
            dialect = text_files.Dialect(encoding)
        else:
            dialect = _guess_dialect(first, encoding)
            first = first.split(b"\n", dialect.offset)[-1]
        text_files.copy_records(text_files.chained(first, blocks), out, dialect)
    if dialect.delimiter:
        records = order_sql.csv_rows(copy, dialect.delimiter, len(dialect.header))
        return dialect, dialect.header, f"FROM {records}"
    fields = order_sql.JsonLines({path: path for path in _find_fields(copy)})
    return dialect, tuple(fields.paths), _select(fields.columns().values(), fields.rows(copy), "line")


def _select(values: Iterable[str], table: str, line: str) -> str:
    columns = ", ".join(f"{value} AS c{index}" for index, value in enumerate(values))
    return f"SELECT {columns}, {line} AS line FROM {table}"  # noqa: S608 - quoted


def guess_encoding(path: Path) -> str:
    """The encoding of a file without a byte order mark: UTF-8 if all of it is, else that of Windows."""
    with open_source(path) as source:
        _, blocks = text_files.read_text(source.stream, FileFormat().encoding)
        replaced = any("\ufffd".encode() in block for block in blocks)
    return "cp1252" if replaced else FileFormat().encoding


def _guess_dialect(first: bytes, encoding: str) -> text_files.Dialect:
    """The delimiter by which most of the first lines have one number of fields, and the first such line."""
    lines = first.split(b"\n")[:_FIRST_LINES]
    separator = text_files.separator_of(lines[0])
    best = text_files.Dialect(encoding)
    most = 0
    for delimiter in (separator,) if separator else (",", ";", "\t", "|"):
        records = list(text_files.first_records([b"", *lines[1:]] if separator else lines, delimiter))
        widths = Counter(len(fields) for fields, _ in records if len(fields) > 1)
        if not widths:
            continue
        width, fitting = widths.most_common(1)[0]
        if fitting * width > most:
            most = fitting * width
            # The title of a report has the separators of a spreadsheet behind it.
            header, offset = next(
                (record for record in records if len(record[0]) == width < 2 * sum(map(bool, record[0]))),
                ([], 0),
            )
            best = text_files.Dialect(encoding, delimiter, tuple(header), offset)
    return best


def _find_fields(copy: Path) -> list[str]:
    """The paths of all values of JSON lines; of lists, only the first that holds objects is entered."""
    paths: dict[str, None] = {}
    with copy.open("rb") as lines:
        for line in lines:
            try:
                _add_fields(json.loads(line), "", paths, 0)
            except (ValueError, RecursionError):
                continue
    entered = next((path.partition(order_sql.ITEMS)[0] for path in paths if order_sql.ITEMS in path), "")
    return [
        path
        for path in paths
        if order_sql.ITEMS not in path
        or (path.startswith(entered + order_sql.ITEMS) and path.count(order_sql.ITEMS) == 1)
    ]


def _add_fields(value: object, path: str, paths: dict[str, None], depth: int) -> None:
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        for name, inner in value.items():
            _add_fields(
                inner, f"{path}.{name}" if path and not path.endswith(".") else path + name, paths, depth + 1
            )
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict):
                _add_fields(inner, path + order_sql.ITEMS, paths, depth + 1)
    elif path and len(paths) < _MAX_FIELDS:
        paths.setdefault(path)
