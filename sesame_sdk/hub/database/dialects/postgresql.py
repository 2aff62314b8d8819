"""The PostgreSQL dialect, for several workers and machines that write concurrently.

Advisory locks, one for the ledger and one for its streams, give what SQLite's one write lock gives. They end
with their transaction:

| scope | ledger | streams | transactions |
| --- | --- | --- | --- |
| `LockScope.SHARED` | shared | | envelopes, reads |
| `LockScope.STREAMS` | shared | alone | that create, fetch and acknowledge messages |
| `LockScope.EXCLUSIVE` | alone | | that change grants, keys, registrations, policies |

So a grant that was read for an envelope is still valid when the envelope is on disk.

Signals go by binary COPY into a temporary table, and from there into `signals` in the order of its key, so
that two workers with the same rows cannot deadlock.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from operator import itemgetter
from typing import IO, TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import URL, Column, Connection, Engine, Select, Table, create_engine, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError

from sesame_sdk.errors import ConfigurationError, RetryableError
from sesame_sdk.hub.database.dialects.base import (
    ConcurrentWriteError,
    JsonFunctions,
    LeaderLock,
    LockScope,
    ScorePart,
    SignalRow,
    TemporaryRelations,
    translate_driver_errors,
)
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring import engines

if TYPE_CHECKING:
    import psycopg

#: The ids of the advisory locks, the same for every process that shares a database.
_LEDGER, _STREAMS, _LEAD = 0x5E5A3E01, 0x5E5A3E02, 0x5E5A3E03
_LOCKS = {
    LockScope.SHARED: f"SELECT pg_advisory_xact_lock_shared({_LEDGER})",
    LockScope.STREAMS: f"SELECT pg_advisory_xact_lock_shared({_LEDGER}), pg_advisory_xact_lock({_STREAMS})",
    LockScope.EXCLUSIVE: f"SELECT pg_advisory_xact_lock({_LEDGER})",
}
#: Settings of every session.
_SETTINGS = {
    # Milliseconds to wait for a lock, as on SQLite.
    "lock_timeout": 15_000,
    "idle_in_transaction_session_timeout": 60_000,
    "timezone": "UTC",
    # The planner compiles plans with a high cost, such as those of `prefer_indexes`: a second for one score.
    "jit": "off",
}
#: Plans that read whole tables.
_FULL_SCAN_PLANS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
_POOL = 64
#: A row of COPY ... (FORMAT BINARY): the count of fields, and a length before each.
_FIELDS = struct.Struct(">hiqiqi10siiidiqiqiq")
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_by_key = itemgetter(0, 1, 2)


class _PostgresqlDialect:
    json = JsonFunctions("json_array_elements_text", "json_build_array", "json_agg")
    concurrent_writes = True

    def open(self, url: URL) -> Engine:
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        try:
            engine = create_engine(
                url.set(drivername="postgresql+psycopg"),
                hide_parameters=True,
                pool_size=4,
                max_overflow=_POOL,
                pool_pre_ping=True,  # no errors after the database was restarted
                paramstyle="format",
                connect_args={"connect_timeout": 10, "options": options, "application_name": "sesame-hub"},
            )
        except ModuleNotFoundError as error:
            hint = "pip install 'sesame-sdk[hub,postgresql]'"
            raise ConfigurationError(f"{error.name} is not installed", field="database", hint=hint) from error
        event.listen(engine, "rollback", _forget_relations)
        event.listen(engine, "connect", _check_session)
        event.listen(engine, "first_connect", _check_own_process)
        return engine

    def write_connection(self, engine: Engine) -> Connection:
        """Each statement sees what was committed before it, so what was committed before `lock` returned."""
        return engine.connect().execution_options(isolation_level="READ COMMITTED")

    @contextmanager
    def read_transaction(self, engine: Engine) -> Iterator[Connection]:
        """A commit empties the temporary tables; creating them takes a millisecond."""
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            yield connection
            connection.commit()

    def lock(self, connection: Connection, scope: LockScope) -> None:
        connection.exec_driver_sql(_LOCKS[scope])

    def acquire_leader_lock(self, engine: Engine) -> LeaderLock | None:
        """Take a lock of a session, which the database releases when its connection ends."""
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LEAD})").scalar():
            return _PostgresqlLeaderLock(connection)
        connection.close()
        return None

    def ensure_in_transaction(self, connection: Connection) -> None:
        """A COMMIT of a transaction that has failed undoes it, and raises nothing."""
        info = _driver(connection).info
        if info.transaction_status.name != "INTRANS":
            raise RetryableError("the database undid the transaction", field="database")

    def reserve_ids(self, connection: Connection, column: Column[int], count: int) -> Sequence[int]:
        """Take them from the column's sequence: later transactions get higher ids."""
        reserve = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
        ids = connection.exec_driver_sql(reserve, (column.table.fullname, column.name, count))
        return list(ids.scalars())

    def fetch_rows(
        self, connection: Connection, query: Select[*tuple[Any, ...]], parameters: Mapping[str, object]
    ) -> list[Sequence[Any]]:
        return [tuple(row) for row in connection.execute(query, parameters)]

    def insert(self, table: Table) -> postgresql.Insert:
        return postgresql.insert(table)

    def signal_table(self, engine: Engine, table: Table, further: Table) -> "_PostgresqlSignalTable":  # noqa: ARG002
        return _PostgresqlSignalTable(table, further)

    def prepare(self, connection: Connection, relations: TemporaryRelations) -> None:
        """They stay with the session, unless the transaction is rolled back."""
        if not connection.info.get("sesame_relations"):
            for statement in relations.create_statements(
                connection.dialect, "CREATE OR REPLACE TEMPORARY VIEW"
            ):
                connection.exec_driver_sql(statement)
            connection.info["sesame_relations"] = True
        for statement in relations.delete_statements():
            connection.exec_driver_sql(statement)

    def analyze(self, connection: Connection, table: Table) -> None:
        """Autovacuum does not analyze temporary tables, and a new one is assumed to hold a few rows."""
        connection.exec_driver_sql(f"ANALYZE {table.name}")

    @contextmanager
    def prefer_indexes(self, connection: Connection) -> Iterator[None]:
        """Otherwise the planner reads all signals for one person's score."""
        connection.exec_driver_sql(_switch_plans("off"))
        yield
        connection.exec_driver_sql(_switch_plans("on"))

    def write_csv(self, connection: Connection, query: Select[*tuple[Any, ...]], file: IO[bytes]) -> None:
        with (
            _driving(connection) as driver,
            driver.cursor() as cursor,
            cursor.copy(f"COPY ({query.compile(connection.engine)}) TO STDOUT (FORMAT csv)") as pieces,
        ):
            for piece in pieces:
                file.write(piece)

    def score(
        self, connection: Connection, policy: Policy, as_of: date, *, reasons: bool
    ) -> Iterable[ScorePart]:
        with _driving(connection) as driver:
            yield from engines.score_in_postgresql(driver, policy, as_of, reasons=reasons)


DIALECT = _PostgresqlDialect()


@frozen
class _PostgresqlLeaderLock:
    _connection: Connection

    def is_held(self) -> bool:
        try:
            self._connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            return False
        return True

    def release(self) -> None:
        """End the session: it must not go back to the pool with its lock."""
        if not self._connection.invalidated:
            self._connection.invalidate()
        self._connection.close()


class _PostgresqlSignalTable:
    """A `SignalTable`, written by COPY."""

    def __init__(self, table: Table, further: Table) -> None:
        key = ", ".join(column.name for column in table.primary_key)
        columns = ", ".join(column.name for column in table.c)
        using = f"USING ({key})"
        self._create = (
            f"CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE {table.name}) ON COMMIT DELETE ROWS"
        )
        self._insert = f"""
            INSERT INTO {table.name} ({columns}) SELECT {columns} FROM incoming ORDER BY {key}, envelope
            ON CONFLICT DO NOTHING"""  # noqa: S608 - names of our own
        keys = """unnest(%s::bigint[], %s::bigint[], %s::bytea[])
                 WITH ORDINALITY AS i (person, partner, key, place)"""
        self._rows = f"""
            SELECT {table.name}.* FROM {keys} LEFT JOIN {table.name} {using} ORDER BY i.place"""  # noqa: S608
        self._later = f"""
            SELECT 1 FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bigint[])
                          AS i (person, partner, key, own)
            JOIN {further.name} {using} WHERE envelope > own AND envelope <> ALL (%s::bigint[])
            LIMIT 1"""  # noqa: S608

    def insert(self, connection: Connection, rows: Iterable[SignalRow]) -> int:
        ordered = sorted(rows, key=_by_key)
        if not ordered:
            return 0
        with _driving(connection) as driver, driver.cursor() as cursor:
            cursor.execute(self._create)
            cursor.execute("TRUNCATE incoming")
            with cursor.copy("COPY incoming FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(_packed(ordered))
            return cursor.execute(self._insert).rowcount

    def find_rows(self, connection: Connection, rows: Sequence[SignalRow]) -> list[SignalRow | None]:
        with _driving(connection) as driver, driver.cursor() as cursor:
            stored = cursor.execute(self._rows, _key_arrays(rows)).fetchall()
        return [row if row[0] is not None else None for row in stored]

    def check_order(self, connection: Connection, rows: Sequence[SignalRow]) -> None:
        own = [row[6] for row in rows]
        arrays = (*_key_arrays(rows), own, sorted(set(own)))
        with _driving(connection) as driver, driver.cursor() as cursor:
            later = cursor.execute(self._later, arrays).fetchone()
        if later is not None:
            raise ConcurrentWriteError("another worker stored the same signal", retry_after=1)


def _key_arrays(rows: Sequence[SignalRow]) -> tuple[list[int], list[int], list[bytes]]:
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def _switch_plans(to: str) -> str:
    return "SELECT " + ", ".join(f"set_config('{plan}', '{to}', true)" for plan in _FULL_SCAN_PLANS)


def _packed(rows: Iterable[SignalRow]) -> bytes:
    pack = _FIELDS.pack
    packed = [
        pack(8, 8, person, 8, partner, 10, key, 4, kind, 8, value, 8, at, 8, envelope, 8, id_time)
        for person, partner, key, kind, value, at, envelope, id_time in rows
    ]
    return b"".join([_HEADER, *packed, _TRAILER])


def _driver(connection: Connection) -> "psycopg.Connection[tuple[Any, ...]]":
    """The driver's own connection beneath `connection`, in the same transaction."""
    return connection.connection.driver_connection  # type: ignore[return-value]


@contextmanager
def _driving(connection: Connection) -> "Iterator[psycopg.Connection[tuple[Any, ...]]]":
    """`_driver`, whose errors become SQLAlchemy's."""
    import psycopg

    with translate_driver_errors(psycopg.Error):
        yield _driver(connection)


def _check_session(driver: "psycopg.Connection[tuple[Any, ...]]", _: object) -> None:
    """Refuse a pooler that drops the settings of a session, as PgBouncer does in transaction mode.

    Temporary tables, the leader's lock and prepared statements live in the session too.
    """
    (timeout,) = driver.execute("SELECT setting FROM pg_settings WHERE name = 'lock_timeout'").fetchone() or (
        "",
    )
    driver.rollback()
    if timeout != str(_SETTINGS["lock_timeout"]):
        raise _pooler_error("ignores the settings of a session")


def _check_own_process(driver: "psycopg.Connection[tuple[Any, ...]]", _: object) -> None:
    """Refuse a pooler that gives a connection another process of the server for each transaction.

    An operator may have given the pooler the settings that `_check_session` looks for. While a connection has
    no transaction, such a pooler lends its process to the next one.
    """
    import psycopg

    with psycopg.connect(driver.info.dsn, password=driver.info.password) as second:
        before, other, after = (_server_process(one) for one in (driver, second, driver))
    if before == other or before != after:
        raise _pooler_error("shares a session among connections")


def _server_process(driver: "psycopg.Connection[tuple[Any, ...]]") -> int:
    row = driver.execute("SELECT pg_backend_pid()").fetchone()
    driver.rollback()
    return int(row[0]) if row else 0


def _pooler_error(fault: str) -> ConfigurationError:
    return ConfigurationError(
        f"{fault}, as PgBouncer does in transaction mode",
        field="database",
        hint="connect to PostgreSQL itself, or through a pooler that keeps a session to one connection",
    )


def _forget_relations(connection: Connection) -> None:
    # A broken connection has lost its session and the relations.
    if not connection.invalidated:
        connection.info.pop("sesame_relations", None)
