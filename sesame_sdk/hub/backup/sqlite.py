"""A ledger in SQLite: copied by its online backup, under one transaction that reads.

The transaction is what makes the copy one state. Without it SQLite begins anew whenever another process
writes between two steps, and under load that would be for ever. Meanwhile the write-ahead log grows by what
is written.
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
from sesame_sdk.hub.backup.ledger_copy import Stage

#: Pages copied between two looks at the progress: 16 MiB.
_PAGES = 4096


@frozen
class SQLiteLedger:
    """A file."""

    scheme: ClassVar[str] = "sqlite"
    member: ClassVar[str] = "ledger.sqlite"
    path: Path

    @classmethod
    def at(cls, url: str) -> Self:
        """The one that an SQLAlchemy URL means.

        Raises:
            ConfigurationError: it is in memory.
        """
        name = make_url(url).database
        if not name or name == ":memory:":
            raise ConfigurationError("is in memory: there is nothing to keep", field="database")
        return cls(Path(name))

    def copy_out(self, target: Path, stage: Stage) -> None:
        """See `Ledger`."""
        if not self.path.exists():
            raise ConfigurationError("is not there", field=str(self.path), hint="run the hub once")
        with _telling(self.path), closing(_open(self.path)) as source, closing(_open(target)) as copy:
            source.execute("BEGIN")
            (pages,) = source.execute("PRAGMA page_count").fetchone()
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # now the state is ours
            with stage("copying the ledger", pages) as step:
                done = 0

                def progress(_status: int, left: int, total: int) -> None:
                    nonlocal done
                    step(total - left - done)
                    done = total - left

                source.backup(copy, pages=_PAGES, progress=progress)
            source.rollback()
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        self.check_copy(target, stage)

    def check_free(self) -> None:
        """See `Ledger`."""
        if self.path.exists():
            raise ConfigurationError(
                "is there already",
                field=str(self.path),
                hint="restore into a new folder; look before you delete",
            )

    def check_copy(self, source: Path, stage: Stage) -> None:
        """See `Ledger`. Each page is looked at, and each index compared with its table."""
        with stage("checking the copy", None), _telling(source), closing(_open(source)) as copy:
            found = [row[0] for row in copy.execute("PRAGMA integrity_check(1)")]
        if found != ["ok"]:
            raise ConfigurationError("is damaged: SQLite's integrity check fails", field=source.name)

    def copy_in(self, source: Path, stage: Stage) -> None:
        """See `Ledger`. The file is put in place whole."""
        with stage("putting the ledger in place", None):
            source.chmod(0o600)
            if source.stat().st_dev != self.path.parent.stat().st_dev:
                raise ConfigurationError(
                    "is on another file system than the hub's folder", field=str(self.path)
                )
            self.check_free()
            source.rename(self.path)
            sync_folder(self.path.parent)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=15.0, isolation_level=None)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise ConfigurationError(f"cannot be read: {error}", field=str(path)) from error
