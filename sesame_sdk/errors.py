"""The errors of the SDK, grouped by what the caller does next.

    SesameError
    ├── RetryableError         try again later: the network, a busy hub, a full outbox
    │   └── RateLimitedError   wait before the next request
    ├── InvalidInputError      fix the input: it will never be accepted as it is (also a ValueError)
    │   └── GuardRefusedError  the guard refused; has its findings
    └── ConfigurationError     fix the configuration: a key, a file, a plugin, an option

Messages are one line, name the field, and never contain a token, a pseudonym or a person's value.
"""

from collections.abc import Sequence
from typing import ClassVar, Protocol


class FindingLike(Protocol):
    """The parts of a guard finding that an error uses."""

    @property
    def rule(self) -> str:
        """The rule's id, such as ``POL-1``."""
        ...

    @property
    def reason(self) -> str:
        """Why the rule refuses."""
        ...


class SesameError(Exception):
    """The base class.

    Args:
        message: what is wrong.
        field: name of the invalid field, as the caller knows it.
        hint: how to fix it.
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
    """A temporary failure: the same call may succeed later.

    Args:
        retry_after: seconds to wait, if the server gave them.
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
    """The rate limit is exceeded (RFC 6585 section 4); ``retry_after`` is how long to wait."""


class InvalidInputError(SesameError, ValueError):
    """The input is invalid.

    Args:
        code: an error code, such as one of RFC 8935 section 2.4.
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
    """The guard refused; ``findings`` has the rules, reasons, hints and sources.

    If a file was checked, ``lines`` has the line of each finding, or None if it is unknown.
    """

    exit_code = 3

    def __init__(self, message: str, findings: Sequence[FindingLike]) -> None:
        super().__init__(message, code="access_denied")
        self.findings = tuple(findings)
        self.lines: tuple[int | None, ...] = ()


class ConfigurationError(SesameError):
    """The configuration is invalid: a key file, a setting, a policy file, a plugin."""

    exit_code = 2
