"""The interfaces that a plugin implements. The hooks in `hookspecs` register objects of these classes."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from attrs import field, frozen

from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.grant import ReadRequest
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Signal, SignalKind

Event = TypeVar("Event")
Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Closeable:
    """Makes a class with a ``close`` method usable in a ``with`` block, which closes it at the end."""

    __slots__ = ()

    def close(self) -> None:
        """Release what this holds."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@frozen
class Skipped:
    """A record of the partner's that does not become a signal. It never leaves the partner.

    Attributes:
        reason: short and constant, for counting: "no customer".
        records: number of the partner's own records (order lines, posts).
        amount: their value in the provider's unit, if that makes sense.
        line: the number in the file of a record that could not be read; None if a rule skips it.
        column: the column or field at fault, by its name in the file.
        form: the form of the value at fault, without the value: see `value_form`.
        text: that record, for the partner's own file of rejects.
    """

    reason: str
    records: int = 1
    amount: Decimal = Decimal(0)
    line: int | None = field(default=None, eq=False, kw_only=True)
    column: str = field(default="", eq=False, kw_only=True)
    form: str = field(default="", eq=False, kw_only=True)
    text: str = field(default="", eq=False, repr=False, kw_only=True)


class SignalProvider(ABC, Generic[Event]):
    """Converts a partner's own events to signals."""

    #: Its name on the command line: ``sesame post --provider retail``.
    name: ClassVar[str]
    #: The kinds of its signals.
    kinds: ClassVar[tuple[SignalKind, ...]]

    @abstractmethod
    def read(self, path: Path) -> Iterator[Event | Skipped]:
        """Read the partner's file, streaming. The only method with IO.

        A record that cannot be read becomes a `Skipped`, so that it does not stop the others.

        Raises:
            InvalidInputError: the file is not in this provider's format.
        """

    @abstractmethod
    def signals(self, event: Event, pseudonymizer: Pseudonymizer) -> Iterable[Signal | Skipped]:
        """Convert one event to signals. Pure: no file, no socket, no clock; same input, same result.

        Raises:
            InvalidInputError: the event is invalid.
        """


class ScoreConsumer(ABC, Generic[Request, Answer]):
    """Uses scores for one purpose that people consented to."""

    declaration: ClassVar[ConsumerDeclaration]

    @abstractmethod
    def subjects(self, request: Request) -> tuple[str, ...]:
        """The partner's own pseudonyms of the people whose scores `request` needs."""

    @abstractmethod
    def use(self, request: Request, scores: Mapping[str, Score | None]) -> Answer:
        """Answer `request`. A subject without a score must be treated no worse than an average one."""


class GuardRule(ABC):
    """One rule of the guard. It overrides the checks that it makes; rules can only add refusals."""

    id: ClassVar[str]
    source: ClassVar[str]
    dated: ClassVar[date]

    def check_kind(self, kind: SignalKind) -> Iterable[Finding]:  # noqa: ARG002
        """Check a kind when a plugin registers it."""
        return ()

    def check_policy(self, policy: Policy) -> Iterable[Finding]:  # noqa: ARG002
        """Check a policy when an operator loads it."""
        return ()

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterable[Finding]:  # noqa: ARG002
        """Check a consumer when it registers."""
        return ()

    def check_read(self, reading: ReadRequest) -> Iterable[Finding]:  # noqa: ARG002
        """Check every read of a score."""
        return ()

    def refuse(self, about: str, reason: str, hint: str) -> Finding:
        """Create a refusal by this rule, with its source."""
        return Finding(self.id, Action.REFUSE, about, reason, hint, self.source, self.dated)

    def warn(self, about: str, reason: str, hint: str) -> Finding:
        """Create a warning by this rule, with its source."""
        return Finding(self.id, Action.WARN, about, reason, hint, self.source, self.dated)


class Signer(Protocol):
    """A private Ed25519 key in a file, a KMS or an HSM."""

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint of the public key."""
        ...

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public key as a JWK (RFC 8037)."""
        ...

    def sign(self, data: bytes) -> bytes:
        """64 bytes of Ed25519 signature over `data` (RFC 8032)."""
        ...
