"""Events in a consumer's stream (changed scores, removed subjects), and notices to a partner of its disputes.

Each state of a subject has a number, `seq`, that grows with time. Of two states of a subject the one with the
higher number is valid, in whatever order they arrive. An equal number is the same state, delivered again.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from attrs import field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators

#: States in one message.
MAX_CHANGES = 1000
_MAX_STATE_LENGTH = 512
_Seq = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


@frozen
class SubjectId:
    """The subject of an event (RFC 9493 section 3.2.6): a consumer's pseudonym, or a stream's id."""

    id: str = field(validator=validators.subject)
    format: Literal["opaque"] = "opaque"


@frozen
class ScoreChange:
    """The current score of a subject; no points and band mean that there is none, which is a full answer."""

    sub_id: SubjectId
    seq: _Seq
    points: float | None = None
    band: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | None = None

    def __attrs_post_init__(self) -> None:
        if (self.points is None) is not (self.band is None):
            raise InvalidInputError("must both be given, or neither", field="points, band")


@frozen
class ScoresChanged:
    """Scores of several subjects, each once, by one policy, at the start of the UTC day `as_of`."""

    purpose: str = field(validator=validators.iri)
    context: str = field(validator=validators.context)
    policy: str = field(validator=validators.text(64))
    base: float = field(validator=validators.finite)
    as_of: date = field(validator=validators.instance_of(date))
    changes: Annotated[tuple[ScoreChange, ...], msgspec.Meta(min_length=1, max_length=MAX_CHANGES)]


@frozen
class SubjectRemoved:
    """The person in ``sub_id`` is erased, or withdrew consent for `purpose`: the data must not be used."""

    seq: _Seq
    purpose: str | None = field(default=None, validator=validators.optional(validators.iri))
    context: str | None = field(default=None, validator=validators.optional(validators.context))


@frozen
class Verification:
    """A heartbeat (SSF 1.0 section 8.1.4.1), with the `state` of a verification request, if there was one."""

    state: str | None = field(default=None, validator=validators.optional(validators.text(_MAX_STATE_LENGTH)))


@frozen
class StreamUpdated:
    """The hub changed the stream's status (SSF 1.0 section 8.1.5)."""

    status: Literal["enabled", "paused", "disabled"]
    reason: str | None = field(default=None, validator=validators.optional(validators.text(1024)))


@frozen
class SignalDisputed:
    """The person in ``sub_id`` disputes a signal; it does not count until the decision, due on that day."""

    signal: str = field(validator=validators.signal_id)
    kind: str = field(validator=validators.kind_name)
    statement: str = field(validator=validators.text(1000))
    decision_due: date = field(validator=validators.instance_of(date))


@frozen
class DisputeDecided:
    """The decision: ``upheld``, and the signal never counts again; or ``rejected``: it counts."""

    signal: str = field(validator=validators.signal_id)
    outcome: Literal["upheld", "rejected"]
