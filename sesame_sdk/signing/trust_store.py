"""Whose keys count, since when and until when.

Rules:
    * a key counts from ``not_before`` up to ``not_after``; two keys may overlap, and that is a rotation
    * from ``revoked_at`` on a key is refused, whatever a token says of when it was signed: whoever
      stole a key writes any date
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen, validators

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.model import validators as model_validators
from sesame_sdk.signing.keys import thumbprint


@frozen
class TrustedKey:
    """A public key and the time in which it counts.

    Attributes:
        jwk: the public key (RFC 8037).
        not_before: from this moment on; UTC.
        not_after: up to this moment, if it ends; UTC.
        revoked_at: refused from this moment on, if it was revoked; UTC.

    Raises:
        InvalidInputError: the JWK is no Ed25519 key, or a time is not UTC.
    """

    jwk: Mapping[str, Any]
    not_before: datetime = field(validator=model_validators.utc)
    not_after: datetime | None = field(default=None, validator=validators.optional(model_validators.utc))
    revoked_at: datetime | None = field(default=None, validator=validators.optional(model_validators.utc))
    kid: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "kid", thumbprint(self.jwk))

    def fault(self, at: datetime) -> str | None:
        """Why the key does not count at this moment; None if it does."""
        if self.revoked_at is not None and at >= self.revoked_at:
            return "was revoked"
        if at < self.not_before:
            return "does not count yet"
        if self.not_after is not None and at >= self.not_after:
            return "has expired"
        return None


class Trust:
    """The keys of each party that we know; satisfies `tokens.KeyFinder`.

    Args:
        keys: by issuer URL.

    Raises:
        ConfigurationError: one key is there twice, so that its two ends of life could disagree.
    """

    def __init__(self, keys: Mapping[str, Iterable[TrustedKey]]) -> None:
        self._keys = {issuer: _by_kid(issuer, trusted) for issuer, trusted in keys.items()}

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:
        """The public JWK that counts for `issuer` at this moment.

        Raises:
            InvalidInputError: ``invalid_issuer`` when nobody is known by that name, ``invalid_key`` when
                the key is
                not theirs, or does not count now.
        """
        known = self._keys.get(issuer)
        if known is None:
            raise InvalidInputError("is not known here", field="iss", code="invalid_issuer")
        trusted = known.get(kid)
        if trusted is None:
            raise InvalidInputError("is not a key of this issuer", field="kid", code="invalid_key")
        fault = trusted.fault(at)
        if fault:
            raise InvalidInputError(
                fault, field="kid", hint="sign with a key that counts", code="invalid_key"
            )
        return trusted.jwk


def _by_kid(issuer: str, keys: Iterable[TrustedKey]) -> dict[str, TrustedKey]:
    found: dict[str, TrustedKey] = {}
    for key in keys:
        if key.kid in found:
            raise ConfigurationError("a key is there twice", field=issuer, hint="give each key one entry")
        found[key.kid] = key
    return found
