"""Binds the one SQL text to columns in memory: numpy arrays, such as an audit's simulated signals."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.scorecard import POLICY_COLUMNS, policy_rows

if TYPE_CHECKING:
    import duckdb

_NUMBERS = ", ".join(f"{column} DOUBLE" for column in POLICY_COLUMNS if column != "kind")
_INSERT = f"INSERT INTO policy VALUES ({', '.join('?' * len(POLICY_COLUMNS))})"  # noqa: S608 - marks only


def bind_columns(
    connection: "duckdb.DuckDBPyConnection",
    columns: Mapping[str, Any],
    kinds: Sequence[str],
    policy: Policy,
    as_of: date,
) -> None:
    """Make `counted` of arrays and `policy` of the policy, as `engines.bind_parquet` does of a file.

    Args:
        connection: a DuckDB of the caller's own.
        columns: those of `counted`, of one length; `kind` holds numbers.
        kinds: names, by number.
        policy: what is to be scored by.
        as_of: the day.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE kinds (kind INTEGER, name TEXT)")
    connection.executemany("INSERT INTO kinds VALUES (?, ?)", [*enumerate(kinds)])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE policy (kind TEXT, {_NUMBERS})")
    connection.executemany(_INSERT, policy_rows(policy, as_of))
    connection.register("numbered", dict(columns))
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW counted AS SELECT subject, partner, name AS kind, value, occurred_at "
        "FROM numbered JOIN kinds USING (kind)"
    )
