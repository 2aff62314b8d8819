"""Reads orders from CSV, JSON lines or Parquet, a block at a time; only the needed columns are read."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from attrs import evolve

from sesame_retail.files import csv_reader
from sesame_retail.files.compression import COMPRESSED, Source, file_errors, open_source
from sesame_retail.files.line_grouping import Layout, LineGrouper
from sesame_retail.files.mapping import ColumnMapping, FileMapping
from sesame_retail.files.order_builder import OrderBuilder
from sesame_retail.files.row_blocks import ColumnRows, TextRows
from sesame_retail.model import Order
from sesame_sdk import ConfigurationError, InvalidInputError, Skipped

JSON = {".jsonl", ".ndjson"}
PARQUET = {".parquet", ".pq"}
#: Rows of Parquet that are read at a time.
_BATCH_ROWS = 8192
#: Orders between two updates of the progress bar.
_STEP = 500


class _Bar(Protocol):
    def __call__(self, steps: float) -> None: ...

    def restart(self, description: str, total: float | None) -> None: ...


class ReadProgress:
    """Shows the bytes that are read of a file, then the orders that are sent."""

    def __init__(self, bar: _Bar) -> None:
        self._bar = bar
        self._source: Source | None = None
        self._position = 0

    def opened(self, source: Source) -> None:
        """Before the first block is read."""
        self._source = source
        self._bar.restart("bytes read", source.size)

    def moved(self) -> None:
        """After each block."""
        if self._source is not None:
            position = self._source.raw.tell()
            self._bar(position - self._position)
            self._position = position

    def grouped(self, orders: int) -> None:
        """After the last block: the file has so many orders."""
        self._bar.restart("orders sent", orders)

    def count(self, events: Iterator[Order | Skipped]) -> Iterator[Order | Skipped]:
        """The same events; orders advance the bar."""
        orders = 0
        for event in events:
            if isinstance(event, Order):
                orders += 1
                if orders == _STEP:
                    self._bar(orders)
                    orders = 0
            yield event


def read_orders(
    path: Path, reading: FileMapping, *, watch: ReadProgress | None = None
) -> Iterator[Order | Skipped]:
    """The orders of a file; a line that cannot be read is a `Skipped` with its number.

    ``.jsonl`` and ``.ndjson`` are JSON lines, ``.parquet`` is Parquet, anything else is CSV; with ``.gz`` or
    ``.zst`` after it, it is decompressed.

    Raises:
        InvalidInputError: the file does not exist, is corrupt, or its header lacks a column.
        ConfigurationError: it needs a library that is not installed.
    """
    grouping = LineGrouper(reading)
    with closing(grouping.invoices), file_errors(path), open_source(path) as source:
        if watch:
            watch.opened(source)
        for skipped in reader_for(path)(source, reading, grouping):
            if skipped is not None:
                yield skipped
            elif watch:
                watch.moved()
        if watch:
            watch.grouped(len(grouping.invoices))
        yield from OrderBuilder(grouping.invoices, reading).events()


def reader_for(path: Path) -> Callable[[Source, FileMapping, LineGrouper], Iterator[Skipped | None]]:
    """The reader for a file's name; it yields None after each block."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSED]
    last = suffixes[-1].lower() if suffixes else ""
    return _parquet if last in PARQUET else _json if last in JSON else _csv


def _csv(source: Source, reading: FileMapping, grouping: LineGrouper) -> Iterator[Skipped | None]:
    parts = csv_reader.read_lines(source.stream, reading.file_format.encoding)
    file = csv_reader.CsvReader(parts, reading.file_format.delimiter)
    layout = Layout.from_header(file.header, reading.columns)
    for block in file.blocks():
        yield from group_block(grouping, layout, block)
        yield None


def group_block(grouping: LineGrouper, layout: Layout, block: TextRows) -> Iterator[Skipped]:
    """Add a block's records to their orders; those with another number of columns are rejected."""
    for at, reason in block.bad:
        line, text = block.line(at)
        yield Skipped(reason, line=line, text=text)
    yield from grouping.add_rows(layout, block)


def _json(source: Source, reading: FileMapping, grouping: LineGrouper) -> Iterator[Skipped | None]:
    first = 1
    for text in csv_reader.read_lines(source.stream, reading.file_format.encoding):
        lines = text.split("\n")[:-1]
        yield from group_json_lines(grouping, lines, first, reading.columns)
        first += len(lines)
        yield None


def group_json_lines(
    grouping: LineGrouper, lines: list[str], first: int, columns: ColumnMapping
) -> Iterator[Skipped]:
    """Add lines of JSON to their orders."""
    marks = len({columns.number, columns.date, columns.customer, *columns.amount_columns})
    rows, places = [], []
    for line, text in enumerate(lines, first):
        if not text.strip():
            continue
        row = _select_fields(text, columns.required_columns, marks)
        if isinstance(row, Skipped):
            yield evolve(row, line=line, text=text)
        else:
            rows.append(row)
            places.append((line, text))
    if rows:
        fields = list(zip(*rows, strict=True))
        layout = Layout.from_header(columns.required_columns, columns)
        yield from grouping.add_rows(layout, ColumnRows(fields, places.__getitem__))


def _parquet(source: Source, reading: FileMapping, grouping: LineGrouper) -> Iterator[Skipped | None]:
    layout = Layout.from_header(reading.columns.required_columns, reading.columns)
    first = 1
    for batch in _read_batches(source.stream, reading.columns.required_columns):

        def place(row: int, batch: list[list[str]] = batch, first: int = first) -> tuple[int, str]:
            return first + row, json.dumps([column[row] for column in batch])

        yield from grouping.add_rows(layout, ColumnRows(batch, place))
        first += len(batch[0])
        yield None


def _select_fields(text: str, wanted: tuple[str, ...], marks: int) -> Sequence[str] | Skipped:
    try:
        record = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
        values = ["" if record[name] is None else record[name] for name in wanted]
    except KeyError:
        return Skipped("line without all its fields")
    except (ValueError, TypeError, RecursionError):
        return Skipped("unreadable line")
    values[marks:] = [str(value) if isinstance(value, bool) else value for value in values[marks:]]
    return values if all(map(isinstance, values, repeat(str))) else Skipped("unreadable line")


def _read_batches(stream: BinaryIO, wanted: tuple[str, ...]) -> Iterator[list[list[str]]]:
    """Columns of Parquet as the texts that CSV would hold, of many rows at a time; a null is empty."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "needs pyarrow", field="parquet", hint="pip install 'sesame-retail[parquet]'"
        ) from error
    try:
        file = parquet.ParquetFile(stream)
        if missing := [name for name in wanted if name not in file.schema_arrow.names]:
            raise InvalidInputError(f"the header lacks {', '.join(missing)}", field="header")
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(wanted)):
            yield [_texts(pa, batch.column(name)) for name in wanted]
    except (pa.ArrowException, UnicodeError) as error:
        raise InvalidInputError(
            f"is no Parquet that can be read: {type(error).__name__}", field="parquet"
        ) from error


def _texts(pa: Any, column: Any) -> list[str]:  # noqa: ANN401 - pyarrow has no types
    """A column as text. Software that knows no integers beside nulls writes 17850 as 17850.0."""
    if pa.types.is_floating(column.type):
        return ["" if value is None else _number(value) for value in column.to_pylist()]
    texts = column.cast(pa.string()).to_pylist()
    return ["" if value is None else value for value in texts]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)


def parquet_columns(stream: BinaryIO) -> list[str]:
    """The names of the columns of a Parquet file."""
    from pyarrow import parquet

    names: list[str] = parquet.ParquetFile(stream).schema_arrow.names
    return names
