"""The engine, and all that is particular to a database product.

On SQLite: WAL, so that readers never wait for the writer; ``synchronous=FULL``, so that what was
acknowledged survives a power cut; transactions begun by us, since the driver's own habit of beginning
late breaks savepoints; a writer takes the lock at once instead of finding half-way that it may not.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Insert,
    Select,
    Table,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, FromClause, Join
from sqlalchemy.sql.compiler import SQLCompiler

from sesame_sdk.errors import Misconfigured, Retryable
from sesame_sdk.hub import feed_schema
from sesame_sdk.hub.rights import schema as rights_schema

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


def open_engine(url: str) -> Engine:
    """An engine for the ledger at `url`, with its tables made where they are missing.

    Raises:
        Misconfigured: the URL is not one, or the database cannot be opened.
    """
    try:
        kind = make_url(url).get_backend_name()
        if kind != "sqlite":
            raise Misconfigured(
                f"{kind} is not supported yet", field="database", mend="use sqlite:///hub.sqlite"
            )
        # Parameters hold people's data, so no error message may show them.
        engine = create_engine(url, hide_parameters=True, pool_size=4, max_overflow=_POOL)
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        with writing(engine) as connection, connection.begin():
            for table in (feed_schema.told, rights_schema.disputes):
                table.metadata.create_all(connection)  # of every table: there is one metadata
    except SQLAlchemyError as error:
        why = getattr(error, "orig", None) or type(error).__name__
        mend = "look at its folder: is it there, writable, and a hub's?"
        raise Misconfigured(f"cannot be opened: {why}", field=f"database {url}", mend=mend) from error
    return engine


def writing(engine: Engine) -> Connection:
    """A connection whose transactions hold the write lock from their first moment."""
    return engine.connect().execution_options(sesame_begin="BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the ledger; what it puts in temporary tables goes with it."""
    with engine.connect() as connection:
        yield connection
        connection.rollback()


def bare_sql(engine: Engine, statement: ClauseElement) -> str:
    """`statement` in the words and with the placeholders of the database, for `Connection.exec_driver_sql`.

    Rows then go to the driver as they are: SQLAlchemy's own preparation of a row costs more than
    SQLite's insertion of it.
    """
    return str(statement.compile(engine))


def insert_or_replace(table: Table, where: ColumnElement[bool]) -> Insert:
    """An INSERT that replaces a row of the same key where `where` holds of it, and else leaves it alone.

    PostgreSQL says it in the same words.
    """
    statement = sqlite.insert(table)
    rest = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=rest, where=where)


class _OrderedJoin(Join):
    """An inner join whose left side is read first."""

    inherit_cache = True


def in_order(first: FromClause, *then: tuple[FromClause, ColumnElement[bool]]) -> FromClause:
    """Inner joins that SQLite must follow from left to right; each table comes with its condition.

    It keeps no statistics of what is in a temporary table, and left to itself may begin with the largest
    table and read all of it. Elsewhere the planner knows better, and this is a plain join.
    """
    for table, condition in then:
        first = _OrderedJoin(first, table, condition)
    return first


@compiles(_OrderedJoin, "sqlite")
def _cross_join(join: Join, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as the hook has it
    left, right = (compiler.process(side, **options | {"asfrom": True}) for side in (join.left, join.right))
    assert join.onclause is not None  # noqa: S101 - in_order gives one to each
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.onclause, **options)}"


def create_temporary_view(connection: Connection, name: str, chosen: Select[*tuple[Any, ...]]) -> None:
    """Make a view that lives as long as the connection, unless it is there already."""
    text = str(chosen.compile(connection.engine, compile_kwargs={"literal_binds": True}))
    connection.exec_driver_sql(f"CREATE TEMPORARY VIEW IF NOT EXISTS {name} AS {text}")


def ensure_in_transaction(connection: Connection) -> None:
    """Pass if what was done on `connection` since it began can still be committed.

    Raises:
        Retryable: the database undid it by itself, as SQLite does when the disk is full; a commit would
            then succeed and keep nothing.
    """
    if not driver_connection(connection).in_transaction:
        raise Retryable("the database undid the transaction", field="database")


def driver_connection(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection beneath `connection`, in the same transaction."""
    found = connection.connection.driver_connection
    if not isinstance(found, sqlite3.Connection):
        raise Misconfigured("scores are computed in SQLite only, so far", field="database")
    return found


def _on_connect(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # sqlite3's: we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sesame_begin", "BEGIN"))
