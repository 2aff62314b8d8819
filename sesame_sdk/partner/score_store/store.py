"""The score store: a local replica of the latest scores of the subjects in one stream.

Rules:
    * None is a full answer: unknown subject, no consent, or no score
    * a store that has had no message from the hub for some time is stale, and returns no scores
    * a removed subject is deleted before the hub's message is acknowledged, and callbacks can remove it from
      pages at once
    * its SQLite file has a snapshot of the columns and a journal of later updates, which is compacted into a
      new snapshot; a message is in it, with its ``jti`` and time, or not at all, whenever the process is
      killed
    * several processes may share a store, and each sees the updates of the others at its next read
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from attrs import define, field, frozen

from sesame_sdk.delivery.sqlite_store import SqliteStore, fork_safe_lock
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError, SesameError
from sesame_sdk.interfaces import Closeable
from sesame_sdk.model.issuers import normalize_issuer
from sesame_sdk.model.score import Score
from sesame_sdk.partner.score_store.table import ScoreTable, SubjectIndex, Values, hash_subjects
from sesame_sdk.partner.score_store.updates import Batch, Label, Update, pack, unpack, unpack_labels

#: Ten times the heartbeat interval of a hub.
STALE_AFTER = timedelta(minutes=5)
#: How long message ids are remembered. A message is rejected when it is half as old.
REPLAY_WINDOW = timedelta(days=2)
#: States in the journal before it is compacted; a large store is compacted less often.
_MAX_JOURNAL = 50_000
_JOURNAL_SHARE = 8
ENABLED = "enabled"
_APPLICATION = 0x5E5A0B02
_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE snapshot (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT",
    "CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL) STRICT",
    """CREATE TABLE received (
        jti TEXT PRIMARY KEY, digest BLOB NOT NULL, issued_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX received_issued_at ON received (issued_at)",
    """CREATE TABLE verifications (
        state TEXT PRIMARY KEY, requested_at INTEGER NOT NULL, received INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID""",
)
_COLUMNS = ("keys", "seq", "points", "label", "labels")
_CHANGES = """SELECT 0, name, value FROM meta WHERE name IN ('last_message', 'stream', 'compacted', 'status')
UNION ALL SELECT id, '', data FROM journal WHERE id > ?"""
_SNAPSHOT = """SELECT name, data FROM snapshot
UNION ALL SELECT name, value FROM meta WHERE name = 'compacted'"""
#: Called with the pseudonyms of removed subjects; None if any may have been removed.
RemovalCallback = Callable[[frozenset[str] | None], None]


@define
class _Changes:
    """The journal after a certain batch.

    `last` and `compacted` are the numbers of its last batch and of the last one in the snapshot; the time of
    the latest message is in microseconds.
    """

    batches: list[Batch] = field(factory=list)
    last: int = 0
    compacted: int = 0
    last_message: int = 0
    stream: str = ""
    status: str = ENABLED


@frozen
class ScoreStoreState:
    """The state of a score store.

    Attributes:
        subject_count: number of subjects that have a score, usable or not.
        last_message_at: time of the latest message from the hub, in UTC.
        stale: whether that is too long ago, so that no score is returned.
        stream: id of its stream; empty for none.
        status: of the stream: ``enabled``, ``paused`` or ``disabled``.
    """

    subject_count: int
    last_message_at: datetime | None
    stale: bool
    stream: str
    status: str


class ScoreStore(Closeable):
    """The latest scores for one purpose in one context. Thread-safe.

    Args:
        path: its file; created if it does not exist.
        hub, reader: issuer URLs of the hub and of ourselves.
        purpose: its IRI.
        context: of the scores.
        stale_after: the store is stale after this time without a message.
        clock: returns the time, in UTC.

    Raises:
        ConfigurationError: the file cannot be used, or belongs to another hub, reader, purpose or context.
    """

    def __init__(
        self,
        path: Path,
        *,
        hub: str,
        reader: str,
        purpose: str,
        context: str,
        stale_after: timedelta = STALE_AFTER,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        hub, reader = normalize_issuer(hub), normalize_issuer(reader)
        self.hub, self.reader, self.purpose, self.context = hub, reader, purpose, context
        self._stale_after = stale_after
        self._clock = clock
        # Two connections, so that reads do not wait for writes.
        self._writer, self._reader = (
            SqliteStore(path, _SCHEMA, description="a score store", application_id=_APPLICATION)
            for _ in range(2)
        )
        self._version = (0, 0)
        self._check_identity(path, {"hub": hub, "reader": reader, "purpose": purpose, "context": context})
        self._lock = fork_safe_lock()
        self._removal_callbacks: list[RemovalCallback] = []
        self._table: ScoreTable
        self._labels: dict[Label, int]
        self._last = self._journal_size = self._last_message = 0
        self._stream, self._status = "", ENABLED
        self._reload()
        self._load_changes()

    def points(self, subjects: Sequence[str] | SubjectIndex) -> Values:
        """The points of each subject; NaN for no score, and for all while the store is stale.

        Args:
            subjects: our own pseudonyms, any number. For an index the result is the same read-only array
                until something changes.
        """
        index = subjects if isinstance(subjects, SubjectIndex) else SubjectIndex(subjects)
        with self._lock:
            self._refresh()
            if self._is_stale():
                return np.full(len(index), np.nan)
            return index.points(self._table)

    def scores(self, subjects: Sequence[str]) -> dict[str, Score | None]:
        """The score of each subject, without contributions, as `Client.scores` returns them."""
        keys = hash_subjects(subjects)
        with self._lock:
            self._refresh()
            if self._is_stale():
                return dict.fromkeys(subjects)
            rows = self._table.find(keys)
            points, places = self._table.points(rows), self._table.labels(rows)
            labels = list(self._labels)
        scores = zip(subjects, points.tolist(), places.tolist(), strict=True)
        return {
            subject: labels[place].score(value) if place >= 0 else None for subject, value, place in scores
        }

    @property
    def state(self) -> ScoreStoreState:
        """Its current state."""
        with self._lock:
            self._refresh()
            at = datetime.fromtimestamp(self._last_message / 1_000_000, UTC) if self._last_message else None
            count = self._table.count_scores()
            return ScoreStoreState(count, at, self._is_stale(), self._stream, self._status)

    def on_removal(self, callback: RemovalCallback) -> None:
        """Call `callback` whenever subjects are removed, so that no page shows them any longer.

        It is called in the thread that applies the update, or that loads the update of another process: see
        `refresh`. It must not raise.
        """
        self._removal_callbacks.append(callback)

    def refresh(self) -> None:
        """Load the updates of other processes. Every read does so by itself."""
        with self._lock:
            self._refresh()

    def apply(self, updates: Iterable[Update]) -> list[SesameError | None]:
        """Apply messages that `Inbox` verified; returns for each why it was not applied."""
        updates = list(updates)
        errors, changes = self._append(updates)
        with self._lock:
            # Updates of other processes, if there are any, come before ours, and are only in the file.
            if changes.last - len(changes.batches) == self._last and changes.compacted <= self._last:
                self._apply(changes, set())
            else:
                self._load_changes()
            compact = self._journal_size > max(_MAX_JOURNAL, self._table.count // _JOURNAL_SHARE)
        if compact or any(update.erased for update in updates):
            self.compact()
        return errors

    def begin_stream(self, stream: str) -> None:
        """Start with a new stream and an empty store: the states of the old one may be outdated."""
        with self._writer.transaction() as write:
            number = write.execute("INSERT INTO journal (data) VALUES (?)", (pack(Batch()),)).lastrowid
            write.execute("DELETE FROM journal")
            write.execute("DELETE FROM snapshot")
            write.execute("DELETE FROM verifications")
            write.execute("DELETE FROM meta WHERE name IN ('last_message', 'stream', 'compacted', 'status')")
            rows = [("stream", stream), ("compacted", str(number))]
            write.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        with self._lock:
            self._load_changes()

    def set_status(self, status: str) -> None:
        """Note the status that the hub says the stream has."""
        with self._writer.transaction() as write:
            write.execute("INSERT OR REPLACE INTO meta VALUES ('status', ?)", (status,))

    def expect_verification(self, state: str) -> None:
        """Accept a verification event with this `state`: it is requested next."""
        now = self._clock()
        with self._writer.transaction() as write:
            oldest = _micros(now - REPLAY_WINDOW)
            write.execute("DELETE FROM verifications WHERE requested_at < ?", (oldest,))
            insert = "INSERT OR IGNORE INTO verifications (state, requested_at) VALUES (?, ?)"
            write.execute(insert, (state, _micros(now)))

    def is_verified(self, state: str) -> bool:
        """Whether the verification event that was requested with this `state` has arrived."""
        rows = self._reader.read("SELECT received FROM verifications WHERE state = ?", state)
        return any(received for (received,) in rows)

    def compact(self) -> None:
        """Compact the journal, so that opening stays quick and no older state is stored."""
        # Reads wait for the copying, not for the disk.
        with self._writer.transaction() as write:
            delete_before = _micros(self._clock() - REPLAY_WINDOW)
            with self._lock:
                self._load_changes()
                parts = (*self._table.dump(since=delete_before), pack(tuple(self._labels)))
                last, self._journal_size = self._last, 0
            rows = zip(_COLUMNS, parts, strict=True)
            write.executemany("INSERT OR REPLACE INTO snapshot VALUES (?, ?)", rows)
            write.execute("DELETE FROM journal WHERE id <= ?", (last,))
            write.execute("INSERT OR REPLACE INTO meta VALUES ('compacted', ?)", (str(last),))
            write.execute("DELETE FROM received WHERE issued_at < ?", (delete_before,))

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._writer.close()

    def _check_identity(self, path: Path, identity: dict[str, str]) -> None:
        with self._writer.transaction() as write:
            write.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", identity.items())
            stored = dict(write.execute("SELECT name, value FROM meta").fetchall())
        for name, value in identity.items():
            if stored[name] != value:
                raise ConfigurationError(
                    f"belongs to another {name}", field=str(path), hint="use one file for each"
                )

    def _append(self, updates: Iterable[Update]) -> tuple[list[SesameError | None], _Changes]:
        """Store messages in one transaction, so that they are on disk; repeated ones are skipped."""
        with self._writer.transaction() as write:
            meta = dict(write.execute("SELECT name, value FROM meta").fetchall())
            stream, errors = meta.get("stream", ""), []
            compacted, latest = int(meta.get("compacted", 0)), int(meta.get("last_message", 0))
            status = meta.get("status", ENABLED)
            changes = _Changes(compacted=compacted, last_message=latest, stream=stream, status=status)
            for update in updates:
                errors.append(error := _error(write, update, stream))
                at = _micros(update.issued_at)
                row = (update.jti, update.digest, at)
                insert = "INSERT OR IGNORE INTO received VALUES (?, ?, ?)"
                if error or not write.execute(insert, row).rowcount:
                    continue
                changes.last_message = max(changes.last_message, at)
                if update.status is not None:
                    changes.status = update.status
                write.execute("UPDATE verifications SET received = 1 WHERE state = ?", (update.state,))
                if update.batch is not None:
                    added = write.execute("INSERT INTO journal (data) VALUES (?)", (pack(update.batch),))
                    changes.batches.append(update.batch)
                    changes.last = added.lastrowid or 0
            rows = [("last_message", str(changes.last_message)), ("status", changes.status)]
            write.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
        return errors, changes

    def _is_stale(self) -> bool:
        age = self._clock() - datetime.fromtimestamp(self._last_message / 1_000_000, UTC)
        return not self._last_message or age > self._stale_after

    def _refresh(self) -> None:
        """Load what was written since the last call, if anything; otherwise no table is read."""
        version = self._reader.data_version()
        if version != self._version:
            self._version = version
            self._load_changes()

    def _load_changes(self) -> None:
        changes = self._changes_since_last()
        removed: set[str] | None = set()
        if changes.compacted > self._last:
            # Another process compacted the journal or began a stream: its updates are in the snapshot.
            self._reload()
            changes, removed = self._changes_since_last(), None
        self._apply(changes, removed)

    def _changes_since_last(self) -> _Changes:
        """One statement, so it is one state of the file."""
        changes = _Changes(last=self._last)
        for number, name, value in self._reader.read(_CHANGES, self._last):
            if name == "":
                changes.batches.append(unpack(value))
                changes.last = max(changes.last, number)
            else:
                setattr(changes, name, value if name in ("stream", "status") else int(value))
        return changes

    def _apply(self, changes: _Changes, removed: set[str] | None) -> None:
        for batch in changes.batches:
            places = [self._labels.setdefault(label, len(self._labels)) for label in batch.labels]
            keys, seq, points, label = batch.columns()
            self._table.upsert(keys, seq, points, np.array([*places, -1], np.int32)[label])
            self._journal_size += len(seq)
            if removed is not None:
                removed.update(batch.removed)
        self._last, self._last_message = changes.last, changes.last_message
        self._stream, self._status = changes.stream, changes.status
        if removed is None or removed:
            for callback in self._removal_callbacks:
                callback(None if removed is None else frozenset(removed))

    def _reload(self) -> None:
        """Load the snapshot."""
        parts = dict(self._reader.read(_SNAPSHOT))
        self._last, self._journal_size = int(parts.pop("compacted", 0)), 0
        self._table, self._labels = ScoreTable(), {}
        if parts:
            *columns, labels = (parts[name] for name in _COLUMNS)
            self._table = ScoreTable.load(*columns)
            self._labels = {label: place for place, label in enumerate(unpack_labels(labels))}


def _error(write: sqlite3.Connection, update: Update, stream: str) -> SesameError | None:
    before = write.execute("SELECT digest FROM received WHERE jti = ?", (update.jti,)).fetchone()
    if before is not None and before[0] != update.digest:
        return InvalidInputError(
            "was used for another message", field="jti", hint="give each token its own jti"
        )
    if update.stream is not None and update.stream != stream:
        # Temporary: the hub may send to a new stream before the store has its id.
        return RetryableError("is of another stream than this store's", field="sub_id")
    if update.state is not None:
        expected = "SELECT 1 FROM verifications WHERE state = ?"
        if write.execute(expected, (update.state,)).fetchone() is None:
            # SSF 1.0 section 8.1.4.1 has this code.
            return InvalidInputError(
                "is not of our verification request", field="state", code="invalid_state"
            )
    return None


def _micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
