"""The first process that waits to write to a SQLite ledger is the next, however busy another is."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sesame_sdk.hub.database.dialects import sqlite_lock

#: Seconds that the busy writer's transaction takes: more than a machine at work keeps a thread waiting.
_LONG = 0.05


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A file with one number in it."""
    path = tmp_path / "hub.sqlite"
    with closing(_open(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE counter (number INTEGER)")
        connection.execute("INSERT INTO counter VALUES (0)")
    return path


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA busy_timeout = 15000")
    return connection


def _number(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("SELECT number FROM counter").fetchone()
    return int(number)


@contextmanager
def _busy(path: Path) -> Iterator[None]:
    """Somebody writes transaction after transaction, each of them long, and counts them."""
    ended, begun = threading.Event(), threading.Event()

    def write() -> None:
        with closing(_open(path)) as connection:
            while not ended.is_set():
                sqlite_lock.begin(connection, str(path))
                connection.execute("UPDATE counter SET number = number + 1")
                begun.set()
                ended.wait(_LONG)
                connection.execute("COMMIT")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert begun.wait(30)
        yield
    finally:
        ended.set()
        thread.join()


def test_a_busy_writer_lets_others_in(ledger: Path) -> None:
    """Between asking and writing lie the transaction that is under way, and at most one that was quicker."""
    with _busy(ledger), closing(_open(ledger)) as connection:
        waited = []
        for _ in range(20):
            before = _number(connection)
            sqlite_lock.begin(connection, str(ledger))
            waited.append(_number(connection) - before)
            connection.execute("COMMIT")
            mine = _number(connection)
            while _number(connection) == mine:
                pass  # the other has its turn too, and then waits again at once
    assert max(waited) <= 2, waited


def test_too_long_a_wait_is_an_error(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With SQLite's own error; the connection is as it was, and the turn is given back."""
    with closing(_open(ledger)) as holder, closing(_open(ledger)) as connection:
        sqlite_lock.begin(holder, str(ledger))
        monkeypatch.setattr(sqlite_lock, "LOCK_TIMEOUT", 0.05)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite_lock.begin(connection, str(ledger))
        assert not connection.in_transaction
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (15_000,)
        holder.execute("COMMIT")
        sqlite_lock.begin(connection, str(ledger))
        assert connection.in_transaction


def test_who_is_next_but_stuck_holds_up_others_no_longer_than_that(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write lock is what protects; without the turn one may still ask for it."""
    with (
        closing(_open(ledger)) as connection,
        sqlite_lock._queue_lock(str(ledger), end=float("inf")),
    ):
        monkeypatch.setattr(sqlite_lock, "LOCK_TIMEOUT", 0.05)
        sqlite_lock.begin(connection, str(ledger))
        assert connection.in_transaction


def test_it_does_without_a_file(ledger: Path) -> None:
    """In memory, or where no file can be made beside the ledger."""
    for path in (None, str(ledger.parent / "nowhere" / "hub.sqlite")):
        with closing(_open(ledger)) as connection:
            sqlite_lock.begin(connection, path)
            assert connection.in_transaction
