"""What a hub tells a consumer of the people in its stream: scores that changed, people who left.

Each state of a person has a number that grows with time, `seq`. Of two states of one person the one
with the higher number holds, whichever came first, so that nothing that arrives late can undo what
came after it.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from attrs import field, frozen, validators

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators

#: States of people in one message: as with signals, more would make the loss of one request dear.
MAX_CHANGES = 1000
_LONGEST_STATE = 512
_Seq = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


@frozen
class SubjectId:
    """Whom a message is about (RFC 9493 section 3.2.6): a consumer's pseudonym, or a stream's id."""

    id: str = field(validator=model_validators.subject)
    format: Literal["opaque"] = "opaque"


@frozen
class ScoreChange:
    """One person's score as it is now.

    Attributes:
        sub_id: the consumer's own pseudonym for the person.
        seq: number of this state.
        points: None for no score, which is a full answer.
        band: name of the band; None where there are no points.
    """

    sub_id: SubjectId
    seq: _Seq
    points: float | None = None
    band: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | None = None

    def __attrs_post_init__(self) -> None:
        if (self.points is None) is not (self.band is None):
            raise InvalidInputError("come together or not at all", field="points, band")


@frozen
class ScoresChanged:
    """Scores of several people, each once, by one policy on one day. Never with reasons.

    Attributes:
        purpose: IRI of why the consumer may read them.
        context: whose policy makes them.
        policy: its digest.
        base: what it starts everybody at.
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
    """The person in ``sub_id`` took the consent back, or is erased: nothing of them may be used.

    Attributes:
        seq: number of this state.
        purpose: of the grant that ended; None when all is.
        context: the same.
    """

    seq: _Seq
    purpose: str | None = field(default=None, validator=validators.optional(model_validators.iri))
    context: str | None = field(default=None, validator=validators.optional(model_validators.context))


@frozen
class Verification:
    """The stream is alive (SSF 1.0 section 8.1.4.1). `state` is what the consumer asked with, if it did."""

    state: str | None = field(
        default=None, validator=validators.optional(model_validators.text(_LONGEST_STATE))
    )


@frozen
class StreamUpdated:
    """The hub changed the stream's status (SSF 1.0 section 8.1.5)."""

    status: Literal["enabled", "paused", "disabled"]
    reason: str | None = field(default=None, validator=validators.optional(model_validators.sentence))
