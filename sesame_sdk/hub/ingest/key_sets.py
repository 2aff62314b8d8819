"""Fetches the JWK sets of partners that publish them at a URL, and applies them: see `partners.key_sets`.

A set is fetched when the operator names its URL or asks for it, and once every ``jwks_refresh_seconds``:
never because of a message, which anybody can send. The limits are those of a push to a reader: https, public
addresses that are checked when the connection is made, one deadline for the whole call, no redirects, 64 kB.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from threading import Event, Thread

from attrs import define, field, frozen
from sqlalchemy import Connection, Engine

from sesame_sdk.errors import SesameError
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.database.writer import Writer
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.partners import key_sets, keys
from sesame_sdk.hub.partners.key_sets import KeySet
from sesame_sdk.hub.streams.push_client import PushClient
from sesame_sdk.signing.keys import TrustedKey
from sesame_sdk.signing.published_keys import PublishedKeys

#: Seconds between two looks at which sets are due.
_LOOK_SECONDS = 5.0
_CONCURRENCY = 16
Published = tuple[TrustedKey, ...]


@frozen
class KeySetFetcher:
    """Fetches and applies the JWK sets of partners.

    Attributes:
        interval: the time between two fetches of a set.
        revoked_kids: the thumbprints that a log outside the database knows to be revoked.
    """

    engine: Engine
    writer: Writer
    client: PushClient
    interval: timedelta
    revoked_kids: Callable[[], Collection[str]]
    clock: Callable[[], datetime]

    def add(self, issuer: str, url: str) -> int:
        """Admit a partner with the keys that it publishes at a URL. Returns how many keys changed.

        Raises:
            InvalidInputError: the URL is not allowed, or the set is not valid. Nothing is changed.
            RetryableError, ConfigurationError: the URL is not available.
        """
        published = asyncio.run(self._fetch(url))

        def work(connection: Connection) -> int:
            keys.ensure_partner(connection, issuer)
            key_set = key_sets.set_url(connection, issuer, url, self.clock() + self.interval)
            return key_sets.apply(connection, key_set, published, self.clock())

        return self.writer.run(work)

    def refresh(self, issuer: str) -> int:
        """Fetch the set of a partner now. Returns how many keys changed; raises as `add`."""
        with read_transaction(self.engine) as connection:
            key_set = key_sets.find(connection, issuer)
        return self._apply(key_set, asyncio.run(self._fetch(key_set.url)))

    def refresh_due(self) -> None:
        """Fetch every set that is due. One that fails keeps its keys, and is logged."""
        now = self.clock()
        with read_transaction(self.engine) as connection:
            if not key_sets.due(connection, now):
                return
        claimed = self.writer.run(lambda connection: key_sets.claim(connection, now, self.interval))
        for key_set, published in zip(claimed, asyncio.run(self._fetch_all(claimed)), strict=True):
            failure = (
                published if isinstance(published, Exception) else self._try_to_apply(key_set, published)
            )
            if failure is not None:
                log.warning("key_set_failed", partner=key_set.partner, error=failure)

    def _try_to_apply(self, key_set: KeySet, published: Published) -> Exception | None:
        try:
            self._apply(key_set, published)
        except Exception as error:  # noqa: BLE001 - the set of one partner must not stop the others
            return error
        return None

    def _apply(self, key_set: KeySet, published: Published) -> int:
        return self.writer.run(lambda db: key_sets.apply(db, key_set, published, self.clock()))

    async def _fetch_all(self, claimed: Sequence[KeySet]) -> list[Published | Exception]:
        limit = asyncio.Semaphore(_CONCURRENCY)

        async def fetch(url: str) -> Published | Exception:
            async with limit:
                try:
                    return await self._fetch(url)
                except Exception as error:  # noqa: BLE001 - `refresh_due` logs it, and goes on
                    return error

        return await asyncio.gather(*(fetch(key_set.url) for key_set in claimed))

    async def _fetch(self, url: str) -> Published:
        try:
            async with self.client.connect(url, url) as connection:
                published = PublishedKeys.from_json(await connection.get())
        except SesameError as error:
            if error.field == "endpoint_url":  # as it is called at a stream
                error.field, error.hint = (
                    "jwks_url",
                    "name an https URL at a public address; see push_networks",
                )
            raise
        revoked = self.revoked_kids()
        return tuple(key for key in published.keys if key.kid not in revoked)


@define
class KeySetWorker:
    """Fetches the sets that are due, in a thread of its own from `start` to `stop`."""

    fetcher: KeySetFetcher
    _stopped: Event = field(factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = Thread(target=self._run, name="sesame-hub-key-sets", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop it, once what it fetches has come or its deadline is over."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            try:
                self.fetcher.refresh_due()
            except Exception as error:  # noqa: BLE001 - no error may end this thread; it tries again
                log.warning("key_sets_failed", error=error)
