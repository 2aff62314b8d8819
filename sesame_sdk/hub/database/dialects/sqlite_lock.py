"""Whose turn it is to write to a file of SQLite.

Left to itself, whoever waits for SQLite's write lock asks for it ever more rarely, at last ten times a
second, and one that writes group after group is always there first: others wait for seconds.

So nobody asks without the turn, a lock on a file beside the ledger's, and whoever has it keeps it until it
has the write lock too. Who has just written must then queue for the turn behind the one that waits.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds: whoever waits longer is told to come back.
LOCK_TIMEOUT = 15.0
#: Seconds between two looks: little beside what a commit takes.
_PAUSE = 0.002
#: The last byte is the kind of error, what is before it says more of it.
_KIND = 0xFF


def begin(connection: sqlite3.Connection, path: str | None) -> None:
    """Begin a transaction that holds the write lock from its first moment.

    Args:
        connection: outside any transaction.
        path: of the ledger's file; None for one in memory, which nobody else can write to.

    Raises:
        sqlite3.OperationalError: the lock was not to be had for `LOCK_TIMEOUT`, or the database failed.
    """
    end = time.monotonic() + LOCK_TIMEOUT
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        with _turn(path, end):
            while not _begins(connection, end):
                time.sleep(_PAUSE)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")


def _begins(connection: sqlite3.Connection, end: float) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & _KIND != sqlite3.SQLITE_BUSY or time.monotonic() > end:
            raise
        return False
    return True


@contextmanager
def _turn(path: str | None, end: float) -> Iterator[None]:
    """Be the next; from `end` on, ask beside whoever is."""
    try:
        number = -1 if path is None else os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # no room for another file: the write lock itself is what protects
        number = -1
    if number < 0:
        yield
        return
    try:
        while not _taken(number) and time.monotonic() < end:
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(number)  # which gives the lock back


def _taken(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
