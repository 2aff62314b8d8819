"""Feeds the same signals to each engine, the way a caller would."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.engines import Row, score_in_sqlite, score_parquet
from tests.scoring.reference import Counted, start_of

TODAY = date(2026, 6, 1)
Scored = dict[tuple[int, str], int]

_SCHEMA = pa.schema(
    [
        ("subject", pa.int64()),
        ("partner", pa.int64()),
        ("kind", pa.string()),
        ("value", pa.float64()),
        ("occurred_at", pa.int64()),
    ]
)


def in_sqlite(signals: Sequence[Counted], policy: Policy, as_of: date = TODAY) -> Scored:
    """Score `signals` in a SQLite of their own."""
    with closing(sqlite3.connect(":memory:")) as connection:
        fill(connection, signals, as_of)
        return _by_key(score_in_sqlite(connection, policy, as_of))


def in_duckdb(
    signals: Sequence[Counted], policy: Policy, path: Path, *, threads: int | None = None
) -> Scored:
    """Score `signals` from a Parquet file at `path`."""
    write_parquet(signals, path)
    return _by_key(score_parquet(path, policy, TODAY, threads=threads))


def fill(connection: sqlite3.Connection, signals: Iterable[Counted], as_of: date = TODAY) -> None:
    """Make the table `counted`."""
    connection.execute(
        "CREATE TABLE counted (subject INTEGER, partner INTEGER, kind TEXT, value REAL, occurred_at INTEGER)"
    )
    connection.executemany("INSERT INTO counted VALUES (?, ?, ?, ?, ?)", _rows(signals, as_of))
    connection.commit()


def write_parquet(signals: Iterable[Counted], path: Path) -> None:
    """Write `signals` as a Parquet file."""
    columns = zip(*_rows(signals, TODAY), strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
    pq.write_table(pa.table(arrays, schema=_SCHEMA), path)


def _rows(signals: Iterable[Counted], as_of: date) -> Iterator[tuple[int, int, str, float, int]]:
    start = start_of(as_of)
    return ((one.subject, one.partner, one.kind, one.value, start - one.age) for one in signals)


def _by_key(rows: Iterable[Row]) -> Scored:
    totals: Scored = {}
    for subject, kind, hundredths in rows:
        assert (subject, kind) not in totals
        totals[subject, kind] = hundredths
    return totals
