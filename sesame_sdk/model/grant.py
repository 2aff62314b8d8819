"""A person's consent: who may send or read what, for which purpose, since when and until when."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen, validators

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators

#: Kinds, or crossings, that one grant names at most.
MAX_NAMES = 1000


class Direction(StrEnum):
    """Which way a grant lets data flow: a partner sends signals, or reads scores."""

    SEND = "send"
    READ = "read"


@frozen
class Grant:
    """One consent of one person to one partner. Valid from given to withdrawn or expired.

    Attributes:
        partner: issuer URL of the partner.
        subject: the partner's pseudonym for the person.
        direction: send or read.
        given_at: when the person said yes; UTC.
        kinds: for send, the kinds that may come in; at least one.
        purpose: for read, the IRI of why.
        context: for read, whose policy makes the score.
        crossings: for read, the other contexts that the person lets count in it (rule CTX-1).
        expires_at: end agreed from the start, if any; UTC.
        withdrawn_at: when the person took it back, if so; UTC.
        adult: whether the person is known to be 18 or older. Unknown is False (rule MIN-1).
    """

    partner: str = field(validator=model_validators.url)
    subject: str = field(validator=model_validators.subject)
    direction: Direction = field(validator=validators.instance_of(Direction))
    given_at: datetime = field(validator=model_validators.utc)
    kinds: tuple[str, ...] = field(
        default=(), validator=model_validators.each(model_validators.kind_name, max_items=MAX_NAMES)
    )
    purpose: str | None = field(default=None, validator=validators.optional(model_validators.iri))
    context: str | None = field(default=None, validator=validators.optional(model_validators.context))
    crossings: tuple[str, ...] = field(
        default=(), validator=model_validators.each(model_validators.context, max_items=MAX_NAMES)
    )
    expires_at: datetime | None = field(default=None, validator=validators.optional(model_validators.utc))
    withdrawn_at: datetime | None = field(default=None, validator=validators.optional(model_validators.utc))
    adult: bool = field(default=False, validator=validators.instance_of(bool))

    def __attrs_post_init__(self) -> None:
        if self.direction is Direction.SEND and not self.kinds:
            raise InvalidInputError("a grant to send names what may be sent", field="kinds")
        if self.direction is Direction.READ and (self.purpose is None or self.context is None):
            raise InvalidInputError("a grant to read names why and which score", field="purpose, context")

    def is_valid(self, at: datetime) -> bool:
        """Whether the consent stands at this moment (rule CON-1)."""
        return (
            self.given_at <= at
            and (self.expires_at is None or at < self.expires_at)
            and (self.withdrawn_at is None or at < self.withdrawn_at)
        )


@frozen
class ReadRequest:
    """A consumer's wish to read one person's score, as the guard sees it at the moment of reading.

    Attributes:
        partner: issuer URL of the reader.
        purpose: IRI of why.
        context: whose policy makes the score.
        at: the moment; UTC.
        grant: the consent that covers it, if the person gave one.
    """

    partner: str
    purpose: str
    context: str
    at: datetime = field(validator=model_validators.utc)
    grant: Grant | None = None
