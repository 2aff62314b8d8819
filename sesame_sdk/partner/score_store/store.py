"""The score store: a local replica of the latest scores of the subjects in one stream.

Rules:
    * None is a full answer: unknown subject, no consent, or no score
    * a store that has had no message from the hub for some time is stale, and returns no scores
    * a removed subject is deleted before the hub's message is acknowledged, and callbacks can remove it from
      pages at once
    * updates are on disk; several processes may share a store, and each sees the updates of the others at its
      next read
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock

import numpy as np
from attrs import frozen

from sesame_sdk.errors import SesameError
from sesame_sdk.interfaces import Closeable
from sesame_sdk.model.score import Score
from sesame_sdk.partner.score_store.storage import REPLAY_WINDOW, Changes, ScoreFile, Snapshot
from sesame_sdk.partner.score_store.table import ScoreTable, SubjectIndex, Values, hash_subjects
from sesame_sdk.partner.score_store.updates import Batch, Label, Update, day_of

#: Ten times the heartbeat interval of a hub.
STALE_AFTER = timedelta(minutes=5)
#: States in the journal before it is compacted; a large store is compacted less often.
_MAX_JOURNAL = 50_000
_JOURNAL_SHARE = 8
#: Called with the pseudonyms of removed subjects; None if any may have been removed.
RemovalCallback = Callable[[frozenset[str] | None], None]


@frozen
class ScoreStoreState:
    """The state of a score store.

    Attributes:
        subject_count: number of subjects that have a score, usable or not.
        last_message_at: time of the latest message from the hub; UTC; None for none.
        stale: whether that is too long ago, so that no score is returned.
        stream: id of its stream; empty for none.
    """

    subject_count: int
    last_message_at: datetime | None
    stale: bool
    stream: str


class ScoreStore(Closeable):
    """The latest scores for one purpose in one context. Thread-safe.

    Args:
        path: its file; created if it does not exist.
        hub: issuer URL of the hub.
        reader: our own issuer URL.
        purpose: IRI of the purpose.
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
        self.hub, self.reader, self.purpose, self.context = hub, reader, purpose, context
        self._stale_after = stale_after
        self._clock = clock
        identity = {"hub": hub, "reader": reader, "purpose": purpose, "context": context}
        self._file = ScoreFile(path, identity)
        self._lock = RLock()
        self._removal_callbacks: list[RemovalCallback] = []
        self._table, self._labels = ScoreTable(), dict[Label, int]()
        self._last = self._journal_size = self._last_message = 0
        self._stream = ""
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
            points, places = self._table.points(keys), self._table.labels(keys)
            labels = list(self._labels)
        rows = zip(subjects, points.tolist(), places.tolist(), strict=True)
        return {
            subject: _score(value, labels[place]) if place >= 0 else None for subject, value, place in rows
        }

    @property
    def state(self) -> ScoreStoreState:
        """Its current state."""
        with self._lock:
            self._refresh()
            at = datetime.fromtimestamp(self._last_message / 1_000_000, UTC) if self._last_message else None
            return ScoreStoreState(self._table.count_scores(), at, self._is_stale(), self._stream)

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
        """Apply messages that `inbox.Inbox` verified; returns for each why it was not applied."""
        updates = list(updates)
        errors, changes = self._file.append(updates)
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
        """Start with a new stream and an empty store."""
        self._file.begin_stream(stream)
        with self._lock:
            self._load_changes()

    def compact(self) -> None:
        """Compact the journal, so that opening stays quick and no older state is stored."""
        self._file.compact(self._snapshot)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _is_stale(self) -> bool:
        age = self._clock() - datetime.fromtimestamp(self._last_message / 1_000_000, UTC)
        return not self._last_message or age > self._stale_after

    def _refresh(self) -> None:
        if self._file.changed():
            self._load_changes()

    def _load_changes(self) -> None:
        changes = self._file.since(self._last)
        removed: set[str] | None = set()
        if changes.compacted > self._last:
            # Another process compacted the journal or began a stream: its updates are in the snapshot.
            self._reload()
            changes, removed = self._file.since(self._last), None
        self._apply(changes, removed)

    def _apply(self, changes: Changes, removed: set[str] | None) -> None:
        for batch in changes.batches:
            self._upsert(batch)
            if removed is not None:
                removed.update(batch.removed)
        self._last, self._last_message, self._stream = changes.last, changes.last_message, changes.stream
        if removed is None or removed:
            for callback in self._removal_callbacks:
                callback(None if removed is None else frozenset(removed))

    def _reload(self) -> None:
        self._table, labels, self._last = self._file.load()
        self._labels = {label: place for place, label in enumerate(labels)}
        self._journal_size = 0

    def _upsert(self, batch: Batch) -> None:
        places = [self._labels.setdefault(label, len(self._labels)) for label in batch.labels]
        keys, seq, points, label = batch.columns()
        self._table.upsert(keys, seq, points, np.array([*places, -1], np.int32)[label])
        self._journal_size += len(seq)

    def _snapshot(self) -> Snapshot:
        """Runs with the lock on the file; reads wait for the copying, not for the disk."""
        delete_before = self._clock() - REPLAY_WINDOW
        with self._lock:
            self._load_changes()
            columns = self._table.dump(since=int(delete_before.timestamp() * 1_000_000))
            self._journal_size = 0
            return columns, tuple(self._labels), self._last, delete_before


def _score(points: float, label: Label) -> Score:
    band, policy, base, _ = label
    return Score(points, band, day_of(label), policy, base)
