"""A SQLite file of an outbox or a score store: private, durable, with our own errors.

Write-ahead log with ``synchronous=FULL``: when a transaction returns it is on disk. One connection
behind a lock serves every thread of the process; several processes share the file through SQLite's own locks.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

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
    ) -> None:
        self.path = path
        self._what = description
        self._application = application_id
        self._lock = threading.Lock()
        with _translate_errors(path):
            _create_file(path)
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
            )
            try:
                self._prepare(schema)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, schema: Iterable[str]) -> None:
        self._db.execute(f"PRAGMA page_size = {_PAGE}")
        _RETRY_WHILE_BUSY(self._db.execute, "PRAGMA journal_mode = WAL")
        for pragma in ("synchronous = FULL", f"wal_autocheckpoint = {_LOG_PAGES}", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        with self.transaction() as write:
            application = write.execute("PRAGMA application_id").fetchone()[0]
            tables = write.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            if not tables:
                for statement in schema:
                    write.execute(statement)
                write.execute(f"PRAGMA application_id = {self._application}")
            elif application != self._application:
                raise ConfigurationError(f"is not {self._what} of this version", field=str(self.path))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is on disk when the block ends, or none of it if the block raises."""
        with self._lock, _translate_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def read(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock, _translate_errors(self.path):
            return self._db.execute(query, parameters).fetchall()

    @contextmanager
    def exclusive_lock(self, task: str) -> Iterator[None]:
        """Lock `task` for one thread of all processes that share the file.

        The lock is SQLite's on an empty file beside ours: the kernel releases it when its owner dies, so
        that, unlike with a lease, there is no timeout and no clock is trusted.

        Raises:
            RetryableError: another process has the lock.
        """
        beside = self.path.with_name(f"{self.path.name}-{task}")
        with (
            _translate_errors(beside),
            closing(sqlite3.connect(beside, isolation_level=None, timeout=0)) as lock,
        ):
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
            yield

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


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
