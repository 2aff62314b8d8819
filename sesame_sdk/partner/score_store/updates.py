"""Converts the hub's messages to updates of a score store, and serializes them. Pure."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
import numpy as np
from attrs import field, frozen

from sesame_sdk.model.stream_events import ScoresChanged, SubjectRemoved
from sesame_sdk.partner.score_store.table import Keys, Numbers, Values, hash_subjects

Label = tuple[str, str, float, str]


@frozen
class Batch:
    """States of subjects, as columns.

    Attributes:
        keys: see `table.hash_subjects`; as bytes, like all the columns.
        seq: numbers of the states.
        points: NaN for none.
        label: for each subject an index into `labels`; -1 for none.
        labels: band, policy, base and day of scores.
        removed: pseudonyms of removed subjects, for pages that show them.
    """

    keys: bytes = b""
    seq: bytes = b""
    points: bytes = b""
    label: bytes = b""
    labels: tuple[Label, ...] = ()
    removed: tuple[str, ...] = ()

    def columns(self) -> tuple[Keys, Numbers, Values, Numbers]:
        """Keys, numbers, points and labels."""
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
        jti: its id.
        digest: SHA-256 of it, which identifies a repeated message.
        issued_at: when the hub signed it; UTC.
        batch: its states of subjects; None for a heartbeat.
        stream: the stream that it is about; None if it is about a subject.
        erased: whether the subject must be deleted from the file as well.
    """

    jti: str
    digest: bytes
    issued_at: datetime
    batch: Batch | None = field(default=None, repr=False)
    stream: str | None = None
    erased: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)
_labels = msgspec.msgpack.Decoder(tuple[Label, ...])
pack = _encoder.encode
unpack = _decoder.decode
unpack_labels = _labels.decode


def batch_from_scores(event: ScoresChanged) -> Batch:
    """Convert a scores-changed event."""
    changes = event.changes
    shared = (event.policy, event.base, event.as_of.isoformat())
    places: dict[str, int] = {}
    label = [-1 if one.band is None else places.setdefault(one.band, len(places)) for one in changes]
    points = [np.nan if one.points is None else one.points for one in changes]
    return _batch(
        [one.sub_id.id for one in changes],
        [one.seq for one in changes],
        points,
        label,
        tuple((band, *shared) for band in places),
    )


def batch_from_removal(subject: str, event: SubjectRemoved) -> Batch:
    """Convert a grant-withdrawn or person-erased event."""
    return _batch([subject], [event.seq], [np.nan], [-1], gone=(subject,))


def _batch(
    subjects: Sequence[str],
    seq: Sequence[int],
    points: Sequence[float],
    label: Sequence[int],
    labels: tuple[Label, ...] = (),
    gone: tuple[str, ...] = (),
) -> Batch:
    return Batch(
        hash_subjects(subjects).astype("<u8").tobytes(),
        np.array(seq, "<i8").tobytes(),
        np.array(points, "<f8").tobytes(),
        np.array(label, "<i4").tobytes(),
        labels,
        gone,
    )


def day_of(label: Label) -> date:
    """The day of a label's scores."""
    return date.fromisoformat(label[3])
