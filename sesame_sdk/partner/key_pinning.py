"""Pins the hub's public keys: trust on first use.

The first key set that is published at the hub's URL is trusted and stored in the outbox. It is compared with
what the hub publishes once for each client, and again when a receipt names an unknown key. If the set has
changed, an operator has to confirm it.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.model.codec import encode
from sesame_sdk.signing.keys import jwk_set, read_jwk_set

JWKS_PATH = "/.well-known/jwks.json"


class PinnedKeys:
    """Finds a hub's keys; a `signing.jwt.KeyFinder`. `fetch` fetches the JWK set that the hub publishes."""

    def __init__(self, hub: str, fetch: Callable[[], bytes], outbox: Outbox) -> None:
        self._hub, self._fetch, self._outbox = hub, fetch, outbox
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any]] = {}

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:  # noqa: ARG002
        """The hub's key with this thumbprint.

        Raises:
            InvalidInputError: the issuer is not the hub, or the hub has no such key.
            ConfigurationError: the hub publishes other keys than were pinned.
            RetryableError: the hub is unavailable.
        """
        if issuer != self._hub:
            raise InvalidInputError("is not the hub", field="iss", code="invalid_issuer")
        with self._lock:
            if kid not in self._known:
                self._check()
            if kid not in self._known:
                raise InvalidInputError("is not a key of the hub", field="kid", code="invalid_key")
            return self._known[kid]

    def check(self) -> int:
        """Compare the published keys with the pinned ones, and return their number; raises as `find`."""
        with self._lock:
            self._check()
            return len(self._known)

    def repin(self) -> None:
        """Trust the keys that the hub publishes now. Confirm first with its operator that they are right."""
        with self._lock:
            self._pin(self._published())

    def _check(self) -> None:
        published = self._published()
        pinned = self._outbox.pinned_keys(self._hub)
        if pinned is None:
            self._pin(published)
        elif pinned != published:
            raise ConfigurationError(
                "publishes other keys than the pinned ones",
                field="hub",
                hint="confirm with its operator that the keys changed, then call repin()",
            )
        else:
            self._load(pinned)

    def _published(self) -> bytes:
        """The published set in canonical form, so that its order does not matter."""
        try:
            jwks = read_jwk_set(self._fetch())
        except InvalidInputError as error:
            raise ConfigurationError(
                f"does not publish valid keys: {error}", field="hub", hint="check its URL"
            ) from error
        return encode(jwk_set(sorted(jwks, key=lambda jwk: str(jwk["kid"]))))

    def _pin(self, published: bytes) -> None:
        self._outbox.pin_keys(self._hub, published)
        self._load(published)

    def _load(self, jwks: bytes) -> None:
        self._known = {jwk["kid"]: jwk for jwk in read_jwk_set(jwks)}
