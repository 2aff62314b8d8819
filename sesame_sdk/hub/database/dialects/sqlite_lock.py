"""A fair write lock for SQLite.

SQLite's own waiting for the write lock backs off to ten attempts a second, so a process that writes group
after group always gets it first, and others wait for seconds. So a process first takes a second lock, on a
file beside the database, and keeps it until it has the write lock: a process that has just written queues
behind the one that waits.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds to wait before the transaction fails.
LOCK_TIMEOUT = 15.0
#: Seconds between two attempts: little beside a commit.
_PAUSE = 0.002
#: The last byte of an extended error code is the primary code.
_KIND = 0xFF


def begin(connection: sqlite3.Connection, path: str | None) -> None:
    """Begin a transaction that holds the write lock from its begin.

    Args:
        connection: outside any transaction.
        path: of the database file; None for one in memory, which no other process can write to.

    Raises:
        sqlite3.OperationalError: the lock was not free for `LOCK_TIMEOUT`, or the database failed.
    """
    end = time.monotonic() + LOCK_TIMEOUT
    (busy_timeout,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        with _queue_lock(path, end):
            while not _try_begin(connection, end):
                time.sleep(_PAUSE)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {busy_timeout}")


def _try_begin(connection: sqlite3.Connection, end: float) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & _KIND != sqlite3.SQLITE_BUSY or time.monotonic() > end:
            raise
        return False
    return True


@contextmanager
def _queue_lock(path: str | None, end: float) -> Iterator[None]:
    """Hold the second lock; from `end` on, continue without it."""
    try:
        number = -1 if path is None else os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # no space for another file: the write lock alone protects the data
        number = -1
    if number < 0:
        yield
        return
    try:
        while not _try_lock(number) and time.monotonic() < end:
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(number)  # which releases the lock


def _try_lock(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
