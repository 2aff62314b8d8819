"""What a plugin implements. The hooks in `hookspecs` register objects of these classes."""

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
        reason: short and stable, so that it can be counted: "no customer".
        records: how many of the partner's own records (order lines, posts) it stands for.
        amount: what they are worth in the provider's unit, where that means something.
        line: the number in the file of a record that could not be read; None if a rule skips it.
        text: that record, for the partner's own file of rejects.
    """

    reason: str
    records: int = 1
    amount: Decimal = Decimal(0)
    line: int | None = field(default=None, eq=False, kw_only=True)
    text: str = field(default="", eq=False, repr=False, kw_only=True)


class SignalProvider(ABC, Generic[Event]):
    """Turns a partner's own events into signals."""

    #: How the command line calls it: ``sesame post --provider retail``.
    name: ClassVar[str]
    #: Everything that it may say.
    kinds: ClassVar[tuple[SignalKind, ...]]

    @abstractmethod
    def read(self, path: Path) -> Iterator[Event | Skipped]:
        """Read the partner's file, streaming. The one method that does IO.

        A record that cannot be read is a `Skipped`, so that it never stops the rest.

        Raises:
            InvalidInputError: the file as a whole is not what this provider reads.
        """

    @abstractmethod
    def signals(self, event: Event, identity: Pseudonymizer) -> Iterable[Signal | Skipped]:
        """What one event says. Pure: no file, no socket, no clock; same in, same out.

        Raises:
            InvalidInputError: the event cannot be understood.
        """


class ScoreConsumer(ABC, Generic[Request, Answer]):
    """Uses scores for one purpose that people agreed to."""

    declaration: ClassVar[ConsumerDeclaration]

    @abstractmethod
    def subjects(self, request: Request) -> tuple[str, ...]:
        """Whose scores are needed to answer `request`: the partner's own pseudonyms."""

    @abstractmethod
    def use(self, request: Request, scores: Mapping[str, Score | None]) -> Answer:
        """Answer `request`. A subject whose score is None must come off no worse than the ordinary."""


class GuardRule(ABC):
    """One rule of the guard. It overrides the doors at which it stands; rules can only add refusals."""

    id: ClassVar[str]
    source: ClassVar[str]
    dated: ClassVar[date]

    def check_kind(self, kind: SignalKind) -> Iterable[Finding]:  # noqa: ARG002
        """Called when a plugin registers a kind."""
        return ()

    def check_policy(self, policy: Policy) -> Iterable[Finding]:  # noqa: ARG002
        """Called when an operator loads a policy."""
        return ()

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterable[Finding]:  # noqa: ARG002
        """Called when a consumer registers."""
        return ()

    def check_read(self, reading: ReadRequest) -> Iterable[Finding]:  # noqa: ARG002
        """Called at every read of a score."""
        return ()

    def refuse(self, about: str, reason: str, hint: str) -> Finding:
        """A refusal by this rule, with its source."""
        return Finding(self.id, Action.REFUSE, about, reason, hint, self.source, self.dated)

    def warn(self, about: str, reason: str, hint: str) -> Finding:
        """A warning by this rule, with its source."""
        return Finding(self.id, Action.WARN, about, reason, hint, self.source, self.dated)


class Signer(Protocol):
    """A private Ed25519 key, wherever it lives: in a file, a KMS or an HSM."""

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
