"""Stores scores in a file: a snapshot of the columns, and a journal of later updates.

SQLite makes it atomic: a message is in the journal, with its ``jti`` and time, or not at all, whenever the
process is killed. From time to time the journal is compacted into a new snapshot. Several processes may
write; each reads what the others wrote.
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
_DESCRIPTION = "a score store"
_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE snapshot (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT",
    "CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL) STRICT",
    """CREATE TABLE received (
        jti TEXT PRIMARY KEY, digest BLOB NOT NULL, issued_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX received_issued_at ON received (issued_at)",
)
_COLUMNS = ("keys", "seq", "points", "label", "labels")
_CHANGES = """SELECT 0, 'last_message', value FROM meta WHERE name = 'last_message'
UNION ALL SELECT 0, 'stream', value FROM meta WHERE name = 'stream'
UNION ALL SELECT 0, 'compacted', value FROM meta WHERE name = 'compacted'
UNION ALL SELECT id, '', data FROM journal WHERE id > ?"""
#: How long message ids are remembered. A message is rejected when it is half as old.
REPLAY_WINDOW = timedelta(days=2)


@define
class Changes:
    """The journal since a certain batch.

    Attributes:
        batches: in the order in which they were written.
        last: number of the last one.
        compacted: number of the last batch in the snapshot.
        last_message: time of the latest message in microseconds; 0 for none.
        stream: id of the stream; empty for none.
    """

    batches: list[Batch] = field(factory=list)
    last: int = 0
    compacted: int = 0
    last_message: int = 0
    stream: str = ""


#: Serialized columns, their labels, the number of the last batch, and the time before which ids are deleted.
Snapshot = tuple[tuple[bytes, bytes, bytes, bytes], tuple[Label, ...], int, datetime]


class ScoreFile:
    """The file of a score store.

    Args:
        path: created if it does not exist.
        identity: hub, reader, purpose and context; a file with others is refused.

    Raises:
        ConfigurationError: the file cannot be used, or has another identity.
    """

    def __init__(self, path: Path, identity: dict[str, str]) -> None:
        self._write = SqliteStore(path, _SCHEMA, description=_DESCRIPTION, application_id=_APPLICATION)
        # A connection of its own, so that reads do not wait for writes.
        self._read = SqliteStore(path, _SCHEMA, description=_DESCRIPTION, application_id=_APPLICATION)
        self._version = -1
        self._check_identity(path, identity)

    def _check_identity(self, path: Path, identity: dict[str, str]) -> None:
        with self._write.transaction() as write:
            for name, value in identity.items():
                write.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, value))
            stored = dict(write.execute("SELECT name, value FROM meta").fetchall())
        for name, value in identity.items():
            if stored[name] != value:
                raise ConfigurationError(
                    f"belongs to another {name}", field=str(path), hint="use one file for each"
                )

    def changed(self) -> bool:
        """Whether anything was written since the last call. Reads no table."""
        ((version,),) = self._read.read("PRAGMA data_version")
        was, self._version = self._version, version
        return bool(was != version)

    def since(self, last: int) -> Changes:
        """The journal after the batch of this number. One statement, so it is one state of the file."""
        changes = Changes(last=last)
        for number, name, value in self._read.read(_CHANGES, last):
            if name == "":
                changes.batches.append(unpack(value))
                changes.last = max(changes.last, number)
            elif name == "stream":
                changes.stream = value
            else:
                setattr(changes, name, int(value))
        return changes

    def load(self) -> tuple[ScoreTable, tuple[Label, ...], int]:
        """The snapshot, its labels, and the number of the last batch in it."""
        rows = self._read.read(
            "SELECT name, data FROM snapshot UNION ALL SELECT name, value FROM meta WHERE name = 'compacted'"
        )
        parts = dict(rows)
        compacted = int(parts.pop("compacted", 0))
        if not parts:
            return ScoreTable(), (), compacted
        *columns, labels = (parts[name] for name in _COLUMNS)
        return ScoreTable.load(*columns), unpack_labels(labels), compacted

    def append(self, updates: Iterable[Update]) -> tuple[list[SesameError | None], Changes]:
        """Store messages in one transaction; repeated ones are skipped. They are on disk when this returns.

        Returns:
            For each message why it was not stored, and the resulting changes.
        """
        with self._write.transaction() as write:
            meta = dict(write.execute("SELECT name, value FROM meta").fetchall())
            stream, errors = meta.get("stream", ""), []
            changes = Changes(
                compacted=int(meta.get("compacted", 0)),
                last_message=int(meta.get("last_message", 0)),
                stream=stream,
            )
            for update in updates:
                errors.append(error := _error(write, update, stream))
                at = int(update.issued_at.timestamp() * 1_000_000)
                row = (update.jti, update.digest, at)
                if (
                    error
                    or not write.execute("INSERT OR IGNORE INTO received VALUES (?, ?, ?)", row).rowcount
                ):
                    continue
                changes.last_message = max(changes.last_message, at)
                if update.batch is not None:
                    added = write.execute("INSERT INTO journal (data) VALUES (?)", (pack(update.batch),))
                    changes.batches.append(update.batch)
                    changes.last = added.lastrowid or 0
            last_message = str(changes.last_message)
            write.execute("INSERT OR REPLACE INTO meta VALUES ('last_message', ?)", (last_message,))
        return errors, changes

    def compact(self, make_snapshot: Callable[[], Snapshot]) -> None:
        """Replace the snapshot by one that includes the journal.

        Args:
            make_snapshot: called with the lock on the file; brings the caller up to date and returns its
                `Snapshot`.
        """
        with self._write.transaction() as write:
            columns, labels, last, delete_before = make_snapshot()
            parts = (*columns, pack(labels))
            rows = zip(_COLUMNS, parts, strict=True)
            write.executemany("INSERT OR REPLACE INTO snapshot VALUES (?, ?)", rows)
            write.execute("DELETE FROM journal WHERE id <= ?", (last,))
            write.execute("INSERT OR REPLACE INTO meta VALUES ('compacted', ?)", (str(last),))
            write.execute(
                "DELETE FROM received WHERE issued_at < ?", (int(delete_before.timestamp() * 1_000_000),)
            )

    def begin_stream(self, stream: str) -> None:
        """Delete everything and start with a new stream: the states of the old one may be outdated."""
        with self._write.transaction() as write:
            number = write.execute("INSERT INTO journal (data) VALUES (?)", (pack(Batch()),)).lastrowid
            write.execute("DELETE FROM journal")
            write.execute("DELETE FROM snapshot")
            write.execute("DELETE FROM meta WHERE name IN ('last_message', 'stream', 'compacted')")
            rows = [("stream", stream), ("compacted", str(number))]
            write.executemany("INSERT INTO meta VALUES (?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        self._read.close()
        self._write.close()


def _error(write: sqlite3.Connection, update: Update, stream: str) -> SesameError | None:
    before = write.execute("SELECT digest FROM received WHERE jti = ?", (update.jti,)).fetchone()
    if before is not None and before[0] != update.digest:
        return InvalidInputError(
            "was used for another message", field="jti", hint="give each token its own jti"
        )
    if update.stream is not None and update.stream != stream:
        # Temporary: the hub may send to a new stream before the store has its id.
        return RetryableError("is of another stream than this store's", field="sub_id")
    return None
