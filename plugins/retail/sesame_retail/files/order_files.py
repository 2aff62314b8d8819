"""A shop's file as orders: CSV, JSON lines or Parquet, packed or not, a block at a time.

Only the columns that are needed are looked at.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import repeat
from pathlib import Path
from typing import Protocol

from attrs import evolve

from sesame_retail.files import csv_reader
from sesame_retail.files.compression import PACKED, Source, opened, told
from sesame_retail.files.mapping import ColumnMapping, MappingMode
from sesame_retail.files.row_blocks import Listed, Records
from sesame_retail.grouping.line_grouping import Grouping, Layout
from sesame_retail.grouping.order_builder import OrderOutcome
from sesame_retail.model import Order
from sesame_sdk import Skipped

JSON = {".jsonl", ".ndjson"}
PARQUET = {".parquet", ".pq"}


class Watch(Protocol):
    """Sees how far a file is."""

    def opened(self, source: Source) -> None:
        """Before its first block is read."""

    def moved(self) -> None:
        """After each block."""

    def grouped(self, orders: int) -> None:
        """After the last, and before the first order: how many there are, returns and all."""


def read(path: Path, reading: MappingMode, *, watch: Watch | None = None) -> Iterator[Order | Skipped]:
    """The orders of a file; a line that cannot be read is kept back.

    Args:
        path: ``.jsonl`` and ``.ndjson`` are JSON lines, ``.parquet`` is Parquet, all else CSV; ``.gz`` and
            ``.zst`` after it are unpacked.
        reading: how the shop writes.
        watch: told how far it is.

    Raises:
        Rejected: there is no such file, its packing is broken, or its header lacks a column.
        Misconfigured: it needs a library that is not installed.
    """
    grouping = Grouping(reading)
    with closing(grouping.entries), told(path), opened(path) as source:
        if watch:
            watch.opened(source)
        for kept_back in form_of(path)(source, reading, grouping):
            if kept_back is not None:
                yield kept_back
            elif watch:
                watch.moved()
        if watch:
            watch.grouped(len(grouping.entries))
        yield from OrderOutcome(grouping.entries, reading).events()


def form_of(path: Path) -> Callable[[Source, MappingMode, Grouping], Iterator[Skipped | None]]:
    """What reads a file of that name; it gives None after each block."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in PACKED]
    last = suffixes[-1].lower() if suffixes else ""
    return _parquet if last in PARQUET else _json if last in JSON else _csv


def _csv(source: Source, reading: MappingMode, grouping: Grouping) -> Iterator[Skipped | None]:
    parts = csv_reader.texts(source.stream, reading.form.encoding)
    file = csv_reader.Delimited(parts, reading.form.delimiter)
    layout = Layout.of(file.header, reading.columns)
    for block in file.blocks():
        yield from take(grouping, layout, block)
        yield None


def take(grouping: Grouping, layout: Layout, block: Records) -> Iterator[Skipped]:
    """Put a block's records to their orders; those of another width are kept back."""
    for at, reason in block.bad:
        line, text = block.line(at)
        yield Skipped(reason, line=line, text=text)
    yield from grouping.take(layout, block)


def _json(source: Source, reading: MappingMode, grouping: Grouping) -> Iterator[Skipped | None]:
    first = 1
    for text in csv_reader.texts(source.stream, reading.form.encoding):
        lines = text.split("\n")[:-1]
        yield from take_json(grouping, lines, first, reading.columns)
        first += len(lines)
        yield None


def take_json(grouping: Grouping, lines: list[str], first: int, columns: ColumnMapping) -> Iterator[Skipped]:
    """Put lines of JSON to their orders."""
    marks = len({columns.number, columns.date, columns.customer, *columns.worth})
    rows, places = [], []
    for line, text in enumerate(lines, first):
        if not text.strip():
            continue
        row = _picked(text, columns.wanted, marks)
        if isinstance(row, Skipped):
            yield evolve(row, line=line, text=text)
        else:
            rows.append(row)
            places.append((line, text))
    if rows:
        found = list(zip(*rows, strict=True))
        layout = Layout.of(columns.wanted, columns)
        yield from grouping.take(layout, Listed(found, places.__getitem__))


def _parquet(source: Source, reading: MappingMode, grouping: Grouping) -> Iterator[Skipped | None]:
    from sesame_retail.files.parquet import tables

    layout = Layout.of(reading.columns.wanted, reading.columns)
    first = 1
    for found in tables(source.stream, reading.columns.wanted):

        def place(row: int, found: list[list[str]] = found, first: int = first) -> tuple[int, str]:
            return first + row, json.dumps([column[row] for column in found])

        yield from grouping.take(layout, Listed(found, place))
        first += len(found[0])
        yield None


def _picked(text: str, wanted: tuple[str, ...], marks: int) -> Sequence[str] | Skipped:
    try:
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
        values = ["" if found[name] is None else found[name] for name in wanted]
    except KeyError:
        return Skipped("line without all its fields")
    except (ValueError, TypeError, RecursionError):
        return Skipped("unreadable line")
    values[marks:] = [str(value) if isinstance(value, bool) else value for value in values[marks:]]
    return values if all(map(isinstance, values, repeat(str))) else Skipped("unreadable line")
