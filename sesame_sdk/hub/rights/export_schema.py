"""The form of an export: everything about a person, as one JSON document.

`FORMAT` is its version; what is added without changing what is there keeps it. `schema` says the form as
JSON Schema; ``docs/export.schema.json`` is a copy of it.
"""

from datetime import date, datetime
from typing import Any, Literal

import msgspec
from attrs import frozen

from sesame_sdk.hub.rights.deadlines import DeadlineStatus
from sesame_sdk.hub.rights.dispute_model import DisputeState, Step
from sesame_sdk.hub.scoring.score_reads import ScoreRead
from sesame_sdk.model.explanation import Explanation
from sesame_sdk.model.grant import Grant

FORMAT = "urn:sesame-sdk:export:1"


@frozen
class Pseudonym:
    """What a partner calls the person."""

    partner: str
    subject: str


@frozen
class ScoreNow:
    """A score as it is at the moment of the export, with every contribution; none is a full answer."""

    context: str
    explanation: Explanation | None


@frozen
class DueBy:
    """Something to be done about a dispute: what, by the end of which day, when it was, how it stands."""

    what: str
    due: date
    done_at: datetime | None
    standing: DeadlineStatus


@frozen
class Disputed:
    """A dispute with all that happened and is to happen to it, and the person's own statement."""

    number: int
    partner: str
    signal: str
    kind: str
    state: DisputeState
    statement: str
    steps: tuple[Step, ...]
    deadlines: tuple[DueBy, ...]


@frozen
class ToldScore:
    """The last state of the score that a reader's stream was told, or is to be told if it is `owed`."""

    partner: str
    purpose: str
    context: str
    event: str
    points: float | None
    band: str | None
    as_of: str
    owed: bool


@frozen
class OwedNotice:
    """Something about the person that a partner is still to be told, and since when."""

    partner: str
    event: str
    since: datetime


@frozen
class HeldSignal:
    """A signal, what it means, and what proves who sent it.

    Attributes:
        id: the signal's.
        partner: who sent it.
        subject: what the partner calls the person.
        kind: what it says.
        context: the sphere of life that it belongs to.
        unit: what a value of 1 means.
        reason: what the partner declared the person should read beside it.
        value: how much.
        occurred_at: when it happened; UTC.
        received_at: when the hub got it; UTC.
        envelope: ``jti`` of the signed message that it came in.
        key: RFC 7638 thumbprint of the key that signed it.
        disclosure: the text that the signature vouches for (RFC 9901); empty where it came in the clear.
        verifies: whether the signature holds now; none where the message was given up for others' sake.
        key_revoked: whether the key did not count any more when it came, so that it counts for nothing.
        again: whether the same signal stands by another message, so that this one adds nothing.
        dispute: number of the dispute of it, if there is one.
    """

    id: str
    partner: str
    subject: str
    kind: str
    context: str
    unit: str
    reason: str
    value: float
    occurred_at: datetime
    received_at: datetime
    envelope: str
    key: str
    disclosure: str
    verifies: bool | None
    key_revoked: bool
    again: bool
    dispute: int | None


@frozen
class Export:
    """Everything that a hub has about a person."""

    format: Literal["urn:sesame-sdk:export:1"]
    hub: str
    person: str
    at: datetime
    pseudonyms: tuple[Pseudonym, ...]
    grants: tuple[Grant, ...]
    scores: tuple[ScoreNow, ...]
    disputes: tuple[Disputed, ...]
    reads: tuple[ScoreRead, ...]
    told: tuple[ToldScore, ...]
    notices: tuple[OwedNotice, ...]
    signals: tuple[HeldSignal, ...]


def schema() -> dict[str, Any]:
    """The form as JSON Schema (2020-12)."""
    named = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": FORMAT}
    return named | msgspec.json.schema(Export)
