"""Runs the scoring SQL: on SQLite or PostgreSQL beside a ledger, on DuckDB over Parquet or arrays.

For hypothetical people their signals are put into a SQLite database in memory.
"""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.model import codec
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.scorecard import POLICY_COLUMNS, SCORE_SQL, SUMS_SQL, build_policy_rows

if TYPE_CHECKING:
    import duckdb
    import psycopg

#: (subject, kind, hundredths); kind '' is the bounded total.
Row = tuple[Any, str, int]
#: (subject, partner, kind, micropoints).
Sum = tuple[Any, Any, str, float]

_BATCH_ROWS = 10_000
_TOTALS = " WHERE kind = ''"
_decode_parts = codec.decoder(list[tuple[int, str, float]]).decode
_SUMS = f"""{SUMS_SQL}
SELECT s.subject, s.partner, p.kind, s.micropoints FROM by_partner s JOIN policy p ON p.place = s.place
"""  # noqa: S608 - both are constants


def score_in_sqlite(connection: sqlite3.Connection, policy: Policy, as_of: date) -> Iterator[Row]:
    """Score every person in `counted`, a table or view that the caller has created.

    Adds nothing to the database and opens no transaction: the policy is a temporary table that is dropped
    when the rows are read or the iterator is closed. One scoring at a time on a connection.
    """
    with _policy_table(connection, policy, as_of), closing(connection.execute(SCORE_SQL)) as cursor:
        yield from _rows(cursor)


def score_batch_in_sqlite(
    connection: sqlite3.Connection, policy: Policy, as_of: date, *, reasons: bool
) -> list[Row]:
    """The same for as many people as fit in memory, in one row of JSON.

    The driver releases the interpreter's lock for each row that it fetches, and waits for it again: while
    other threads run, a thousand rows wait a thousand times.
    """
    rows = "SELECT json_group_array(json_array(subject, kind, hundredths))"
    text = f"{rows} FROM ({SCORE_SQL}){'' if reasons else _TOTALS}"
    with _policy_table(connection, policy, as_of), closing(connection.execute(text)) as cursor:
        (parts,) = cursor.fetchone()
    return [(subject, kind, int(hundredths)) for subject, kind, hundredths in _decode_parts(parts)]


def sum_by_partner_in_sqlite(connection: sqlite3.Connection, policy: Policy, as_of: date) -> list[Sum]:
    """What each partner's signals of a kind are worth before any cap, in no order."""
    with _policy_table(connection, policy, as_of):
        return connection.execute(_SUMS).fetchall()


@contextmanager
def _policy_table(connection: sqlite3.Connection, policy: Policy, as_of: date) -> Iterator[None]:
    register_functions(connection)
    rows = build_policy_rows(policy, as_of)
    # CREATE .. AS, since sqlite3 would open a transaction for an INSERT.
    connection.execute("DROP TABLE IF EXISTS temp.policy")
    connection.execute(f"CREATE TEMP TABLE policy AS {_selected(rows)}", [*chain.from_iterable(rows)])
    try:
        yield
    finally:
        connection.execute("DROP TABLE temp.policy")


def score_in_postgresql(
    connection: "psycopg.Connection[tuple[Any, ...]]", policy: Policy, as_of: date, *, reasons: bool = True
) -> Iterator[Row]:
    """Score every person in `counted`, a view that the caller has created, in the caller's transaction."""
    rows = build_policy_rows(policy, as_of)
    columns = ", ".join(f"{name} {'text' if name == 'kind' else 'float8'}" for name in POLICY_COLUMNS)
    places = ", ".join(["%s"] * len(POLICY_COLUMNS))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS policy ({columns}) ON COMMIT DELETE ROWS")
        cursor.execute("DELETE FROM policy")
        cursor.executemany(f"INSERT INTO policy VALUES ({places})", rows)  # noqa: S608 - placeholders only
        cursor.execute(f"SELECT * FROM ({SCORE_SQL}) AS scored{'' if reasons else _TOTALS}")  # noqa: S608
        yield from _rows(cursor)


def register_functions(connection: sqlite3.Connection) -> None:
    """Define EXP and FLOOR in a SQLite that was built without them."""
    for name, function in (("EXP", math.exp), ("FLOOR", lambda number: float(math.floor(number)))):
        try:
            connection.execute(f"SELECT {name}(0.0)").fetchone()
        except sqlite3.OperationalError:
            connection.create_function(name, 1, function, deterministic=True)


def score_parquet(
    path: Path | str, policy: Policy, as_of: date, *, threads: int | None = None
) -> Iterator[Row]:
    """Score every person in a Parquet file, or in all that match a glob, with the columns of `counted`."""
    with _duckdb().connect(config={"threads": threads} if threads else {}) as connection:
        bind_parquet(connection, path, policy, as_of)
        yield from _rows(connection.execute(SCORE_SQL))


def bind_parquet(
    connection: "duckdb.DuckDBPyConnection", path: Path | str, policy: Policy, as_of: date
) -> None:
    """Bind `counted` to Parquet and `policy` to the policy, for `SCORE_SQL` whose rows bypass Python."""
    try:
        connection.read_parquet(str(path)).create_view("counted", replace=True)
        _bind_policy(connection, policy, as_of)
        connection.execute(f"EXPLAIN {SCORE_SQL}")
    except _duckdb().Error as error:
        hint = "use Parquet with subject, partner, kind, value and occurred_at in microseconds"
        raise InvalidInputError("cannot be read as signals", field="path", hint=hint) from error


def bind_columns(
    connection: "duckdb.DuckDBPyConnection",
    columns: Mapping[str, Any],
    kinds: Sequence[str],
    policy: Policy,
    as_of: date,
) -> None:
    """Bind `counted` to arrays in memory, such as an audit's simulated signals, and `policy` to the policy.

    `columns` are numpy arrays of one length, for the columns of `counted`; `kind` is an index in `kinds`.
    """
    _bind_policy(connection, policy, as_of)
    connection.execute("CREATE OR REPLACE TEMP TABLE kinds (kind INTEGER, name TEXT)")
    connection.executemany("INSERT INTO kinds VALUES (?, ?)", [*enumerate(kinds)])
    connection.register("numbered", dict(columns))
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW counted AS SELECT subject, partner, name AS kind, value, occurred_at "
        "FROM numbered JOIN kinds USING (kind)"
    )


def _bind_policy(connection: "duckdb.DuckDBPyConnection", policy: Policy, as_of: date) -> None:
    rows = build_policy_rows(policy, as_of)
    table = f"CREATE OR REPLACE TEMP TABLE policy AS {_selected(rows)}"
    connection.execute(table, [*chain.from_iterable(rows)])


def _selected(rows: list[tuple[str | float, ...]]) -> str:
    """A SELECT of `rows` as parameters, under the names of `POLICY_COLUMNS`."""
    named = ", ".join(f"? AS {column}" for column in POLICY_COLUMNS)
    return " UNION ALL ".join([f"SELECT {named}"] * len(rows))


def _rows(cursor: Any) -> Iterator[Row]:  # noqa: ANN401 - a cursor of any engine
    batches = iter(lambda: cursor.fetchmany(_BATCH_ROWS), [])
    return ((subject, kind, int(hundredths)) for batch in batches for subject, kind, hundredths in batch)


def _duckdb() -> Any:  # noqa: ANN401 - a module
    try:
        import duckdb
    except ImportError as error:
        hint = "pip install sesame-sdk[hub]"
        raise ConfigurationError("DuckDB is not installed", field="score_parquet", hint=hint) from error
    return duckdb


class CountedSignal(NamedTuple):
    """A signal of one person that counts; `occurred_at` is in microseconds since 1970, UTC."""

    partner: str
    kind: str
    value: float
    occurred_at: int


def score_by_kind(signals: Iterable[CountedSignal], policy: Policy, as_of: date) -> dict[str, int]:
    """Hundredths of a point by kind, the bounded total under ''; empty if there is no score."""
    with _counted(signals) as connection:
        return {kind: hundredths for _, kind, hundredths in score_in_sqlite(connection, policy, as_of)}


def sum_by_partner(
    signals: Iterable[CountedSignal], policy: Policy, as_of: date
) -> dict[str, dict[str, int]]:
    """Micropoints by kind and partner, before any cap."""
    sums: dict[str, dict[str, int]] = {}
    with _counted(signals) as connection:
        for _, partner, kind, micropoints in sum_by_partner_in_sqlite(connection, policy, as_of):
            sums.setdefault(kind, {})[partner] = int(micropoints)
    return sums


@contextmanager
def _counted(signals: Iterable[CountedSignal]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE counted (subject INTEGER, partner TEXT, kind TEXT, value REAL, occurred_at INTEGER)"
        )
        connection.execute("BEGIN")  # in memory, and never committed
        connection.executemany("INSERT INTO counted VALUES (0, ?, ?, ?, ?)", signals)
        yield connection
