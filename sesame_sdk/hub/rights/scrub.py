"""Getting what was deleted out of the files too. All that is particular to a database product here.

A deleted row is out of reach, but not out of the file. On SQLite ``secure_delete`` writes zeros over it;
what it cannot find are copies that a page was left with when an earlier row moved, about one person's
in two thousand. On PostgreSQL deleted rows stay until their page is vacuumed and used again. So from
time to time the files are written anew. That takes as long as copying them, and writers wait.
"""

from contextlib import closing

from sqlalchemy import Engine, Table, text
from sqlalchemy.exc import DBAPIError

from sesame_sdk.errors import Misconfigured, Retryable
from sesame_sdk.hub.rights.holdings import OTHERWISE, rows_of

#: The person does not matter: only the names of the tables are asked for.
_TABLES: tuple[Table, ...] = (*rows_of(0), *OTHERWISE)
_MEND = "run it again when less is going on"


def scrub(engine: Engine) -> None:
    """Write the database's files anew, without what was deleted.

    Raises:
        Retryable: somebody reads or writes for so long that it cannot be done now.
        Misconfigured: a database product that this does not know how to do on.
    """
    ways = {"sqlite": _scrub_sqlite, "postgresql": _scrub_postgresql}
    if engine.dialect.name not in ways:
        raise Misconfigured(f"{engine.dialect.name} cannot be scrubbed", field="database")
    ways[engine.dialect.name](engine)


def _scrub_sqlite(engine: Engine) -> None:
    # Not through SQLAlchemy, for which each statement stands in a transaction, and VACUUM may not.
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        try:
            cursor.execute("VACUUM")
            # What readers still look at stays in the log, with the pages of before.
            blocked = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except engine.dialect.loaded_dbapi.OperationalError as error:
            raise Retryable(f"cannot be written anew: {error}", field="database", mend=_MEND) from error
    if blocked:
        raise Retryable("a reader holds on to the write-ahead log", field="database", mend=_MEND)


def _scrub_postgresql(engine: Engine) -> None:
    """Needs the rights of the tables' owner, of pg_checkpoint, and to run pg_switch_wal."""
    quoted = engine.dialect.identifier_preparer.format_table
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            for table in _TABLES:
                connection.execute(text(f"VACUUM FULL {quoted(table)}"))
            # What the log held of the rows is in a segment that now ends, and that the checkpoint lets go of.
            connection.execute(text("SELECT pg_switch_wal()"))
            connection.execute(text("CHECKPOINT"))
        except DBAPIError as error:
            raise Retryable(f"cannot be written anew: {error.orig}", field="database", mend=_MEND) from error
