"""Pins the hub's public keys: trust on first use.

The first key set that is published at the hub's URL is trusted and stored in the outbox. It is compared with
what the hub publishes once for each client, and again when a message names an unknown key. If the set has
changed, an operator has to confirm it.

Anybody can name an unknown key, to an inbox for example. So the hub is asked for one at most once in
`ASK_SECONDS`, and only the caller that asks waits for the answer: a known key is found at once.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.delivery.sqlite_store import fork_safe_lock
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.model.codec import encode
from sesame_sdk.signing.keys import jwk_set, read_jwk_set

JWKS_PATH = "/.well-known/jwks.json"
#: The least time between two questions for unknown keys.
ASK_SECONDS = 60.0


class PinnedKeys:
    """Finds a hub's keys; a `signing.jwt.KeyFinder`.

    Args:
        hub: its issuer URL.
        fetch: fetches the JWK set that the hub publishes.
        outbox: where the keys are pinned.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        hub: str,
        fetch: Callable[[], bytes],
        outbox: Outbox,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hub, self._fetch, self._outbox, self._clock = hub, fetch, outbox, clock
        self._lock = fork_safe_lock()
        self._next_question = 0.0
        self._known: dict[str, dict[str, Any]] = {}

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:  # noqa: ARG002
        """The hub's key with this thumbprint.

        Raises:
            InvalidInputError: the issuer is not the hub, or the hub has no such key.
            ConfigurationError: the hub publishes other keys than were pinned.
            RetryableError: the hub is unavailable, or was asked for an unknown key less than a minute ago.
        """
        if issuer != self._hub:
            raise InvalidInputError("is not the hub", field="iss", code="invalid_issuer")
        if kid not in self._known:
            self._claim_question()
            self._check()
        if kid not in self._known:
            raise InvalidInputError("is not a key of the hub", field="kid", code="invalid_key")
        return self._known[kid]

    def _claim_question(self) -> None:
        """Let one caller ask the hub."""
        with self._lock:
            wait = self._next_question - self._clock()
            if wait > 0:
                raise RetryableError(
                    "is not known, and the hub was asked for its keys just now", field="kid", retry_after=wait
                )
            self._next_question = self._clock() + ASK_SECONDS

    def load(self) -> None:
        """Compare the published keys with the pinned ones, unless that was done; raises as `find`."""
        if not self._known:
            self._check()

    def check(self) -> int:
        """Compare the published keys with the pinned ones, and return their number; raises as `find`."""
        self._check()
        return len(self._known)

    def repin(self) -> None:
        """Trust the keys that the hub publishes now. Confirm first with its operator that they are right."""
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
