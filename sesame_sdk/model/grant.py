"""A person's consent: what a partner may send or read, for which purpose, and how long."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen, validators

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators

#: Kinds, or crossings, of one grant.
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
        given_at: when the person consented; UTC.
        kinds: for send, the kinds that may be sent; at least one.
        purpose: for read, IRI of the purpose.
        context: for read, the context of the score.
        crossings: for read, other contexts that may count in it (rule CTX-1).
        expires_at: when it expires, if it does; UTC.
        withdrawn_at: when the person withdrew it, if so; UTC.
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
            raise InvalidInputError("a grant to send must name kinds", field="kinds")
        if self.direction is Direction.READ and (self.purpose is None or self.context is None):
            raise InvalidInputError("a grant to read must name purpose and context", field="purpose, context")

    def is_valid(self, at: datetime) -> bool:
        """Whether the consent is valid at this time (rule CON-1)."""
        return (
            self.given_at <= at
            and (self.expires_at is None or at < self.expires_at)
            and (self.withdrawn_at is None or at < self.withdrawn_at)
        )


@frozen
class ReadRequest:
    """A request to read one person's score, as the guard checks it.

    Attributes:
        partner: issuer URL of the reader.
        purpose: IRI of the purpose.
        context: of the score.
        at: when; UTC.
        grant: the consent that covers it, if there is one.
    """

    partner: str
    purpose: str
    context: str
    at: datetime = field(validator=model_validators.utc)
    grant: Grant | None = None
