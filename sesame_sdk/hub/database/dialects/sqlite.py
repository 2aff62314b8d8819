"""SQLite, in a file beside the hub.

In WAL mode, so that readers never wait for the writer; with ``synchronous=FULL``, so that what was
acknowledged survives a power cut; transactions begun by us, since the driver's own habit of beginning late
breaks savepoints; a writer takes the lock at once instead of finding half-way that it may not.
"""

import csv
import io
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import date
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import IO, Any

from attrs import frozen
from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Select,
    Table,
    and_,
    bindparam,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

from sesame_sdk.errors import RetryableError
from sesame_sdk.hub.database.dialects import sqlite_lock
from sesame_sdk.hub.database.dialects.base import (
    JsonFunctions,
    LockScope,
    ScorePart,
    SignalRow,
    TemporaryRelations,
    translate_driver_errors,
)
from sesame_sdk.model import codec
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring import engines

#: How the ledger's table is tuned; the benchmark's rival gets the same.
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 15000",
    "PRAGMA cache_size = -65536",  # 64 MiB
    "PRAGMA temp_store = MEMORY",
    # Signals of one envelope fall on as many pages as it names people. A checkpoint that waits for
    # 20,000 pages writes each once, where one every 1,000 pages writes most of them again and again.
    "PRAGMA wal_autocheckpoint = 20000",
    # What is deleted is written over with zeros. Switched on only to erase, it would not find the copies
    # that pages were left with when rows moved before: see `rights.scrub`.
    "PRAGMA secure_delete = ON",
)
#: More threads than the web framework has.
_POOL = 64
#: Rows of one statement. The driver lets go of the interpreter's lock for each, and has to get it back
#: from threads that verify: row by row, that took longer than the inserting.
_AT_ONCE = 250
_by_person = itemgetter(0)
_read_rows = codec.decoder(list[tuple[Any, ...]]).decode


@frozen
class SqliteDialect:
    """A `DatabaseDialect`."""

    json = JsonFunctions("json_each", "json_array", "json_group_array")
    concurrent_writes = False

    def open(self, url: URL) -> Engine:
        """See `DatabaseDialect`."""
        # Parameters hold people's data, so no error message may show them.
        engine = create_engine(url, hide_parameters=True, pool_size=4, max_overflow=_POOL)
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        return engine

    def write_connection(self, engine: Engine) -> Connection:
        """Its transactions hold the write lock from their first moment."""
        return engine.connect().execution_options(sesame_writes=True)

    @contextmanager
    def read_transaction(self, engine: Engine) -> Iterator[Connection]:
        """See `DatabaseDialect`."""
        with engine.connect() as connection:
            yield connection
            connection.rollback()

    def lock(self, connection: Connection, scope: LockScope) -> None:
        """Nobody else writes anyway."""

    def acquire_leader_lock(self, engine: Engine) -> "SqliteLeaderLock | None":
        """By a lock on a file beside the ledger's, which the system gives back when its process dies."""
        try:
            connection = sqlite3.connect(
                f"{engine.url.database}-streams", timeout=0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.OperationalError:  # no space for another file
            return None
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            connection.close()
            return None
        return SqliteLeaderLock(connection)

    def ensure_in_transaction(self, connection: Connection) -> None:
        """See `DatabaseDialect`."""
        if not _driver(connection).in_transaction:
            raise RetryableError("the database undid the transaction", field="database")

    def reserve_ids(self, connection: Connection, column: Column[int], count: int) -> Sequence[int]:
        """Ours alone while we hold the write lock."""
        last: int = connection.scalar(select(func.coalesce(func.max(column), 0))) or 0
        return range(last + 1, last + 1 + count)

    def fetch_rows(
        self, connection: Connection, chosen: Select[*tuple[Any, ...]], parameters: Mapping[str, object]
    ) -> list[Sequence[Any]]:
        """As JSON in one row: for each the driver lets go of the interpreter's lock, and waits for it."""
        told = connection.scalar(_in_one_row(chosen), parameters)
        found: list[Sequence[Any]] = _read_rows(told or "[]")
        return found

    def insert(self, table: Table) -> sqlite.Insert:
        """See `DatabaseDialect`."""
        return sqlite.insert(table)

    def signal_table(
        self, engine: Engine, table: Table, envelopes: Table, void: Select[int]
    ) -> "SqliteSignalTable":
        """See `DatabaseDialect`."""
        return SqliteSignalTable(engine, table, envelopes, void)

    def prepare(self, connection: Connection, relations: TemporaryRelations) -> None:
        """See `DatabaseDialect`."""
        making = relations.create_statements(connection.dialect, "CREATE TEMPORARY VIEW IF NOT EXISTS")
        for statement in (*making, *relations.delete_statements()):
            connection.exec_driver_sql(statement)

    def analyze(self, connection: Connection, table: Table) -> None:
        """It keeps to the order that `database.ordered_join` says, whatever the sizes."""

    def prefer_indexes(self, connection: Connection) -> AbstractContextManager[None]:  # noqa: ARG002
        """It looks by index wherever there is one."""
        return nullcontext()

    def write_csv(self, connection: Connection, chosen: Select[*tuple[Any, ...]], file: IO[bytes]) -> None:
        """See `DatabaseDialect`."""
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        with closing(_driver(connection).execute(str(chosen.compile(connection.engine)))) as rows:
            csv.writer(text).writerows(rows)
        text.detach()

    def score(
        self, connection: Connection, policy: Policy, as_of: date, *, reasons: bool
    ) -> Iterable[ScorePart]:
        """See `DatabaseDialect`."""
        with translate_driver_errors(sqlite3.Error):
            return engines.score_batch_in_sqlite(_driver(connection), policy, as_of, reasons=reasons)


@frozen
class SqliteLeaderLock:
    """A `Lead`."""

    _connection: sqlite3.Connection

    def is_held(self) -> bool:
        """As long as the process lives."""
        return True

    def release(self) -> None:
        """See `Lead`."""
        self._connection.close()


class SqliteSignalTable:
    """A `SignalTable`, written with statements of many rows."""

    def __init__(self, engine: Engine, table: Table, envelopes: Table, void: Select[int]) -> None:
        statement = sqlite.insert(table)
        rest = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
        key = [*table.primary_key]
        upsert = statement.on_conflict_do_update(
            index_elements=key, set_=rest, where=table.c.envelope.in_(void)
        )
        self._insert = str(upsert.compile(engine))
        one = "(" + ", ".join("?" * len(table.c)) + ")"
        self._insert_many = self._insert.replace(one, ", ".join([one] * _AT_ONCE))
        this_one = and_(*(column == bindparam(None) for column in key))
        origin = select(table.c.envelope, envelopes.c.kid).outerjoin(
            envelopes, envelopes.c.id == table.c.envelope
        )
        self._origin = str(origin.where(this_one).compile(engine))

    def insert(self, connection: Connection, rows: Iterable[SignalRow]) -> int:
        """See `SignalTable`."""
        # By person, as the table is: each of its pages is then visited once.
        ordered = sorted(rows, key=_by_person)
        whole = len(ordered) // _AT_ONCE * _AT_ONCE
        inserted = 0
        for start in range(0, whole, _AT_ONCE):
            values = tuple(chain.from_iterable(ordered[start : start + _AT_ONCE]))
            inserted += connection.exec_driver_sql(self._insert_many, values).rowcount
        if rest := ordered[whole:]:
            inserted += connection.exec_driver_sql(self._insert, rest).rowcount
        return inserted

    def find_origins(self, connection: Connection, rows: Sequence[SignalRow]) -> list[tuple[int, str | None]]:
        """See `SignalTable`."""
        found = [connection.exec_driver_sql(self._origin, row[:3]).one() for row in rows]
        return [(origin.envelope, origin.kid) for origin in found]


@lru_cache(maxsize=32)
def _in_one_row(chosen: Select[*tuple[Any, ...]]) -> Select[str]:
    rows = chosen.subquery()
    return select(func.json_group_array(func.json_array(*rows.c)))


def _driver(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection beneath `connection`, in the same transaction."""
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)  # noqa: S101 - this product's engine has no other
    return found


def _on_connect(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # sqlite3's: we begin transactions ourselves
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
