"""Copies a ledger in SQLite with its online backup, within one read transaction.

The transaction makes the copy one consistent state. Without it SQLite starts again whenever another process
writes between two steps, which under load never ends. Meanwhile the write-ahead log grows by what is written.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar, Self

from attrs import frozen
from sqlalchemy import make_url

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.files import sync_folder
from sesame_sdk.hub.backup.archive import Progress

#: Pages copied between two reports of progress: 16 MiB.
_PAGES = 4096


@frozen
class SQLiteLedger:
    """The ledger in a file."""

    member: ClassVar[str] = "ledger.sqlite"
    path: Path

    @classmethod
    def from_url(cls, url: str) -> Self:
        """The database of an SQLAlchemy URL, unless it is in memory."""
        name = make_url(url).database
        if not name or name == ":memory:":
            raise ConfigurationError("an in-memory database cannot be backed up", field="database")
        return cls(Path(name))

    def back_up(self, target: Path, progress: Progress) -> None:
        """Copy one consistent state into a file, while others write."""
        if not self.path.exists():
            raise ConfigurationError("file not found", field=str(self.path), hint="run the hub once")
        with _convert_errors(self.path), closing(_open(self.path)) as source, closing(_open(target)) as copy:
            source.execute("BEGIN")
            (pages,) = source.execute("PRAGMA page_count").fetchone()
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the snapshot is taken here
            with progress("copying the ledger", pages) as step:
                done = 0

                def report(_status: int, remaining: int, total: int) -> None:
                    nonlocal done
                    step(total - remaining - done)
                    done = total - remaining

                source.backup(copy, pages=_PAGES, progress=report)
            source.rollback()
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a write-ahead log beside it
        self.check_copy(target, progress)

    def check_empty(self) -> None:
        """Pass if the database is empty."""
        if self.path.exists():
            raise ConfigurationError("file exists", field=str(self.path), hint="restore into a new folder")

    def check_copy(self, source: Path, progress: Progress) -> None:
        """Checks each page, and compares each index with its table."""
        with progress("checking the copy", None), _convert_errors(source), closing(_open(source)) as copy:
            problems = [row[0] for row in copy.execute("PRAGMA integrity_check(1)")]
        if problems != ["ok"]:
            raise ConfigurationError("is damaged: SQLite's integrity check fails", field=source.name)

    def restore(self, source: Path, progress: Progress) -> None:
        """Renames the file into place."""
        with progress("putting the ledger in place", None):
            source.chmod(0o600)
            if source.stat().st_dev != self.path.parent.stat().st_dev:
                message = "is on another file system than the hub's folder"
                raise ConfigurationError(message, field=str(self.path))
            self.check_empty()
            source.rename(self.path)
            sync_folder(self.path.parent)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=15.0, isolation_level=None)


@contextmanager
def _convert_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise ConfigurationError(f"cannot be read: {error}", field=str(path)) from error
