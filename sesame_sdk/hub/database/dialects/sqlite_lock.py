"""A fair write lock for SQLite.

A process that waits for SQLite's write lock retries ten times a second, so one that writes group after group
always gets it first, and others wait for seconds. So a process first takes a second lock, on a file beside
the database, and keeps it until it has the write lock: one that has just written queues behind the others.
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


def begin(connection: sqlite3.Connection, path: str | None) -> None:
    """Begin a transaction that holds the write lock from its begin.

    `path` is the database file; None for a database in memory, which no other process can write to.

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
        primary_code = error.sqlite_errorcode & 0xFF
        if primary_code != sqlite3.SQLITE_BUSY or time.monotonic() > end:
            raise
        return False
    return True


@contextmanager
def _queue_lock(path: str | None, end: float) -> Iterator[None]:
    """Hold the second lock; from `end` on, continue without it."""
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = None if path is None else os.open(f"{path}-lock", flags, 0o600)
    except OSError:  # no space for another file: the write lock alone protects the data
        descriptor = None
    if descriptor is None:
        yield
        return
    try:
        while not _try_lock(descriptor) and time.monotonic() < end:
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)  # which releases the lock


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
