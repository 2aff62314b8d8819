"""What a hub's ledger is measured against: the same rows inserted into a table like its own, and no more."""

import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from benchmarks.fixture_hub import PEOPLE, new_database, person_of
from sesame_sdk.constants import MAX_SIGNALS
from sesame_sdk.hub.database import tables
from sesame_sdk.hub.database.dialects.base import SignalRow
from sesame_sdk.hub.database.dialects.sqlite import PRAGMAS
from sesame_sdk.hub.ingest.signal_table import signal_row
from sesame_sdk.model.signals import Signal

_INSERT = "INSERT INTO signals VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Table(Protocol):
    """A table like the hub's, tuned alike."""

    def insert(self, rows: Sequence[SignalRow]) -> None:
        """Insert, and commit once."""
        ...


def make_rows(some: Iterable[Signal], first: int) -> list[SignalRow]:
    """The rows that the hub stores for signals."""
    return [
        signal_row(signal, person_of(number, PEOPLE) + 1, 1, 1, number // MAX_SIGNALS + 2)
        for number, signal in enumerate(some, first)
    ]


def insert_in_batches(table: Table, rows: Sequence[SignalRow]) -> None:
    """A commit for each thousand rows, as each envelope has a receipt for what is on disk."""
    for first in range(0, len(rows), MAX_SIGNALS):
        table.insert(rows[first : first + MAX_SIGNALS])


@contextmanager
def new_table(product: str, folder: Path) -> Iterator[Table]:
    """An empty table."""
    with new_database(product) as url, open_table(url, folder / "baseline.sqlite") as (table, connection):
        dialect = sqlite.dialect() if product == "sqlite" else postgresql.dialect()
        connection.execute(str(CreateTable(tables.signals).compile(dialect=dialect)))
        connection.commit()
        yield table


@contextmanager
def open_table(url: str, file: Path) -> Iterator[tuple[Table, Any]]:
    """Open a table: in an SQLite file, or in the database of a URL."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            for statement in PRAGMAS:
                connection.execute(statement)
            yield _Sqlite(connection), connection
    else:
        with psycopg.connect(url) as session:
            yield PostgresqlTable(session), session


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def insert(self, rows: Sequence[SignalRow]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_INSERT, rows)
        self._connection.execute("COMMIT")


class PostgresqlTable:
    """PostgreSQL's own bulk insert: COPY straight into the table, in binary form."""

    _FIELDS = struct.Struct(">hiqiqi10siiidiqiqiq")

    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._connection = connection

    def insert(self, rows: Sequence[SignalRow]) -> None:
        """See `Table`."""
        pack = self._FIELDS.pack
        packed = [pack(8, 8, a, 8, b, 10, c, 4, d, 8, e, 8, f, 8, g, 8, h) for a, b, c, d, e, f, g, h in rows]
        whole = b"".join([b"PGCOPY\n\xff\r\n\0" + bytes(8), *packed, b"\xff\xff"])
        with (
            self._connection.cursor() as cursor,
            cursor.copy("COPY signals FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.write(whole)
        self._connection.commit()
