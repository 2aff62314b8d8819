"""The score book on disk: whole columns as they were some time ago, and what came since.

SQLite keeps it whole: a message is in the journal, with its ``jti`` and the time that it speaks of, or it
is not there at all, wherever the process was killed. Now and then the journal is folded into the columns.
One process or several write; each reads what the others wrote.
"""

import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from attrs import define, field

from sesame_sdk.delivery.sqlite_store import SqliteStore
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError, SesameError
from sesame_sdk.partner.score_store.table import ScoreTable
from sesame_sdk.partner.score_store.updates import Batch, Label, Update, pack, unpack, unpack_labels

_APPLICATION = 0x5E5A0B02
_WHAT = "a score book"
_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE part (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT",
    "CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL) STRICT",
    """CREATE TABLE seen (
        jti TEXT PRIMARY KEY, digest BLOB NOT NULL, at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX seen_at ON seen (at)",
)
_PARTS = ("keys", "seq", "points", "label", "labels")
_NEWS = """SELECT 0, 'heard', value FROM meta WHERE name = 'heard'
UNION ALL SELECT 0, 'stream', value FROM meta WHERE name = 'stream'
UNION ALL SELECT 0, 'folded', value FROM meta WHERE name = 'folded'
UNION ALL SELECT id, '', data FROM journal WHERE id > ?"""
#: For how long a message is known again. The hub's are refused when they are half as old.
REPLAY_WINDOW = timedelta(days=2)


@define
class Changes:
    """What was found since the last look.

    Attributes:
        batches: in the order in which they were written.
        last: number of the last of them.
        folded: up to which number they are in the columns.
        heard: microseconds of the latest message; 0 for none.
        stream: the stream that the book follows; empty for none.
    """

    batches: list[Batch] = field(factory=list)
    last: int = 0
    folded: int = 0
    heard: int = 0
    stream: str = ""


#: Serialised columns, their labels, the number of the last batch, and what is forgotten before.
Snapshot = tuple[tuple[bytes, bytes, bytes, bytes], tuple[Label, ...], int, datetime]


class ScoreFile:
    """One book on disk.

    Args:
        path: created when it is not there.
        whose: what the book is of; a file that is of something else is refused.

    Raises:
        ConfigurationError: the file cannot be used, or is of something else.
    """

    def __init__(self, path: Path, whose: dict[str, str]) -> None:
        self._write = SqliteStore(path, _SCHEMA, description=_WHAT, application_id=_APPLICATION)
        # A connection of its own, so that readers do not wait for the disk when something is written.
        self._read = SqliteStore(path, _SCHEMA, description=_WHAT, application_id=_APPLICATION)
        self._version = -1
        self._check_whose(path, whose)

    def _check_whose(self, path: Path, whose: dict[str, str]) -> None:
        with self._write.transaction() as write:
            for name, value in whose.items():
                write.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, value))
            found = dict(write.execute("SELECT name, value FROM meta").fetchall())
        for name, value in whose.items():
            if found[name] != value:
                raise ConfigurationError(
                    f"is of another {name}", field=str(path), hint="give each its own book"
                )

    def changed(self) -> bool:
        """Whether anything was written since this was last asked. Touches no table."""
        ((version,),) = self._read.read("PRAGMA data_version")
        was, self._version = self._version, version
        return bool(was != version)

    def since(self, last: int) -> Changes:
        """What was written after the batch of this number. One statement, so it is one state of the file."""
        found = Changes(last=last)
        for number, name, value in self._read.read(_NEWS, last):
            if name == "":
                found.batches.append(unpack(value))
                found.last = max(found.last, number)
            elif name == "stream":
                found.stream = value
            else:
                setattr(found, name, int(value))
        return found

    def load(self) -> tuple[ScoreTable, tuple[Label, ...], int]:
        """The columns, their labels, and up to which batch they hold everything."""
        rows = self._read.read(
            "SELECT name, data FROM part UNION ALL SELECT name, value FROM meta WHERE name = 'folded'"
        )
        found = dict(rows)
        folded = int(found.pop("folded", 0))
        if not found:
            return ScoreTable(), (), folded
        *columns, labels = (found[name] for name in _PARTS)
        return ScoreTable.load(*columns), unpack_labels(labels), folded

    def append(self, news: Iterable[Update]) -> list[SesameError | None]:
        """Keep messages, all in one transaction; for each, why it was not kept.

        One that was kept before is passed over. Returned from here, they are on disk.
        """
        with self._write.transaction() as write:
            meta = dict(write.execute("SELECT name, value FROM meta").fetchall())
            heard, verdicts = int(meta.get("heard", 0)), []
            for one in news:
                verdicts.append(fault := _fault(write, one, meta.get("stream", "")))
                at = int(one.issued_at.timestamp() * 1_000_000)
                row = (one.jti, one.digest, at)
                if fault or not write.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", row).rowcount:
                    continue
                heard = max(heard, at)
                if one.batch is not None:
                    write.execute("INSERT INTO journal (data) VALUES (?)", (pack(one.batch),))
            write.execute("INSERT OR REPLACE INTO meta VALUES ('heard', ?)", (str(heard),))
        return verdicts

    def fold(self, take: Callable[[], Snapshot]) -> None:
        """Put what came since into the columns.

        Args:
            take: given the lock on the file; brings the caller up to date and gives its columns, their
                labels, the number of its last batch, and the moment before which messages are forgotten.
        """
        with self._write.transaction() as write:
            columns, labels, last, forget = take()
            parts = (*columns, pack(labels))
            rows = zip(_PARTS, parts, strict=True)
            write.executemany("INSERT OR REPLACE INTO part VALUES (?, ?)", rows)
            write.execute("DELETE FROM journal WHERE id <= ?", (last,))
            write.execute("INSERT OR REPLACE INTO meta VALUES ('folded', ?)", (str(last),))
            write.execute("DELETE FROM seen WHERE at < ?", (int(forget.timestamp() * 1_000_000),))

    def begin(self, stream: str) -> None:
        """Follow another stream, with nothing in the book: what an old one told may no longer hold."""
        with self._write.transaction() as write:
            number = write.execute("INSERT INTO journal (data) VALUES (?)", (pack(Batch()),)).lastrowid
            write.execute("DELETE FROM journal")
            write.execute("DELETE FROM part")
            write.execute("DELETE FROM meta WHERE name IN ('heard', 'stream', 'folded')")
            rows = [("stream", stream), ("folded", str(number))]
            write.executemany("INSERT INTO meta VALUES (?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        self._read.close()
        self._write.close()


def _fault(write: sqlite3.Connection, one: Update, stream: str) -> SesameError | None:
    before = write.execute("SELECT digest FROM seen WHERE jti = ?", (one.jti,)).fetchone()
    if before is not None and before[0] != one.digest:
        return InvalidInputError(
            "was used for another message", field="jti", hint="give each token a jti of its own"
        )
    if one.stream is not None and one.stream != stream:
        # Not for good: the hub may speak in a new stream before its maker has told the book of it.
        return RetryableError("is of a stream that this book does not follow", field="sub_id")
    return None
