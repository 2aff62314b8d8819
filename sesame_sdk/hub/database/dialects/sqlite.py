"""The SQLite dialect, for one machine.

WAL mode: readers never wait for the writer. ``synchronous=FULL``: a commit survives a power cut. The driver
would begin transactions late and break savepoints, so each begins here; one that writes takes the write lock
at its begin, since SQLite may refuse it later.
"""

import csv
import io
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from datetime import date
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from attrs import frozen
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Select,
    bindparam,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.schema import Column, Table

from sesame_sdk.errors import RetryableError
from sesame_sdk.files import ensure_private_file
from sesame_sdk.hub.database.dialects import sqlite_lock
from sesame_sdk.hub.database.dialects.base import (
    JsonFunctions,
    LeaderLock,
    LockScope,
    ScorePart,
    SignalRow,
    TemporaryRelations,
    translate_driver_errors,
)
from sesame_sdk.model import codec
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring import engines

#: Settings of every connection, also of the benchmarks' baseline.
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 15000",
    "PRAGMA cache_size = -65536",  # 64 MiB
    "PRAGMA temp_store = MEMORY",
    # The signals of an envelope are on as many pages as it has people. A checkpoint every 20,000 pages writes
    # each page once; one every 1,000 pages would write most of them several times.
    "PRAGMA wal_autocheckpoint = 20000",
    # Deleted data is overwritten with zeros. Switched on only for an erasure, it would miss the copies that
    # remain on pages from which rows were moved earlier: see `rights.scrub`.
    "PRAGMA secure_delete = ON",
)
#: More connections than the web framework has threads.
_POOL = 64
#: Rows of one INSERT. The driver releases the GIL for each statement, and has to get it back from threads
#: that verify signatures: row by row, that took longer than the inserts.
_INSERT_ROWS = 250
_by_person = itemgetter(0)
_decode_rows = codec.decoder(list[tuple[Any, ...]]).decode


class _SqliteDialect:
    json = JsonFunctions("json_each", "json_array", "json_group_array")
    concurrent_writes = False

    def open(self, url: URL) -> Engine:
        if url.database and url.database != ":memory:":
            with suppress(OSError):  # connecting reports it
                ensure_private_file(Path(url.database))
        # Parameters hold people's data, so no error message may show them.
        engine = create_engine(url, hide_parameters=True, pool_size=4, max_overflow=_POOL)
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        return engine

    def write_connection(self, engine: Engine) -> Connection:
        return engine.connect().execution_options(sesame_writes=True)

    @contextmanager
    def read_transaction(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect() as connection:
            yield connection
            connection.rollback()

    def lock(self, connection: Connection, scope: LockScope) -> None:
        """`_on_begin` has taken the write lock, and there is no other."""

    def acquire_leader_lock(self, engine: Engine) -> LeaderLock | None:
        """Lock a file beside the database; the system releases the lock when the process ends."""
        try:
            path = Path(f"{engine.url.database}-streams")
            ensure_private_file(path)
            connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.OperationalError):  # no space for another file
            return None
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            connection.close()
            return None
        return _SqliteLeaderLock(connection)

    def ensure_in_transaction(self, connection: Connection) -> None:
        if not _driver(connection).in_transaction:
            raise RetryableError("the database undid the transaction", field="database")

    def reserve_ids(self, connection: Connection, column: Column[int], count: int) -> Sequence[int]:
        # The write lock is held, and an id counts as used once a row with it is inserted.
        used = "SELECT seq FROM sqlite_sequence WHERE name = ?"
        last: int = connection.exec_driver_sql(used, (column.table.fullname,)).scalar() or 0
        return range(last + 1, last + 1 + count)

    def fetch_rows(
        self, connection: Connection, query: Select[*tuple[Any, ...]], parameters: Mapping[str, object]
    ) -> list[Sequence[Any]]:
        """Fetch one row of JSON: the driver releases the GIL for each row, and waits to get it back."""
        rows: list[Sequence[Any]] = _decode_rows(connection.scalar(_as_json(query), parameters) or "[]")
        return rows

    def insert(self, table: Table) -> sqlite.Insert:
        return sqlite.insert(table)

    def signal_table(self, engine: Engine, table: Table, further: Table) -> "_SqliteSignalTable":  # noqa: ARG002
        """`further` needs no look: no other transaction writes at the same time."""
        return _SqliteSignalTable(engine, table)

    def prepare(self, connection: Connection, relations: TemporaryRelations) -> None:
        create = relations.create_statements(connection.dialect, "CREATE TEMPORARY VIEW IF NOT EXISTS")
        for statement in (*create, *relations.delete_statements()):
            connection.exec_driver_sql(statement)

    def analyze(self, connection: Connection, table: Table) -> None:
        """SQLite follows the order of `engine.ordered_join`, whatever the sizes."""

    def prefer_indexes(self, connection: Connection) -> AbstractContextManager[None]:  # noqa: ARG002
        """SQLite uses every index that there is."""
        return nullcontext()

    def write_csv(self, connection: Connection, query: Select[*tuple[Any, ...]], file: IO[bytes]) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        with closing(_driver(connection).execute(str(query.compile(connection.engine)))) as rows:
            csv.writer(text).writerows(rows)
        text.detach()

    def score(
        self, connection: Connection, policy: Policy, as_of: date, *, reasons: bool
    ) -> Iterable[ScorePart]:
        with translate_driver_errors(sqlite3.Error):
            return engines.score_batch_in_sqlite(_driver(connection), policy, as_of, reasons=reasons)


DIALECT = _SqliteDialect()


@frozen
class _SqliteLeaderLock:
    _connection: sqlite3.Connection

    def is_held(self) -> bool:
        return True

    def release(self) -> None:
        self._connection.close()


class _SqliteSignalTable:
    """A `SignalTable`, written with statements of many rows."""

    def __init__(self, engine: Engine, table: Table) -> None:
        self._insert = str(sqlite.insert(table).on_conflict_do_nothing().compile(engine))
        row = "(" + ", ".join("?" * len(table.c)) + ")"
        self._insert_many = self._insert.replace(row, ", ".join([row] * _INSERT_ROWS))
        same_key = [column == bindparam(None) for column in table.primary_key]
        self._row = str(select(table).where(*same_key).compile(engine))

    def insert(self, connection: Connection, rows: Iterable[SignalRow]) -> int:
        # In the table's order, so that each of its pages is visited once.
        ordered = sorted(rows, key=_by_person)
        whole = len(ordered) // _INSERT_ROWS * _INSERT_ROWS
        inserted = 0
        for start in range(0, whole, _INSERT_ROWS):
            values = tuple(chain.from_iterable(ordered[start : start + _INSERT_ROWS]))
            inserted += connection.exec_driver_sql(self._insert_many, values).rowcount
        if rest := ordered[whole:]:
            inserted += connection.exec_driver_sql(self._insert, rest).rowcount
        return inserted

    def find_rows(self, connection: Connection, rows: Sequence[SignalRow]) -> list[SignalRow | None]:
        with translate_driver_errors(sqlite3.Error):
            driver = _driver(connection)
            return [driver.execute(self._row, row[:3]).fetchone() for row in rows]

    def check_order(self, connection: Connection, rows: Sequence[SignalRow]) -> None:
        """Holds always: the write lock is held from before the ids of envelopes are reserved."""


@lru_cache(maxsize=32)
def _as_json(query: Select[*tuple[Any, ...]]) -> Select[str]:
    rows = query.subquery()
    return select(func.json_group_array(func.json_array(*rows.c)))


def _driver(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection beneath `connection`, in the same transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - this dialect's engine has no other
    return driver


def _on_connect(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # sqlite3 begins no transactions by itself
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _on_begin(connection: Connection) -> None:
    if not connection.get_execution_options().get("sesame_writes"):
        connection.exec_driver_sql("BEGIN")
        return
    with translate_driver_errors(sqlite3.Error):
        sqlite_lock.begin(_driver(connection), connection.engine.url.database)
