"""A person's consent: what a partner may send or read, for which purpose, and how long."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators
from sesame_sdk.model.issuers import normalize_issuer

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
        subject: the partner's pseudonym for the person.
        kinds: for send, the kinds that may be sent; at least one.
        crossings: for read, other contexts that may count in it (rule CTX-1).
        adult: whether the person is known to be 18 or older. Unknown is False (rule MIN-1).
    """

    partner: str = field(converter=normalize_issuer, validator=validators.url)
    subject: str = field(validator=validators.pseudonym)
    direction: Direction = field(validator=validators.instance_of(Direction))
    given_at: datetime = field(validator=validators.utc)
    kinds: tuple[str, ...] = field(default=(), validator=validators.each(validators.kind_name, MAX_NAMES))
    purpose: str | None = field(default=None, validator=validators.optional(validators.iri))
    context: str | None = field(default=None, validator=validators.optional(validators.context))
    crossings: tuple[str, ...] = field(default=(), validator=validators.each(validators.context, MAX_NAMES))
    expires_at: datetime | None = field(default=None, validator=validators.optional(validators.utc))
    withdrawn_at: datetime | None = field(default=None, validator=validators.optional(validators.utc))
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
    """A request to read one person's score, as the guard checks it; `grant` is the consent that covers it."""

    partner: str
    purpose: str
    context: str
    at: datetime = field(validator=validators.utc)
    grant: Grant | None = None
