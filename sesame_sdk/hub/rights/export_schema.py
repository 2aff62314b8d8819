"""The schema of an export; additions keep `FORMAT`. ``docs/export.schema.json`` is a copy of `schema()`."""

from datetime import date, datetime
from typing import Any, Literal

import msgspec
from attrs import frozen

from sesame_sdk.hub.rights.dispute_model import DeadlineStatus, DisputeState, DisputeStep
from sesame_sdk.hub.scoring.score_reads import ScoreRead
from sesame_sdk.model.explanation import Explanation
from sesame_sdk.model.grant import Grant

FORMAT = "urn:sesame-sdk:export:1"


@frozen
class Pseudonym:
    """A partner's pseudonym of the person, and when it replaced a wrong one, if it did."""

    partner: str
    subject: str
    corrected_at: datetime | None = None


@frozen
class CurrentScore:
    """A score at the time of the export, with every contribution; null is a valid answer."""

    context: str
    explanation: Explanation | None


@frozen
class ExportedDeadline:
    """A task of a dispute, its last day, when it was done, and its status."""

    task: str
    due: date
    done_at: datetime | None
    status: DeadlineStatus


@frozen
class ExportedDispute:
    """A dispute with its steps, deadlines, and the person's own statement."""

    number: int
    partner: str
    signal: str
    kind: str
    state: DisputeState
    statement: str
    steps: tuple[DisputeStep, ...]
    deadlines: tuple[ExportedDeadline, ...]


@frozen
class StreamedScore:
    """The last score that a reader's stream was sent, or will be sent if it is `pending`."""

    partner: str
    purpose: str
    context: str
    event: str
    points: float | None
    band: str | None
    as_of: str
    pending: bool


@frozen
class ExportedNotice:
    """An undelivered notice about the person."""

    partner: str
    event: str
    created_at: datetime


@frozen
class ExportedSignal:
    """A signal, its meaning, and the proof of its sender.

    Attributes:
        subject: the partner's pseudonym of the person.
        context: that the kind belongs to.
        unit: the meaning of a value of 1.
        observation: the entry of the catalogue that the kind records.
        approval: where this hub approved the entry for itself: by whom and when; empty if it is of the
            catalogue.
        reason: the words of the entry for people.
        envelope: ``jti`` of the signed message that contained it.
        kid: RFC 7638 thumbprint of the key that signed it.
        disclosure: the signed text (RFC 9901); empty if it was sent in the clear.
        verifies: whether the signature verifies now; null if another erasure dropped the token.
        key_revoked: whether the key was revoked before the signal arrived, so that it does not count.
        duplicate: whether another message says the same of this signal, so that this one adds nothing.
        corrected_by: ``jti`` of the message that changed its time or value, and stands since; null if none.
        dispute: number of its dispute, if any.
    """

    id: str
    partner: str
    subject: str
    kind: str
    context: str
    unit: str
    observation: str
    approval: str
    reason: str
    value: float
    occurred_at: datetime
    received_at: datetime
    envelope: str
    kid: str
    disclosure: str
    verifies: bool | None
    key_revoked: bool
    duplicate: bool
    dispute: int | None
    corrected_by: str | None = None


@frozen
class Export:
    """All data that a hub has about a person."""

    format: Literal["urn:sesame-sdk:export:1"]
    hub: str
    person: str
    exported_at: datetime
    pseudonyms: tuple[Pseudonym, ...]
    grants: tuple[Grant, ...]
    scores: tuple[CurrentScore, ...]
    disputes: tuple[ExportedDispute, ...]
    reads: tuple[ScoreRead, ...]
    streamed_scores: tuple[StreamedScore, ...]
    notices: tuple[ExportedNotice, ...]
    signals: tuple[ExportedSignal, ...]


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12)."""
    header = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": FORMAT}
    return header | msgspec.json.schema(Export)
