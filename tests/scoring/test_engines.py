"""Running the SQL text: its leftovers, its parameters, and its failures."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.scoring import engines
from sesame_sdk.scoring.engines import score_in_sqlite, score_parquet
from tests.scoring.engines import TODAY, fill, in_duckdb, write_parquet
from tests.scoring.test_scorecard import PLAIN, SPEND, one


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A database with two signals of one person."""
    with closing(sqlite3.connect(":memory:")) as opened:
        fill(opened, [one(100), one(100, partner=2)])
        yield opened


def test_nothing_is_left_behind(connection: sqlite3.Connection) -> None:
    """No table and no open transaction, which would pin a ledger's snapshot."""
    before = connection.total_changes
    assert {kind: points for _, kind, points in score_in_sqlite(connection, PLAIN, TODAY)} == {
        "": 55_200,
        SPEND.kind.name: 200,
    }
    assert not connection.in_transaction
    assert connection.total_changes == before
    assert connection.execute("SELECT count(*) FROM sqlite_temp_master").fetchone() == (0,)


def test_an_iterator_that_is_closed_early_cleans_up_too(connection: sqlite3.Connection) -> None:
    """And the connection can score again."""
    rows = score_in_sqlite(connection, PLAIN, TODAY)
    next(rows)
    rows.close()
    assert connection.execute("SELECT count(*) FROM sqlite_temp_master").fetchone() == (0,)
    assert len(list(score_in_sqlite(connection, PLAIN, TODAY))) == 2


def test_it_runs_inside_the_callers_transaction(connection: sqlite3.Connection) -> None:
    """What the caller has not committed is scored, and stays the caller's to commit or not."""
    connection.execute("INSERT INTO counted VALUES (2, 1, ?, 100.0, 0)", (SPEND.kind.name,))
    connection.execute("UPDATE counted SET subject = 7")
    assert {subject for subject, _, _ in score_in_sqlite(connection, PLAIN, TODAY)} == {7}
    assert connection.in_transaction
    connection.rollback()
    assert {subject for subject, _, _ in score_in_sqlite(connection, PLAIN, TODAY)} == {1}


def test_a_temporary_view_will_do(connection: sqlite3.Connection) -> None:
    """The hub says what counts in a view; text names are as good as numbers."""
    connection.execute("ALTER TABLE counted RENAME TO ledger")
    connection.execute(
        "CREATE TEMP VIEW counted AS SELECT 'p' || subject AS subject, 'https://shop.example' AS partner,"
        " kind, value, occurred_at FROM ledger"
    )
    rows = list(score_in_sqlite(connection, PLAIN, TODAY))
    assert sorted(rows) == [("p1", "", 55_200), ("p1", SPEND.kind.name, 200)]


def test_a_sqlite_without_mathematics_is_given_it(connection: sqlite3.Connection) -> None:
    """Some builds lack EXP and FLOOR; ours round downwards below zero too."""
    for name in ("EXP", "FLOOR"):
        connection.create_function(name, 1, None)
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT EXP(0.0)")
    engines.register_functions(connection)
    assert connection.execute("SELECT EXP(0.0), FLOOR(-0.5)").fetchone() == (1.0, -1.0)


def test_text_names_and_several_files_are_read(tmp_path: Path) -> None:
    """A glob of Parquet files, as a large hub would export them."""
    for number in (1, 2):
        columns = {
            "subject": ["p1"],
            "partner": [f"https://shop{number}.example"],
            "kind": [SPEND.kind.name],
            "value": [100.0],
            "occurred_at": [0],
        }
        pq.write_table(pa.table(columns), tmp_path / f"part{number}.parquet")
    lasting = TODAY.replace(year=1970, month=1, day=1)
    rows = score_parquet(tmp_path / "part*.parquet", PLAIN, lasting)
    assert sorted(rows) == [("p1", "", 55_200), ("p1", SPEND.kind.name, 200)]


def test_a_path_is_no_query(tmp_path: Path) -> None:
    """Quotes in a file's name stay a file's name."""
    assert in_duckdb([one(100)], PLAIN, tmp_path / "it's; --.parquet")[1, ""] == 55_100


@pytest.mark.parametrize("content", [None, b"not parquet", b""], ids=["missing", "other bytes", "empty"])
def test_what_is_not_parquet_is_rejected(tmp_path: Path, content: bytes | None) -> None:
    """One clear error of our own tree."""
    path = tmp_path / "signals.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="path: cannot be read as signals"):
        next(score_parquet(path, PLAIN, TODAY))


def test_parquet_without_the_columns_is_rejected(tmp_path: Path) -> None:
    """A file of something else."""
    path = tmp_path / "signals.parquet"
    pq.write_table(pa.table({"subject": [1], "kind": ["a"]}), path)
    with pytest.raises(InvalidInputError, match="occurred_at in microseconds"):
        next(score_parquet(path, PLAIN, TODAY))


def test_without_duckdb_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core does not bring it; the hub extra does."""
    write_parquet([one(1)], tmp_path / "signals.parquet")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ConfigurationError, match=r"sesame-sdk\[hub\]"):
        next(score_parquet(tmp_path / "signals.parquet", PLAIN, TODAY))
