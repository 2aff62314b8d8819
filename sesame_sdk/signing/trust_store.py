"""Trusted keys and their validity.

Rules:
    * a key is valid from ``not_before`` up to ``not_after``; the keys of a rotation overlap
    * from ``revoked_at`` on a key is refused, regardless of the token's date, which a thief can choose
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.model import validators
from sesame_sdk.signing.keys import thumbprint


@frozen
class TrustedKey:
    """A public Ed25519 key, valid from `not_before` until `not_after` or `revoked_at`, where set."""

    jwk: Mapping[str, Any]
    not_before: datetime = field(validator=validators.utc)
    not_after: datetime | None = field(default=None, validator=validators.optional(validators.utc))
    revoked_at: datetime | None = field(default=None, validator=validators.optional(validators.utc))
    kid: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "kid", thumbprint(self.jwk))

    def fault(self, at: datetime) -> str | None:
        """Why the key is not valid at this time; None if it is."""
        if self.revoked_at is not None and at >= self.revoked_at:
            return "was revoked"
        if at < self.not_before:
            return "is not valid yet"
        if self.not_after is not None and at >= self.not_after:
            return "has expired"
        return None


class Trust:
    """The keys of known parties; a `jwt.KeyFinder`.

    Args:
        keys: by issuer URL.

    Raises:
        ConfigurationError: a key occurs twice.
    """

    def __init__(self, keys: Mapping[str, Iterable[TrustedKey]]) -> None:
        self._keys = {issuer: _by_kid(issuer, trusted) for issuer, trusted in keys.items()}

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:
        """The public JWK valid at this time, or `InvalidInputError` (``invalid_issuer``, ``invalid_key``)."""
        known = self._keys.get(issuer)
        if known is None:
            raise InvalidInputError("is unknown", field="iss", code="invalid_issuer")
        trusted = known.get(kid)
        if trusted is None:
            raise InvalidInputError("is not a key of this issuer", field="kid", code="invalid_key")
        fault = trusted.fault(at)
        if fault:
            raise InvalidInputError(fault, field="kid", hint="sign with a valid key", code="invalid_key")
        return trusted.jwk


def _by_kid(issuer: str, keys: Iterable[TrustedKey]) -> dict[str, TrustedKey]:
    by_kid: dict[str, TrustedKey] = {}
    for key in keys:
        if key.kid in by_kid:
            raise ConfigurationError("has a duplicate key", field=issuer, hint="list each key once")
        by_kid[key.kid] = key
    return by_kid
