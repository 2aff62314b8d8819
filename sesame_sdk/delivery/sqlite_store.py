"""The SQLite file behind an outbox or a book: opened safely, whole transactions, errors in our words.

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

#: How long a process waits for another one's write.
BUSY_SECONDS = 30.0
_APPLICATION = 0x5E5A0B01
# Bodies are some 300 KB. Large pages and a log of 16 MB took a quarter off the time of an append
# and the delete that follows it, against SQLite's defaults.
_PAGE = 16_384
_LOG_PAGES = 16_000_000 // _PAGE
#: No room on the disk, or none that the system grants us.
_NO_ROOM = {"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"}
_PASSING = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM"}


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorname.startswith("SQLITE_BUSY")


#: For what SQLite must have a file alone for, and does not wait for by itself.
_ALONE = Retrying(
    retry=retry_if_exception(_is_busy),
    wait=wait_random(0.001, 0.02),
    stop=stop_after_delay(BUSY_SECONDS),
    reraise=True,
)


class DiskFullError(RetryableError):
    """There was no room on the disk; what the file holds is safe."""


class SqliteStore:
    """One SQLite file of ours.

    Args:
        path: created with mode 0600 when it is not there; its folder must be.
        schema: statements that make the tables of a new file.
        description: what the file is, in words.
        application_id: the number that such files bear.

    Raises:
        ConfigurationError: the file cannot be opened, or is another thing or of another version.
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
        with _in_our_words(path):
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
        _ALONE(self._db.execute, "PRAGMA journal_mode = WAL")
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
        with self._lock, _in_our_words(self.path):
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
        with self._lock, _in_our_words(self.path):
            return self._db.execute(query, parameters).fetchall()

    @contextmanager
    def exclusive_lock(self, task: str) -> Iterator[None]:
        """Hold the right to do `task` alone, among all threads and processes that share the file.

        The lock is SQLite's on an empty file beside ours: the kernel frees it when its holder dies, so
        that, unlike with a lease, nobody waits for a dead process and no clock is trusted.

        Raises:
            RetryableError: somebody else is at it.
        """
        beside = self.path.with_name(f"{self.path.name}-{task}")
        with _in_our_words(beside), closing(sqlite3.connect(beside, isolation_level=None, timeout=0)) as lock:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                raise RetryableError(
                    f"another process is at {task} here", field=str(self.path), hint="let it finish"
                ) from error
            yield

    def close(self) -> None:
        """Close the file. What was written is on disk already."""
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
def _in_our_words(path: Path) -> Iterator[None]:
    try:
        yield
    except SesameError:
        raise
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name in _NO_ROOM:
            raise DiskFullError("there is no room on its disk", field=str(path), hint="make some") from error
        if any(name.startswith(passing) for passing in _PASSING):
            raise RetryableError(
                f"the disk or another process stood in the way: {error}", field=str(path)
            ) from error
        raise ConfigurationError(f"cannot be used: {error}", field=str(path)) from error
