"""Reads the orders of a file: CSV, JSON lines or Parquet, compressed or not."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from sesame_retail.files import text_files
from sesame_retail.files.compression import COMPRESSED, Source, file_errors, open_source
from sesame_retail.files.mapping import FileMapping
from sesame_retail.files.order_builder import OrderBuilder
from sesame_retail.files.order_lines import OrderLines, database_errors
from sesame_retail.model import Order
from sesame_sdk import InvalidInputError, Skipped

JSON = {".jsonl", ".ndjson"}
PARQUET = {".parquet", ".pq"}
#: Orders between two updates of the progress bar.
_STEP = 500


class _LineCounts(Protocol):
    lines: int
    rejected: int


class _Bar(Protocol):
    def __call__(self, steps: float) -> None: ...

    def restart(self, description: str, total: float | None) -> None: ...


class ReadProgress:
    """Shows the bytes that are read of a file, then the orders that are sent."""

    def __init__(self, bar: _Bar) -> None:
        self._bar = bar
        self._position = 0

    def count_bytes(self, blocks: Iterator[bytes], source: Source) -> Iterator[bytes]:
        """The same blocks; each advances the bar."""
        self._bar.restart("bytes read", source.size)
        for block in blocks:
            position = source.raw.tell()
            self._bar(position - self._position)
            self._position = position
            yield block

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


def file_format(path: Path) -> str:
    """The format that a file's name says: ``json``, ``parquet``, or else ``csv``."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in COMPRESSED]
    last = suffixes[-1] if suffixes else ""
    return "parquet" if last in PARQUET else "json" if last in JSON else "csv"


@contextmanager
def open_order_lines(
    path: Path, reading: FileMapping, watch: ReadProgress | None = None
) -> Iterator[OrderLines]:
    """The lines of a file, read and grouped.

    Raises:
        InvalidInputError: the file does not exist, is corrupt, or its header lacks a column or has it twice.
    """
    with ExitStack() as stack:
        stack.enter_context(file_errors(path))
        stack.enter_context(database_errors(path))
        lines = stack.enter_context(OrderLines(reading))
        if file_format(path) == "parquet":
            path.open("rb").close()  # DuckDB would name the whole path
            lines.read_parquet(path)
        else:
            _read_text(path, lines, watch)
        yield lines


def _read_text(path: Path, lines: OrderLines, watch: ReadProgress | None) -> None:
    reading, copy = lines.reading, lines.folder / "copy"
    with open_source(path) as source, copy.open("wb") as out:
        encoding, blocks = text_files.read_text(source.stream, reading.file_format.encoding)
        if watch:
            blocks = watch.count_bytes(blocks, source)
        if file_format(path) == "json":
            dialect = text_files.Dialect(encoding)
        else:
            wanted = reading.columns.required_columns
            dialect, first = text_files.find_header(blocks, encoding, reading.file_format.delimiter, wanted)
            blocks = text_files.chained(first, blocks)
        text_files.copy_records(blocks, out, dialect)
    (lines.read_csv if dialect.delimiter else lines.read_json)(copy, dialect)


def read_orders(
    path: Path, reading: FileMapping, *, watch: ReadProgress | None = None, max_rejects: float | None = None
) -> Iterator[Order | Skipped]:
    """The orders of a file, after the lines that cannot be read, which are `Skipped` with their number.

    ``.jsonl`` and ``.ndjson`` are JSON lines, ``.parquet`` is Parquet, anything else is CSV; with ``.gz`` or
    ``.zst`` after it, it is decompressed.

    Args:
        path: the file.
        reading: its mapping.
        watch: shows how far it was read.
        max_rejects: how many lines in a hundred may be unreadable; None for any number.

    Raises:
        InvalidInputError: the file does not exist, is corrupt, its header lacks a column or has it twice, or
            too many lines cannot be read: then it has no orders.
    """
    with open_order_lines(path, reading, watch) as lines:
        if watch:
            watch.grouped(lines.invoice_count)
        yield from lines.rejects()
        check_rejects(path, lines, max_rejects)
        yield from OrderBuilder(lines, reading).events()


def check_rejects(path: Path, lines: _LineCounts, max_rejects: float | None) -> None:
    """Raise `InvalidInputError` if more lines in a hundred are rejected than may be."""
    if max_rejects is not None and lines.rejected * 100 > max_rejects * lines.lines:
        raise InvalidInputError(
            f"{lines.rejected:,} of {lines.lines:,} lines cannot be read, so nothing of the file is sent",
            field=path.name,
            hint="correct the mapping or the file, or allow it: sesame retail post --max-rejects PERCENT",
        )
