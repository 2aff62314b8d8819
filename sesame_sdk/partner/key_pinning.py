"""Pins the hub's public keys: trust on first use.

The first key set that is published at the hub's URL is trusted and stored in the outbox. It is compared with
what the hub publishes once for each client, once an hour, and when a message names an unknown key. A key that
a pinned one announced is pinned too (see `signing.published_keys`); of any other key an operator has to
confirm that it is the hub's.

Anybody can name an unknown key, to an inbox for example. So the hub is asked for one at most once in
`ASK_SECONDS`, and only the caller that asks waits for the answer: a known key is found at once. Callers with
`patience` wait for the answer to a question that another one has asked.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event
from typing import Any

from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.delivery.sqlite_store import fork_safe_lock
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.model.codec import encode
from sesame_sdk.model.issuers import normalize_issuer
from sesame_sdk.signing.keys import Trust, TrustedKey
from sesame_sdk.signing.published_keys import PublishedKeys, follow

JWKS_PATH = "/.well-known/jwks.json"
#: The least time between two questions for unknown keys.
ASK_SECONDS = 60.0
#: After so long a key may have been revoked.
_CHECK_SECONDS = 3600.0


class PinnedKeys:
    """Finds a hub's keys; a `signing.jwt.KeyFinder`.

    Args:
        hub: its issuer URL.
        fetch: fetches the JWK set that the hub publishes.
        outbox: where the keys are pinned.
        clock: a monotonic clock, in seconds.
        patience: how long `find` waits for an answer that another thread waits for, in seconds.
    """

    def __init__(
        self,
        hub: str,
        fetch: Callable[[], bytes],
        outbox: Outbox,
        *,
        clock: Callable[[], float] = time.monotonic,
        patience: float = 0.0,
    ) -> None:
        self._hub = normalize_issuer(hub)
        self._fetch, self._outbox, self._clock = fetch, outbox, clock
        self._lock = fork_safe_lock()
        self._patience = patience
        self._next_question = self._next_check = 0.0
        self._answered = Event()
        self._known: dict[str, TrustedKey] = {}

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:
        """The hub's key with this thumbprint.

        Raises:
            InvalidInputError: the issuer is not the hub, or the hub has no such key.
            ConfigurationError: the hub publishes other keys than were pinned.
            RetryableError: the hub is unavailable, or was asked for an unknown key less than a minute ago.
        """
        if issuer != self._hub:
            raise InvalidInputError("is not the hub", field="iss", code="invalid_issuer")
        if kid not in self._known:
            self._ask_for(kid)
        elif self._clock() >= self._next_check and self._claim_question():
            with suppress(RetryableError):  # while the hub is away, what is pinned stays trusted
                self._ask()
        if kid not in self._known:
            raise InvalidInputError("is not a key of the hub", field="kid", code="invalid_key")
        return Trust({issuer: [self._known[kid]]}).find(issuer, kid, at)

    def _ask_for(self, kid: str) -> None:
        if self._claim_question():
            self._ask()
        elif not (self._answered.wait(self._patience) and kid in self._known):
            text = "is not known, and the hub was asked for its keys just now"
            raise RetryableError(text, field="kid", retry_after=self._next_question - self._clock())

    def _claim_question(self) -> bool:
        """Let one caller ask the hub."""
        with self._lock:
            if self._clock() < self._next_question:
                return False
            self._next_question = self._clock() + ASK_SECONDS
            self._answered.clear()
            return True

    def _ask(self) -> None:
        try:
            self._check()
        finally:
            self._answered.set()

    def load(self) -> None:
        """Compare the published keys with the pinned ones, unless that was done; raises as `find`."""
        if not self._known:
            self._check()

    def check(self) -> int:
        """Compare the published keys with the pinned ones; how many are valid now; raises as `find`."""
        self._check()
        return sum(key.fault(datetime.now(UTC)) is None for key in self._known.values())

    def repin(self) -> None:
        """Trust the keys that the hub publishes now. Confirm first with its operator that they are right."""
        self._pin(lambda published, _: published)

    def _check(self) -> None:
        self._pin(self._follow)

    def _follow(self, published: PublishedKeys, pinned: PublishedKeys | None) -> PublishedKeys:
        known = published if pinned is None else pinned
        return follow(known.keys, published, issuer=self._hub, now=datetime.now(UTC))

    def _published(self) -> PublishedKeys:
        try:
            return PublishedKeys.from_json(self._fetch())
        except InvalidInputError as error:
            raise ConfigurationError(
                f"does not publish valid keys: {error}", field="hub", hint="check its URL"
            ) from error

    def _pin(self, choose: Callable[[PublishedKeys, PublishedKeys | None], PublishedKeys]) -> None:
        """Pin what `choose` returns for the published keys and the pinned ones, and trust it."""
        published, pinned = self._published(), self._outbox.pinned_keys(self._hub)
        while True:
            before = None if pinned is None else PublishedKeys.from_json(pinned)
            keys = PublishedKeys(choose(published, before).keys)
            current = self._outbox.pin_keys(self._hub, encode(keys.to_dict()), replacing=pinned)
            if current == pinned:
                break
            pinned = current  # another process followed a rotation meanwhile: choose again from there
        self._known = {key.kid: key for key in keys.keys}
        self._next_check = self._clock() + _CHECK_SECONDS
