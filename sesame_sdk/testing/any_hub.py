"""What every hub does, whatever it is made of: the part of it that can be held to one suite."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sesame_sdk.model.grant import Direction, Grant
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score


class AnyHub(Protocol):
    """A hub in this process: `MemoryHub`, the real one, or yours.

    Its clock and its issuer are given to it by whoever opens it. Errors are those of `sesame_sdk`: a
    message that is not taken is `Rejected`, with a code of RFC 8935 section 2.4, or `Refused` by the guard.
    """

    def receive(self, body: bytes) -> bytes:
        """Take an envelope or a registration; answer with a signed receipt."""
        ...

    def read_scores(self, token: bytes, subjects: Sequence[str]) -> dict[str, Score | None]:
        """A score or None for each subject, for the reader that signed the token."""
        ...

    def jwks(self) -> Mapping[str, Any]:
        """Its public keys (RFC 7517 section 5)."""
        ...

    def add_partner(
        self, issuer: str, jwks: Iterable[Mapping[str, Any]], *, not_before: datetime | None = None
    ) -> None:
        """Admit a partner, or give one further keys."""
        ...

    def revoke_key(self, issuer: str, kid: str, at: datetime) -> None:
        """Refuse a key from `at` on, and let fall what came under it since."""
        ...

    def set_policy(self, policy: Policy) -> None:
        """Make a policy the one of its context."""
        ...

    def add_grants(self, told: Iterable[tuple[str, Grant]]) -> int:
        """Record what people, by any reference, agreed to; how many grants were new."""
        ...

    def withdraw(self, person: str, partner: str, direction: Direction | None = None) -> int:
        """End what a person granted to a partner; how many grants that ended."""
        ...
