"""A shop's file as orders: CSV or JSON lines, gzipped or not, one line at a time.

Only the five columns that are needed are looked at.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, repeat
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

from attrs import astuple, frozen

from sesame_retail.orders import Line, Order, orders
from sesame_sdk import KeptBack, Rejected

_JSON = {".jsonl", ".ndjson"}
#: Rows taken from the reader at a time; they stay in the processor's cache.
CHUNK = 128


@frozen
class Columns:
    """What the columns are called; by default as in the UCI data set "Online Retail"."""

    number: str = "InvoiceNo"
    date: str = "InvoiceDate"
    customer: str = "CustomerID"
    quantity: str = "Quantity"
    price: str = "UnitPrice"


def read(path: Path, columns: Columns, *, cancelled_prefix: str) -> Iterator[Order | KeptBack]:
    """The orders of a file; a line that cannot be read is kept back.

    Args:
        path: ``.jsonl`` and ``.ndjson`` are JSON lines, all else CSV; ``.gz`` after it is unpacked.
        columns: names of the columns.
        cancelled_prefix: what the number of an invoice begins with that takes goods back.

    Raises:
        Rejected: there is no such file, its packing is broken, or its header lacks a column.
    """
    wanted: tuple[str, ...] = astuple(columns)
    lines = _from_json if _JSON & set(path.suffixes) else _from_csv
    try:
        with _opened(path) as file:
            yield from orders(lines(file, wanted), cancelled_prefix=cancelled_prefix)
    except (OSError, EOFError, zlib.error) as error:
        raise Rejected(f"cannot be read: {type(error).__name__}", field=path.name) from error


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    # Bytes that are no UTF-8 stand in descriptions, which nobody reads: they must not stop the file.
    how: dict[str, Any] = {"encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}
    with gzip.open(path, "rt", **how) if path.suffix == ".gz" else path.open(**how) as file:
        yield file


def _from_csv(file: TextIO, wanted: tuple[str, ...]) -> Iterator[list[Line] | KeptBack]:
    rows = csv.reader(file)
    header = [name.strip() for name in next(rows, [])]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise Rejected(f"the header lacks {', '.join(missing)}", field="header")
    pick = itemgetter(*map(header.index, wanted))
    while True:
        chunk: list[list[str]] = []
        try:
            chunk.extend(islice(rows, CHUNK))
        except csv.Error:  # a field without an end; what came before is in the chunk, and the reader goes on
            yield KeptBack("unreadable line")
        else:
            if not chunk:
                return
        if set(map(len, chunk)) != {len(header)}:
            yield from (
                KeptBack("wrong number of columns") for row in chunk if len(row) not in (0, len(header))
            )
            chunk = [row for row in chunk if len(row) == len(header)]
        yield list(map(pick, chunk))


def _from_json(file: TextIO, wanted: tuple[str, ...]) -> Iterator[list[Line] | KeptBack]:
    for text in file:
        if text.strip():
            line = _picked(text, wanted)
            yield line if isinstance(line, KeptBack) else [line]


def _picked(text: str, wanted: tuple[str, ...]) -> Line | KeptBack:
    try:
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
        values = ["" if found[name] is None else found[name] for name in wanted]
    except KeyError:
        return KeptBack("line without all its fields")
    except (ValueError, TypeError, RecursionError):
        return KeptBack("unreadable line")
    if not all(map(isinstance, values, repeat(str))):
        return KeptBack("unreadable line")
    number, date, customer, quantity, price = values
    return number, date, customer, quantity, price
