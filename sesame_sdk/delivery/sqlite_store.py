"""A SQLite file of a partner: private, durable, with our own errors, and safe across a fork.

Write-ahead log with ``synchronous=FULL``: when a transaction returns it is on disk. One connection
behind a lock serves every thread of the process; several processes share the file through SQLite's own locks.

SQLite forbids a child to use or to close a connection that its parent opened: the child has no locks, so the
other process deletes the log to which the child writes (https://sqlite.org/howtocorrupt.html, section 2.6).
So every connection is closed before ``os.fork``, and each process opens its own at its next use. A fork that
does not run Python's hooks, such as one by C code, leaves a store that the child refuses to use.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import WeakSet

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from sesame_sdk.errors import ConfigurationError, RetryableError, SesameError
from sesame_sdk.files import ensure_private_file

#: How long a process waits for the write of another one.
BUSY_SECONDS = 30.0
_APPLICATION = 0x5E5A0B01
# Bodies are some 300 KB. Large pages and a log of 16 MB took a quarter off the time of an append
# and the delete that follows it, against SQLite's defaults.
_PAGE = 16_384
_LOG_PAGES = 16_000_000 // _PAGE
#: The disk or a quota is full.
_DISK_FULL = {"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"}
_TRANSIENT = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM"}


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorname.startswith("SQLITE_BUSY")


#: For statements that need the file exclusively, for which SQLite does not wait by itself.
_RETRY_WHILE_BUSY = Retrying(
    retry=retry_if_exception(_is_busy),
    wait=wait_random(0.001, 0.02),
    stop=stop_after_delay(BUSY_SECONDS),
    reraise=True,
)


class DiskFullError(RetryableError):
    """The disk is full; the file is intact."""


class SqliteStore:
    """One SQLite file.

    Args:
        path: created with mode 0600 if it does not exist; its folder must exist.
        schema: statements that create the tables of a new file.
        description: what the file is, for errors.
        application_id: number in the header of such files.
        overwrite_deleted: overwrite what is deleted. Such a file has no write-ahead log, which would keep it.

    Raises:
        ConfigurationError: the file cannot be opened, or is no such file of this version.
    """

    def __init__(
        self,
        path: Path,
        schema: Iterable[str],
        *,
        description: str = "an outbox",
        application_id: int = _APPLICATION,
        overwrite_deleted: bool = False,
    ) -> None:
        self.path = path.absolute()  # a daemon changes its working directory before it opens the file again
        self._what = description
        self._application = application_id
        self._overwrite_deleted = overwrite_deleted
        self._lock = fork_safe_lock()
        self._task_locks: set[sqlite3.Connection] = set()
        self._db: sqlite3.Connection | None = None
        self._pid, self._opened, self._closed = os.getpid(), 0, False
        with self._lock, _translate_errors(self.path):
            _create_file(self.path)
            db = self._open()
            try:
                with self.transaction() as write:
                    self._create_tables(write, schema)
            except BaseException:
                db.close()
                raise
            _STORES.add(self)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
        try:
            db.execute(f"PRAGMA page_size = {_PAGE}")
            if self._overwrite_deleted:
                db.execute("PRAGMA secure_delete = ON")
            else:
                _RETRY_WHILE_BUSY(db.execute, "PRAGMA journal_mode = WAL")
            for pragma in ("synchronous = FULL", f"wal_autocheckpoint = {_LOG_PAGES}", "foreign_keys = ON"):
                db.execute(f"PRAGMA {pragma}")
        except BaseException:
            db.close()
            raise
        self._opened += 1
        self._db = db
        return db

    def _create_tables(self, write: sqlite3.Connection, schema: Iterable[str]) -> None:
        application = write.execute("PRAGMA application_id").fetchone()[0]
        tables = write.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if not tables:
            for statement in schema:
                write.execute(statement)
            write.execute(f"PRAGMA application_id = {self._application}")
        elif application != self._application:
            raise ConfigurationError(f"is not {self._what} of this version", field=str(self.path))

    def _connection(self) -> sqlite3.Connection:
        """The connection of this process. The lock is held."""
        if self._closed:
            raise ConfigurationError("is closed", field=str(self.path))
        if self._pid != os.getpid():
            raise ConfigurationError(
                "was opened before a fork and cannot be used in the child",
                field=str(self.path),
                hint="open it in each process, or fork with os.fork and outside a transaction",
            )
        if self._db is not None:
            return self._db
        if not self.path.exists():
            raise ConfigurationError("was removed", field=str(self.path), hint="open it again")
        return self._open()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is on disk when the block ends, or none of it if the block raises."""
        with self._lock, _translate_errors(self.path):
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def read(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock, _translate_errors(self.path):
            return self._connection().execute(query, parameters).fetchall()

    def data_version(self) -> tuple[int, int]:
        """A value that changes when another connection wrote, and when the file was opened again."""
        with self._lock:
            ((version,),) = self.read("PRAGMA data_version")
            return self._opened, version

    @contextmanager
    def exclusive_lock(self, task: str) -> Iterator[None]:
        """Lock `task` for one thread of all processes that share the file.

        The lock is SQLite's on an empty file beside ours: the kernel releases it when its owner dies, so
        that, unlike with a lease, there is no timeout and no clock is trusted. A child does not inherit it.

        Raises:
            RetryableError: another process has the lock.
        """
        beside = self.path.with_name(f"{self.path.name}-{task}")
        with (
            _translate_errors(beside),
            closing(
                sqlite3.connect(beside, isolation_level=None, check_same_thread=False, timeout=0)
            ) as lock,
        ):
            with self._lock:
                self._connection()
                try:
                    lock.execute("BEGIN EXCLUSIVE")
                except sqlite3.OperationalError as error:
                    if not _is_busy(error):
                        raise
                    raise RetryableError(
                        f"another process is running {task}",
                        field=str(self.path),
                        hint="wait until it has finished",
                    ) from error
                self._task_locks.add(lock)
            try:
                yield
            finally:
                self._task_locks.discard(lock)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._closed = True
            # A connection of the parent is neither closed here nor freed, which would close it too.
            if self._db is not None and self._pid == os.getpid():
                self._db.close()
                self._db = None

    def _before_fork(self) -> None:
        """Close the connection, unless the thread that forks is in a transaction. The lock is held."""
        if self._db is not None and self._pid == os.getpid() and not self._db.in_transaction:
            self._db.close()
            self._db = None

    def _in_child(self) -> None:
        if self._db is None:
            self._pid = os.getpid()
        # Of threads that the child does not have. Their files are empty, so that closing changes nothing.
        for lock in self._task_locks:
            lock.close()
        self._task_locks.clear()


#: What is closed before a fork, and the locks that no other thread may have then: a child could never get
#: them, since it has the thread that forks alone.
_STORES: WeakSet[SqliteStore] = WeakSet()
_LOCKS: WeakSet[Any] = WeakSet()
_held_locks: list[Any] = []


def fork_safe_lock() -> Any:  # noqa: ANN401 - the type of a lock has no public name before Python 3.13
    """A reentrant lock that no other thread has while the process forks."""
    lock = RLock()
    _LOCKS.add(lock)
    return lock


def _before_fork() -> None:
    while not _acquire_all():
        time.sleep(0.001)
    for store in list(_STORES):
        store._before_fork()


def _acquire_all() -> bool:
    """Acquire all locks, or none: a thread that has one of them may be waiting for another."""
    for lock in list(_LOCKS):
        if not lock.acquire(blocking=False):
            _release_all()
            return False
        _held_locks.append(lock)
    return True


def _release_all() -> None:
    while _held_locks:
        _held_locks.pop().release()


def _in_child() -> None:
    for store in list(_STORES):
        store._in_child()
    _release_all()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_release_all, after_in_child=_in_child)


def _create_file(path: Path) -> None:
    try:
        ensure_private_file(path)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be opened: {error.strerror}",
            field=str(path),
            hint="create its folder, writable by you alone",
        ) from error


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except SesameError:
        raise
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name in _DISK_FULL:
            raise DiskFullError("disk is full", field=str(path), hint="free disk space") from error
        if any(name.startswith(transient) for transient in _TRANSIENT):
            raise RetryableError(
                f"I/O error, or the file is locked by another process: {error}", field=str(path)
            ) from error
        raise ConfigurationError(f"cannot be used: {error}", field=str(path)) from error
