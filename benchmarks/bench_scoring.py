"""Scoring ten million signals with reasons, beside DuckDB's bare sum over the same file."""

import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks.table import BenchmarkResult, fastest
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.scoring.engines import bind_parquet
from sesame_sdk.scoring.scorecard import SCORE_SQL, to_microseconds

SIGNALS, PARTNERS, KINDS = 10_000_000, 3, 5
TODAY = date(2026, 6, 1)

_SIGNALS = """
SELECT CAST(floor(random() * {people}) AS INTEGER) AS subject,
       CAST(floor(random() * {partners}) AS INTEGER) AS partner,
       'retail.kind.' || chr(CAST(97 + floor(random() * {kinds}) AS INTEGER)) AS kind,
       round(random() * 100, 2) AS value, CAST({today} - random() * 6e13 AS BIGINT) AS occurred_at
FROM range({signals})
"""
_BARE_SUM = "SELECT subject, partner, kind, SUM(value) AS value FROM counted GROUP BY subject, partner, kind"


def rows(signals: int = SIGNALS) -> list[BenchmarkResult]:
    """The one row of this topic."""
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "signals.parquet"
        _write(connection, path, signals)
        bind_parquet(connection, path, _policy(), TODAY)
        # In turns, so that a busy second of the machine does not fall on one of them alone.
        turns = [(_seconds(connection, SCORE_SQL), _seconds(connection, _BARE_SUM)) for _ in range(4)]
    ours, limit = (min(seconds) for seconds in zip(*turns, strict=True))
    name = f"score {signals:,} signals of {signals // 10:,} people, with reasons"
    return [
        BenchmarkResult(name, ours, limit, "DuckDB summing by person, partner and kind", "s", 2.5, "lower")
    ]


def _write(connection: duckdb.DuckDBPyConnection, path: Path, signals: int) -> None:
    threads = connection.execute("SELECT current_setting('threads')").fetchone()
    query = _SIGNALS.format(
        people=signals // 10, partners=PARTNERS, kinds=KINDS, today=to_microseconds(TODAY), signals=signals
    )
    connection.execute("SET threads = 1")  # a seed holds for one thread only
    connection.execute("SELECT setseed(0.5)")
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    assert threads is not None
    connection.execute(f"SET threads = {threads[0]}")


def _seconds(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    kept = f"CREATE OR REPLACE TEMP TABLE kept AS {query}"
    return fastest(lambda: connection.execute(kept), times=1)


def _kind(letter: str, weight: float) -> SignalKind:
    return SignalKind(f"retail.kind.{letter}", "order_return_count" if weight < 0 else "order_kept")


def _policy() -> Policy:
    weightings = tuple(
        Weighting(
            kind=_kind(letter, weight),
            weight=weight,
            floor=-80.0 if weight < 0 else 0.0,
            cap=120.0,
            partner_cap=60.0,
            half_life_days=180.0,
            expires_days=600.0,
        )
        for letter, weight in zip("abcde", (0.5, 1.5, -0.4, 2.0, 0.1), strict=True)
    )
    return Policy("bench", 1, "retail", 550.0, 350.0, 950.0, (Band("all", 350.0),), weightings)


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else SIGNALS):
        print(f"{row.name}: {row.ours:.2f} s, {row.ratio:.2f} times {row.baseline} ({row.limit:.2f} s)")
