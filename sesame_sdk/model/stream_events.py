"""Events in a consumer's stream: changed scores, removed subjects.

Each state of a subject has a number, `seq`, that grows with time. Of two states of a subject the one with the
higher number is valid, in whatever order they arrive.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from attrs import field, frozen, validators

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators

#: States in one message.
MAX_CHANGES = 1000
_MAX_STATE_LENGTH = 512
_Seq = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


@frozen
class SubjectId:
    """The subject of an event (RFC 9493 section 3.2.6): a consumer's pseudonym, or a stream's id."""

    id: str = field(validator=model_validators.subject)
    format: Literal["opaque"] = "opaque"


@frozen
class ScoreChange:
    """The current score of a subject.

    Attributes:
        sub_id: the consumer's own pseudonym of the person.
        seq: number of this state.
        points: None for no score, which is a full answer.
        band: name of the band; None without points.
    """

    sub_id: SubjectId
    seq: _Seq
    points: float | None = None
    band: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | None = None

    def __attrs_post_init__(self) -> None:
        if (self.points is None) is not (self.band is None):
            raise InvalidInputError("must both be given, or neither", field="points, band")


@frozen
class ScoresChanged:
    """Scores of several subjects, each once, by one policy on one day, without contributions.

    Attributes:
        purpose: IRI of the purpose.
        context: of the scores.
        policy: digest of the policy.
        base: points of a new person.
        as_of: the UTC day at whose start they were computed.
        changes: 1 to `MAX_CHANGES`.
    """

    purpose: str = field(validator=model_validators.iri)
    context: str = field(validator=model_validators.context)
    policy: str = field(validator=model_validators.text(64))
    base: float = field(validator=model_validators.finite)
    as_of: date = field(validator=validators.instance_of(date))
    changes: Annotated[tuple[ScoreChange, ...], msgspec.Meta(min_length=1, max_length=MAX_CHANGES)]


@frozen
class SubjectRemoved:
    """The person in ``sub_id`` withdrew the consent, or is erased: their data must not be used.

    Attributes:
        seq: number of this state.
        purpose: of the withdrawn grant; None after an erasure.
        context: of the withdrawn grant; None after an erasure.
    """

    seq: _Seq
    purpose: str | None = field(default=None, validator=validators.optional(model_validators.iri))
    context: str | None = field(default=None, validator=validators.optional(model_validators.context))


@frozen
class Verification:
    """A heartbeat (SSF 1.0 section 8.1.4.1), with the `state` of a verification request, if there was one."""

    state: str | None = field(
        default=None, validator=validators.optional(model_validators.text(_MAX_STATE_LENGTH))
    )


@frozen
class StreamUpdated:
    """The hub changed the stream's status (SSF 1.0 section 8.1.5)."""

    status: Literal["enabled", "paused", "disabled"]
    reason: str | None = field(default=None, validator=validators.optional(model_validators.sentence))
