"""Converts the hub's messages to updates of a score store, and serializes them. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec
import numpy as np
from attrs import field, frozen

from sesame_sdk.model.score import Score
from sesame_sdk.model.stream_events import ScoresChanged, SubjectRemoved
from sesame_sdk.partner.score_store.table import Keys, Numbers, Values, hash_subjects


class Label(NamedTuple):
    """What scores share."""

    band: str
    policy: str
    base: float
    day: str

    def score(self, points: float) -> Score:
        """A score with this label."""
        return Score(points, self.band, date.fromisoformat(self.day), self.policy, self.base)


@frozen
class Batch:
    """States of subjects, as columns: `hash_subjects`, numbers, points, and indices into `labels`, or -1.

    `removed` are pseudonyms of removed subjects, for pages that show them.
    """

    keys: bytes = b""
    seq: bytes = b""
    points: bytes = b""
    label: bytes = b""
    labels: tuple[Label, ...] = ()
    removed: tuple[str, ...] = ()

    def columns(self) -> tuple[Keys, Numbers, Values, Numbers]:
        """The columns as arrays, without the labels."""
        return (
            np.frombuffer(self.keys, "<u8").reshape(-1, 2),
            np.frombuffer(self.seq, "<i8"),
            np.frombuffer(self.points, "<f8"),
            np.frombuffer(self.label, "<i4").astype(np.int64),
        )


@frozen
class Update:
    """A verified message, converted.

    Attributes:
        digest: SHA-256 of it, which identifies a repeated message.
        batch: its states of subjects; None for a heartbeat.
        stream: the stream that it is about; None if it is about a subject.
        erased: whether the subject must be deleted from the file as well.
        status: the new status of the stream, if it changed.
        state: what a verification event repeats of the request for it.
    """

    jti: str
    digest: bytes
    issued_at: datetime
    batch: Batch | None = field(default=None, repr=False)
    stream: str | None = None
    erased: bool = False
    status: str | None = None
    state: str | None = None


pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Batch).decode
unpack_labels = msgspec.msgpack.Decoder(tuple[Label, ...]).decode


def batch_from_scores(event: ScoresChanged) -> Batch:
    """Convert a scores-changed event."""
    changes, places = event.changes, dict[str, int]()
    label = [-1 if one.band is None else places.setdefault(one.band, len(places)) for one in changes]
    points = [np.nan if one.points is None else one.points for one in changes]
    keys = hash_subjects([one.sub_id.id for one in changes])
    labels = tuple(Label(band, event.policy, event.base, event.as_of.isoformat()) for band in places)
    return _batch(keys, [one.seq for one in changes], points, label, labels)


def batch_from_removal(subject: str, event: SubjectRemoved) -> Batch:
    """Convert a grant-withdrawn or person-erased event."""
    return _batch(hash_subjects([subject]), [event.seq], [np.nan], [-1], removed=(subject,))


def _batch(
    keys: Keys,
    seq: Sequence[int],
    points: Sequence[float],
    label: Sequence[int],
    labels: tuple[Label, ...] = (),
    removed: tuple[str, ...] = (),
) -> Batch:
    return Batch(
        keys.astype("<u8").tobytes(),
        np.array(seq, "<i8").tobytes(),
        np.array(points, "<f8").tobytes(),
        np.array(label, "<i4").tobytes(),
        labels,
        removed,
    )
