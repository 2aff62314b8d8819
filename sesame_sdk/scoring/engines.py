"""Runs the one SQL text: on SQLite and PostgreSQL beside a ledger, and on DuckDB over Parquet."""

import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.model import codec
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.scorecard import POLICY_COLUMNS, SCORE_SQL, SUMS_SQL, policy_rows

if TYPE_CHECKING:
    import duckdb
    import psycopg

#: (subject, kind, hundredths); kind '' is the bounded total.
Row = tuple[Any, str, int]
#: (subject, partner, kind, micropoints).
Sum = tuple[Any, Any, str, float]

_AT_ONCE = 10_000
_TOTALS = " WHERE kind = ''"
_read_parts = codec.decoder(list[tuple[int, str, float]]).decode
_SUMS = f"""{SUMS_SQL}
SELECT s.subject, s.partner, p.kind, s.micropoints FROM by_partner s JOIN policy p ON p.place = s.place
"""  # noqa: S608 - both are constants


def score_in_sqlite(connection: sqlite3.Connection, policy: Policy, as_of: date) -> Iterator[Row]:
    """Score everybody in `counted`, a table or view (temporary or not) that the caller has made.

    Adds nothing to the database and opens no transaction: the policy is a temporary table that goes when
    the rows are read or the iterator is closed. One scoring at a time on a connection.
    """
    with _beside(connection, policy, as_of), closing(connection.execute(SCORE_SQL)) as cursor:
        yield from _whole(cursor)


def score_at_once_in_sqlite(
    connection: sqlite3.Connection, policy: Policy, as_of: date, *, reasons: bool
) -> list[Row]:
    """The same for as many people as fit in memory, in one row of JSON.

    For each row that it fetches the driver lets go of the interpreter's lock, and has to win it back from
    whoever computes meanwhile: a thousand scores then wait a thousand times.
    """
    text = _at_once(reasons=reasons)
    with _beside(connection, policy, as_of), closing(connection.execute(text)) as cursor:
        (told,) = cursor.fetchone()
    return [(subject, kind, int(hundredths)) for subject, kind, hundredths in _read_parts(told)]


def _at_once(*, reasons: bool) -> str:
    rows = "SELECT json_group_array(json_array(subject, kind, hundredths))"
    return f"{rows} FROM ({SCORE_SQL}){'' if reasons else _TOTALS}"


def sums_in_sqlite(connection: sqlite3.Connection, policy: Policy, as_of: date) -> list[Sum]:
    """What each partner's signals of a kind are worth before any cap: the first half of the same text.

    Args:
        connection: with `counted`, as for `score_in_sqlite`.
        policy: how the score is made.
        as_of: the day.

    Returns:
        (subject, partner, kind, micropoints), in no order.
    """
    with _beside(connection, policy, as_of):
        return connection.execute(_SUMS).fetchall()


@contextmanager
def _beside(connection: sqlite3.Connection, policy: Policy, as_of: date) -> Iterator[None]:
    """The policy as a temporary table, for as long as it is needed."""
    register_functions(connection)
    rows = policy_rows(policy, as_of)
    # CREATE .. AS, since an INSERT would make sqlite3 open a transaction behind the caller's back.
    connection.execute("DROP TABLE IF EXISTS temp.policy")
    connection.execute(f"CREATE TEMP TABLE policy AS {_selected(rows)}", [*chain.from_iterable(rows)])
    try:
        yield
    finally:
        connection.execute("DROP TABLE temp.policy")


def score_in_postgresql(
    connection: "psycopg.Connection[tuple[Any, ...]]", policy: Policy, as_of: date, *, reasons: bool = True
) -> Iterator[Row]:
    """Score everybody in `counted`, a view that the caller has made, within the caller's transaction.

    Adds nothing to the database: the policy is a temporary table that is emptied when the transaction ends.
    """
    rows = policy_rows(policy, as_of)
    columns = ", ".join(f"{name} {'text' if name == 'kind' else 'float8'}" for name in POLICY_COLUMNS)
    places = ", ".join(["%s"] * len(POLICY_COLUMNS))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS policy ({columns}) ON COMMIT DELETE ROWS")
        cursor.execute("DELETE FROM policy")
        cursor.executemany(f"INSERT INTO policy VALUES ({places})", rows)  # noqa: S608 - placeholders only
        cursor.execute(f"SELECT * FROM ({SCORE_SQL}) AS scored{'' if reasons else _TOTALS}")  # noqa: S608
        yield from _whole(cursor)


def register_functions(connection: sqlite3.Connection) -> None:
    """Give a SQLite that was built without them the two functions that the text asks for."""
    for name, function in (("EXP", math.exp), ("FLOOR", lambda number: float(math.floor(number)))):
        try:
            connection.execute(f"SELECT {name}(0.0)").fetchone()
        except sqlite3.OperationalError:
            connection.create_function(name, 1, function, deterministic=True)


def score_parquet(
    path: Path | str, policy: Policy, as_of: date, *, threads: int | None = None
) -> Iterator[Row]:
    """Score everybody in a Parquet file, or in all that match a glob, with the columns of `counted`.

    Raises:
        ConfigurationError: the `hub` extra, which brings DuckDB, is not installed.
        InvalidInputError: no such file, or not one with these columns.
    """
    with _duckdb().connect(config={"threads": threads} if threads else {}) as connection:
        bind_parquet(connection, path, policy, as_of)
        yield from _whole(connection.execute(SCORE_SQL))


def bind_parquet(
    connection: "duckdb.DuckDBPyConnection", path: Path | str, policy: Policy, as_of: date
) -> None:
    """Make `counted` of Parquet and `policy` of the policy, for the caller to run the text on its connection.

    So the rows can go straight into a table or a file, without passing through Python.
    """
    rows = policy_rows(policy, as_of)
    named = f"CREATE OR REPLACE TEMP TABLE policy AS {_selected(rows)}"
    try:
        connection.read_parquet(str(path)).create_view("counted", replace=True)
        connection.execute(named, [*chain.from_iterable(rows)])
        connection.execute(f"EXPLAIN {SCORE_SQL}")
    except _duckdb().Error as error:
        hint = "give Parquet with subject, partner, kind, value and occurred_at in microseconds"
        raise InvalidInputError("cannot be read as signals", field="path", hint=hint) from error


def _selected(rows: list[tuple[str | float, ...]]) -> str:
    """A SELECT that gives `rows` as parameters, under the names of `POLICY_COLUMNS`."""
    named = ", ".join(f"? AS {column}" for column in POLICY_COLUMNS)
    return " UNION ALL ".join([f"SELECT {named}"] * len(rows))


def _whole(cursor: Any) -> Iterator[Row]:  # noqa: ANN401 - a cursor of any engine
    def batches() -> Iterable[list[tuple[Any, str, float]]]:
        return iter(lambda: cursor.fetchmany(_AT_ONCE), [])

    return ((subject, kind, int(hundredths)) for batch in batches() for subject, kind, hundredths in batch)


def _duckdb() -> Any:  # noqa: ANN401 - a module
    try:
        import duckdb
    except ImportError as error:
        hint = "pip install sesame-sdk[hub]"
        raise ConfigurationError("DuckDB is not installed", field="score_parquet", hint=hint) from error
    return duckdb
