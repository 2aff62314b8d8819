"""The hub's public keys: pinned when first seen, and believed from then on.

Trust on first use: whoever answers at the hub's address when a partner first asks is its hub. The
set is kept in the outbox. It is compared with what the hub publishes once for each client, and
again when a receipt names a key that we do not know; a set that changed is for a person to look at.
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
    """Finds a hub's keys; a `signing.tokens.KeyFinder`.

    Args:
        hub: its issuer URL.
        fetch: gets the JWK set that it publishes now.
        outbox: where the set is pinned.
    """

    def __init__(self, hub: str, fetch: Callable[[], bytes], outbox: Outbox) -> None:
        self._hub = hub
        self._fetch = fetch
        self._outbox = outbox
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any]] = {}

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:  # noqa: ARG002
        """The hub's key of that name.

        Raises:
            InvalidInputError: the issuer is not the hub, or the hub has no such key.
            ConfigurationError: the hub publishes other keys than were pinned.
            RetryableError: the hub could not be asked.
        """
        if issuer != self._hub:
            raise InvalidInputError("is not the hub", field="iss", code="invalid_issuer")
        with self._lock:
            if kid not in self._known:
                self._compare()
            if kid not in self._known:
                raise InvalidInputError("is no key of the hub", field="kid", code="invalid_key")
            return self._known[kid]

    def check(self) -> int:
        """Compare what the hub publishes now with what was pinned; how many keys there are.

        Raises:
            ConfigurationError: they differ.
            RetryableError: the hub could not be asked.
        """
        with self._lock:
            self._compare()
            return len(self._known)

    def repin(self) -> None:
        """Believe the keys that the hub publishes now. Ask its operator first whether they are its own."""
        with self._lock:
            self._pin(self._published())

    def _compare(self) -> None:
        published = self._published()
        pinned = self._outbox.pinned_keys(self._hub)
        if pinned is None:
            self._pin(published)
        elif pinned != published:
            raise ConfigurationError(
                "publishes other keys than those that were pinned",
                field="hub",
                hint="ask its operator whether it changed them; if so, call repin()",
            )
        else:
            self._remember(pinned)

    def _published(self) -> bytes:
        """The set in one certain form, so that its order does not matter."""
        try:
            jwks = read_jwk_set(self._fetch())
        except InvalidInputError as error:
            raise ConfigurationError(
                f"does not publish keys that we can use: {error}", field="hub", hint="check its address"
            ) from error
        return encode(jwk_set(sorted(jwks, key=lambda jwk: str(jwk["kid"]))))

    def _pin(self, published: bytes) -> None:
        self._outbox.pin_keys(self._hub, published)
        self._remember(published)

    def _remember(self, jwks: bytes) -> None:
        self._known = {jwk["kid"]: jwk for jwk in read_jwk_set(jwks)}
