"""The score book: the last known scores of the people in one stream, at hand without the network.

Rules:
    * None is a full answer: nobody known, no consent, no score
    * a book that has not heard from the hub for a set time says so, and has no score for anybody
    * who left is out of the book before the hub's message is acknowledged, and whoever shows pages with
      them is told at once
    * what was taken in is on disk; several processes may share a book, and each sees what another took in
      the next time that it looks
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
from sesame_sdk.partner.score_store.storage import REPLAY_WINDOW, ScoreFile, Snapshot
from sesame_sdk.partner.score_store.subject_index import SubjectIndex
from sesame_sdk.partner.score_store.table import ScoreTable, Values, hash_subjects
from sesame_sdk.partner.score_store.updates import Batch, Label, Update, day_of

#: Ten times as long as a hub lets pass without a sign of life.
STALE_AFTER = timedelta(minutes=5)
#: States in the journal before it is folded into the columns; a large book folds less often.
_MOST_UNFOLDED = 50_000
_SHARE = 8
#: Told the pseudonyms of people who left; None when anybody may have.
Removal = Callable[[frozenset[str] | None], None]


@frozen
class ScoreStoreState:
    """How a book is.

    Attributes:
        subject_count: how many have a score in it, usable or not.
        last_message_at: the moment for which the hub last spoke for it; UTC; None for never.
        stale: whether that is too long ago, so that no score is used.
        stream: the hub's stream that it follows; empty for none.
    """

    subject_count: int
    last_message_at: datetime | None
    stale: bool
    stream: str


class ScoreStore(Closeable):
    """Last known scores for one purpose in one context. Threads may share it.

    Args:
        path: its file; created when it is not there.
        hub: issuer URL of the hub.
        reader: our own issuer URL.
        purpose: IRI of why we read.
        context: whose policy makes the scores.
        stale_after: after so long without the hub nothing in the book is used.
        clock: tells the time, in UTC.

    Raises:
        ConfigurationError: the file cannot be used, or is of another hub, reader, purpose or context.
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
        whose = {"hub": hub, "reader": reader, "purpose": purpose, "context": context}
        self._file = ScoreFile(path, whose)
        self._lock = RLock()
        self._removals: list[Removal] = []
        self._columns, self._labels = ScoreTable(), dict[Label, int]()
        self._last = self._unfolded = self._heard = 0
        self._stream = ""
        self._reload()
        self._catch_up()

    def points(self, subjects: Sequence[str] | SubjectIndex) -> Values:
        """The points of each person; NaN for no score, and for everybody while the book is stale.

        Args:
            subjects: our own pseudonyms, any number. Of a roster the answer is the very same array, which
                cannot be written to, until something changes.
        """
        roster = subjects if isinstance(subjects, SubjectIndex) else SubjectIndex(subjects)
        with self._lock:
            self._look()
            if self._is_stale():
                return np.full(len(roster), np.nan)
            return roster.points(self._columns)

    def scores(self, subjects: Sequence[str]) -> dict[str, Score | None]:
        """The same as scores, without reasons: what `Client.scores` would have answered."""
        keys = hash_subjects(subjects)
        with self._lock:
            self._look()
            if self._is_stale():
                return dict.fromkeys(subjects)
            points, places = self._columns.points(keys), self._columns.labels(keys)
            labels = list(self._labels)
        found = zip(subjects, points.tolist(), places.tolist(), strict=True)
        return {
            subject: _score(value, labels[place]) if place >= 0 else None for subject, value, place in found
        }

    @property
    def state(self) -> ScoreStoreState:
        """How it is now."""
        with self._lock:
            self._look()
            heard = datetime.fromtimestamp(self._heard / 1_000_000, UTC) if self._heard else None
            return ScoreStoreState(self._columns.count_scores(), heard, self._is_stale(), self._stream)

    def on_removal(self, tell: Removal) -> None:
        """Call `tell` whenever people leave, so that no page shows them any longer.

        It is called in the thread that takes the news in, or that sees what another process took in:
        see `look`. It must not raise.
        """
        self._removals.append(tell)

    def refresh(self) -> None:
        """See what other processes took in. Every reading does so by itself."""
        with self._lock:
            self._look()

    def apply(self, news: Iterable[Update]) -> list[SesameError | None]:
        """Take in verified messages; for each, why it was not. See `inbox.Inbox`, which verifies them."""
        told = list(news)
        verdicts = self._file.append(told)
        with self._lock:
            self._catch_up()
            due = self._unfolded > max(_MOST_UNFOLDED, self._columns.count // _SHARE)
        if due or any(one.erased for one in told):
            self.compact()
        return verdicts

    def begin_stream(self, stream: str) -> None:
        """Follow a new stream, from an empty book."""
        self._file.begin(stream)
        with self._lock:
            self._catch_up()

    def compact(self) -> None:
        """Put what came since into the columns, so that opening stays quick and nothing older is kept."""
        self._file.fold(self._folded)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _is_stale(self) -> bool:
        age = self._clock() - datetime.fromtimestamp(self._heard / 1_000_000, UTC)
        return not self._heard or age > self._stale_after

    def _look(self) -> None:
        if self._file.changed():
            self._catch_up()

    def _catch_up(self) -> None:
        found = self._file.since(self._last)
        gone: set[str] | None = set()
        if found.folded > self._last:
            # Somebody else folded, or began anew, and what came in between is only in the columns.
            self._reload()
            found, gone = self._file.since(self._last), None
        for batch in found.batches:
            self._put(batch)
            if gone is not None:
                gone.update(batch.removed)
        self._last, self._heard, self._stream = found.last, found.heard, found.stream
        if gone is None or gone:
            for tell in self._removals:
                tell(None if gone is None else frozenset(gone))

    def _reload(self) -> None:
        self._columns, labels, self._last = self._file.load()
        self._labels = {label: place for place, label in enumerate(labels)}
        self._unfolded = 0

    def _put(self, batch: Batch) -> None:
        places = [self._labels.setdefault(label, len(self._labels)) for label in batch.labels]
        keys, seq, points, label = batch.columns()
        self._columns.upsert(keys, seq, points, np.array([*places, -1], np.int32)[label])
        self._unfolded += len(seq)

    def _folded(self) -> Snapshot:
        """With the lock on the file; readers wait for the copying, and not for the disk."""
        forget = self._clock() - REPLAY_WINDOW
        with self._lock:
            self._catch_up()
            columns = self._columns.dump(since=int(forget.timestamp() * 1_000_000))
            self._unfolded = 0
            return columns, tuple(self._labels), self._last, forget


def _score(points: float, label: Label) -> Score:
    band, policy, base, _ = label
    return Score(points, band, day_of(label), policy, base)
