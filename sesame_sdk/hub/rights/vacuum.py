"""Getting what was deleted out of the files too. All that is particular to a database product here.

A deleted row is out of reach, but not out of the file. On SQLite ``secure_delete`` writes zeros over it;
what it cannot find are copies that a page was left with when an earlier row moved, about one person's
in two thousand. On PostgreSQL deleted rows stay until their page is vacuumed and used again. So from
time to time the files are written anew. That takes as long as copying them, and writers wait.
"""

from contextlib import closing

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.exc import DBAPIError

from sesame_sdk.errors import ConfigurationError, RetryableError
from sesame_sdk.hub.rights.personal_data_map import OTHERWISE, rows_of

#: The person does not matter: only the names of the tables are asked for.
_TABLES: tuple[Table, ...] = (*rows_of(0), *OTHERWISE)
_FORGET = text("DELETE FROM pg_catalog.pg_statistic WHERE starelid = CAST(:name AS regclass)")
_MEND = "run it again when less is going on"


def scrub(engine: Engine) -> None:
    """Write the database's files anew, without what was deleted.

    Raises:
        RetryableError: somebody reads or writes for so long that it cannot be done now.
        ConfigurationError: a database product that this does not know how to do on.
    """
    ways = {"sqlite": _scrub_sqlite, "postgresql": _scrub_postgresql}
    if engine.dialect.name not in ways:
        raise ConfigurationError(f"{engine.dialect.name} cannot be scrubbed", field="database")
    ways[engine.dialect.name](engine)


def _scrub_sqlite(engine: Engine) -> None:
    # Not through SQLAlchemy, for which each statement stands in a transaction, and VACUUM may not.
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        try:
            cursor.execute("VACUUM")
            # What readers still look at stays in the log, with the pages of before.
            blocked = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except engine.dialect.loaded_dbapi.OperationalError as error:
            raise RetryableError(f"cannot be written anew: {error}", field="database", hint=_MEND) from error
    if blocked:
        raise RetryableError("a reader holds on to the write-ahead log", field="database", hint=_MEND)


def _scrub_postgresql(engine: Engine) -> None:
    """Needs the rights of a superuser: it looks after the whole server's log."""
    quoted = engine.dialect.identifier_preparer.format_table
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            for table in _TABLES:
                # The planner keeps common values of columns, a pseudonym for one. It is given others; those
                # of a table that has become empty it would keep.
                connection.execute(_FORGET, {"name": quoted(table)})
                connection.execute(text(f"VACUUM (FULL, ANALYZE) {quoted(table)}"))
            connection.execute(text("VACUUM FULL pg_catalog.pg_statistic"))
            _end_segment(connection)
            connection.execute(text("CHECKPOINT"))
            # The server keeps segments that it needs no more, with what is in them, to write the next ones
            # over them. So it is made to: one that ends is filled up with zeros.
            kept = connection.scalar(text("SELECT count(*) FROM pg_ls_waldir()")) or 0
            for _ in range(kept):
                _end_segment(connection)
            connection.execute(text("CHECKPOINT"))
        except DBAPIError as error:
            raise RetryableError(
                f"cannot be written anew: {error.orig}", field="database", hint=_MEND
            ) from error


def _end_segment(connection: Connection) -> None:
    # One that nothing was written to does not end.
    connection.execute(text("SELECT pg_logical_emit_message(false, 'scrub', '')"))
    connection.execute(text("SELECT pg_switch_wal()"))
