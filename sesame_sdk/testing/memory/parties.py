"""Partners and their keys."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.manifest import Party
from sesame_sdk.signing.trust_store import Trust, TrustedKey


@frozen
class Parties:
    """Whose keys count; a `signing.tokens.KeyFinder`.

    Rules:
        * a key belongs to one partner, and is dead once it was revoked
        * a revocation is never made later
    """

    _keys: dict[str, dict[str, TrustedKey]] = field(factory=dict)

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:
        """See `signing.tokens.KeyFinder`."""
        return Trust({name: keys.values() for name, keys in self._keys.items()}).find(issuer, kid, at)

    def add(self, issuer: str, jwks: Iterable[Mapping[str, Any]], not_before: datetime) -> None:
        """Admit a partner, or give one further keys.

        Raises:
            InvalidInputError: no key, or one that is none, another's, or revoked; or the issuer is no URL.
        """
        new = {key.kid: key for key in (TrustedKey(jwk, not_before) for jwk in jwks)}
        if not new:
            raise InvalidInputError("must hold at least one key", field="jwks")
        mine = self._keys.get(Party(issuer).issuer, {})
        if any(key in keys for name, keys in self._keys.items() for key in new if name != issuer):
            raise InvalidInputError(
                "is a key of another partner", field="jwks", hint="make a key of your own"
            )
        if any(mine[key].revoked_at is not None for key in new if key in mine):
            raise InvalidInputError("was revoked", field="jwks", hint="make a new key")
        self._keys[issuer] = new | mine

    def check(self, issuer: str) -> None:
        """Pass if there is such a partner.

        Raises:
            InvalidInputError: there is none.
        """
        if issuer not in self._keys:
            raise InvalidInputError("is not a partner here", field="partner", hint="add it first")

    def revoke(self, issuer: str, kid: str, at: datetime) -> None:
        """Refuse a key from `at` on.

        Raises:
            InvalidInputError: no such partner, or it has no such key.
        """
        self.check(issuer)
        key = self._keys[issuer].get(kid)
        if key is None:
            raise InvalidInputError("is not a key of this partner", field="kid")
        if key.revoked_at is None or key.revoked_at > at:
            self._keys[issuer][kid] = evolve(key, revoked_at=at)

    def void(self, issuer: str, kid: str, received_at: datetime) -> bool:
        """Whether what came in at this moment under this key counts no more."""
        revoked_at = self._keys[issuer][kid].revoked_at
        return revoked_at is not None and revoked_at <= received_at
