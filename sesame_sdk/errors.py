"""Every error of the SDK, sorted by what the caller does next.

    SesameError
    ├── RetryableError        try again later: the network, a busy hub, a full outbox
    │   └── RateLimitedError    we ask for more than we may: wait as long as we are told
    ├── InvalidInputError         mend the input: it will never be accepted as it is (also a ValueError)
    │   └── GuardRefusedError      the guard said no; carries its findings
    └── ConfigurationError    mend the set-up: a key, a file, a plugin, an option

Messages are one line, name the field, and never carry a token, a pseudonym or a person's value.
"""

from collections.abc import Sequence
from typing import ClassVar, Protocol


class FindingLike(Protocol):
    """What an error needs to know of a guard finding."""

    @property
    def rule(self) -> str:
        """The rule's id, such as ``POL-1``."""
        ...

    @property
    def reason(self) -> str:
        """Why the rule refuses, in plain words."""
        ...


class SesameError(Exception):
    """Root of the tree.

    Args:
        message: one clear sentence.
        field: the name of the offending field, as the caller knows it.
        hint: how to put it right.
    """

    #: What a command exits with.
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, field: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint

    def __str__(self) -> str:
        named = f"{self.field}: {self.message}" if self.field else self.message
        return f"{named} ({self.hint})" if self.hint else named


class RetryableError(SesameError):
    """Nothing is wrong with the request; the same call may succeed later.

    Args:
        retry_after: seconds that the other side asked us to wait, if it did.
    """

    exit_code = 5

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, field=field, hint=hint)
        self.retry_after = retry_after


class RateLimitedError(RetryableError):
    """The other side works, and asks us to slow down (RFC 6585 section 4); ``retry_after`` says how long."""


class InvalidInputError(SesameError, ValueError):
    """The input is wrong and will stay wrong until somebody mends it.

    Args:
        code: a short machine-readable code, such as one of RFC 8935 section 2.4.
    """

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        code: str = "invalid_request",
    ) -> None:
        super().__init__(message, field=field, hint=hint)
        self.code = code


class GuardRefusedError(InvalidInputError):
    """The guard refused; ``findings`` says by which rules, why, how to mend it, and from what source.

    Where a file was judged, ``lines`` has the line of each finding, or None where there is no telling.
    """

    exit_code = 3

    def __init__(self, message: str, findings: Sequence[FindingLike]) -> None:
        super().__init__(message, code="access_denied")
        self.findings = tuple(findings)
        self.lines: tuple[int | None, ...] = ()


class ConfigurationError(SesameError):
    """The installation is wrong: a key file, a setting, a policy file, a plugin."""

    exit_code = 2
