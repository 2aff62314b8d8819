"""A partner with a key, a hub that can misbehave, and a client between them whose time is ours."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from attrs import Factory, define

from sesame_sdk import Pseudonymizer, Signal
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.partner.client import Client
from sesame_sdk.signing.keys import SigningKey
from tests.conftest import NOON
from tests.partner.peer import PARTNER, Peer


@define
class Hours:
    """A clock that only sleeping moves, and that remembers how long each sleep was."""

    now: float = 1000.0
    slept: list[float] = Factory(list)

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(seconds)
        self.now += seconds

    def read(self) -> float:
        """What time it is."""
        return self.now


@pytest.fixture(scope="session")
def partner_key() -> SigningKey:
    """The key that the peer knows the partner by."""
    return SigningKey.generate()


@pytest.fixture
def peer(partner_key: SigningKey) -> Iterator[Peer]:
    """A running hub."""
    with Peer(partner_key) as running:
        yield running


@pytest.fixture
def hours() -> Hours:
    """The clock that retries go by."""
    return Hours()


@pytest.fixture
def open_client(
    peer: Peer, partner_key: SigningKey, hours: Hours, tmp_path: Path
) -> Iterator[Callable[..., Client]]:
    """Opens clients of the peer; `way` goes to the transport, the rest to the client."""
    opened: list[Client] = []

    def make(*, way: dict[str, object] | None = None, attempts: int = 3, **settings: object) -> Client:
        retries = RetryPolicy(max_attempts=attempts, clock=hours.read, sleep=hours.sleep)
        transport = Transport(peer.url, retry_policy=retries, **(way or {}))
        settings = {"outbox": tmp_path / "outbox.sqlite", "signer": partner_key, **settings}
        client = Client(issuer=PARTNER, hub=peer.url, transport=transport, **settings)
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def client(open_client: Callable[..., Client]) -> Client:
    """A client with the usual settings."""
    return open_client()


@pytest.fixture
def signals(pseudonymizer: Pseudonymizer) -> Callable[..., list[Signal]]:
    """The signals numbered `start` up to `start + count`; the same numbers give the same signals."""

    def make(count: int, start: int = 0) -> list[Signal]:
        return list(numbered(pseudonymizer, start, start + count))

    return make


def numbered(pseudonymizer: Pseudonymizer, start: int, stop: int) -> Iterator[Signal]:
    """Signals that depend on nothing but their numbers."""
    kind = "retail.order.completed"
    for number in range(start, stop):
        subject = pseudonymizer.pseudonym(f"customer {number % 97}")
        value = float(Random(number).randrange(1, 500))  # noqa: S311 - not a secret
        yield Signal(pseudonymizer.signal_id(kind, str(number), NOON), subject, kind, value, NOON)
