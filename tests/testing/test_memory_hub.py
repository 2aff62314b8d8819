"""The hub in memory, as a plugin's author uses it: through a real client, with no network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from sesame_sdk import (
    Client,
    ConfigurationError,
    GuardRefusedError,
    InvalidInputError,
    RetryableError,
    Sensitivity,
)
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.model.codec import manifest_digest
from sesame_sdk.testing import Carrier, Clock, MemoryHub, Partner, client_of, manifest
from sesame_sdk.testing.contract.side_effects import watching
from sesame_sdk.testing.sample_data import BENEFITS, COMMUNITY, ORDER, POST, PURCHASES, RETAIL, reading

SHOP = "https://shop.example"


@pytest.fixture
def clock() -> Clock:
    """The hub's, and the shop's."""
    return Clock()


@pytest.fixture
def hub(clock: Clock) -> MemoryHub:
    """A hub with a policy."""
    made = MemoryHub(clock=clock)
    made.set_policy(PURCHASES)
    return made


@pytest.fixture
def shop(hub: MemoryHub, clock: Clock) -> Partner:
    """Known to the hub, with a person who agreed to everything."""
    partner = Partner(SHOP, hub, hub.issuer, clock).join()
    hub.add_grants([partner.lets_send("ada", ORDER.name), partner.lets_read("ada", BENEFITS, RETAIL)])
    return partner


@pytest.fixture
def client(hub: MemoryHub, shop: Partner, clock: Clock, tmp_path: Path) -> Iterator[Client]:
    """A real client of the shop's."""
    with client_of(
        hub,
        issuer=SHOP,
        hub_issuer=hub.issuer,
        signer=shop.key,
        outbox=tmp_path / "outbox.sqlite",
        clock=clock,
    ) as opened:
        yield opened


def test_a_client_registers_posts_delivers_and_reads(client: Client, hub: MemoryHub, shop: Partner) -> None:
    """The whole way, gzipped envelopes and all; what is sent again counts once."""
    client.register(manifest((ORDER,), reading(RETAIL)))
    signals = [shop.signal("ada", str(number), ORDER.name) for number in range(1500)]
    for _ in range(2):
        client.post(signals)
        client.deliver(concurrency=1)
    assert [(one.accepted, one.duplicates) for one in client.receipts()] == [
        *((1000, 0), (500, 0)),
        *((0, 1000), (0, 500)),
    ]
    assert sorted(hub.signals(SHOP), key=str) == sorted(signals, key=str)
    subjects = [shop.pseudonym("ada"), "nobody"]
    ada, nobody = client.scores(subjects, purpose=BENEFITS, context=RETAIL).values()
    assert ada is not None
    assert (ada.points, nobody) == (580.0, None)


def test_no_socket_is_opened(client: Client, shop: Partner) -> None:
    """Whatever the client does."""
    client.post([shop.signal("ada", "1", ORDER.name)])
    with watching() as touched:
        client.register(manifest((ORDER,)))
        client.deliver(concurrency=1)
    assert not [event for event in touched if event.startswith("socket.")]


def test_a_refused_registration_carries_its_findings(client: Client) -> None:
    """The same objects as the guard's own."""
    with pytest.raises(GuardRefusedError) as refused:
        client.register(manifest((evolve(POST, sensitivity=Sensitivity.POLITICAL),)))
    assert "POL-1" in {finding.rule for finding in refused.value.findings}


def test_a_digest_that_is_not_the_manifests_is_rejected(client: Client) -> None:
    """With the code that RFC 8935 gives it."""
    told = manifest((ORDER,))
    assert told.digest == manifest_digest(told)
    with pytest.raises(InvalidInputError, match="digest") as rejected:
        client.register(evolve(told, version="2.0"))
    assert rejected.value.code == "invalid_request"


@pytest.mark.parametrize(
    ("purpose", "context", "error"),
    [
        pytest.param(BENEFITS, COMMUNITY, "access_denied", id="a context that was not registered"),
        pytest.param("https://w3id.org/dpv#Recruitment", RETAIL, "access_denied", id="a purpose for nobody"),
    ],
)
def test_who_may_not_read_is_told(client: Client, purpose: str, context: str, error: str) -> None:
    """As over HTTP."""
    client.register(manifest((ORDER,), reading(RETAIL)))
    with pytest.raises(InvalidInputError) as rejected:
        client.scores(["somebody"], purpose=purpose, context=context)
    assert rejected.value.code == error


def test_an_envelope_from_a_stranger_becomes_a_dead_letter(
    hub: MemoryHub, shop: Partner, clock: Clock, tmp_path: Path
) -> None:
    """The sender's outbox keeps it, with the hub's reason."""
    stranger = evolve(shop, issuer="https://stranger.example")
    with client_of(
        hub,
        issuer=stranger.issuer,
        hub_issuer=hub.issuer,
        signer=stranger.key,
        outbox=tmp_path / "other.sqlite",
        clock=clock,
    ) as client:
        client.post([stranger.signal("ada", "1", ORDER.name)])
        client.deliver(concurrency=1)
        assert [letter.code for letter in client.dead_letters()] == ["invalid_issuer"]


class _Busy(MemoryHub):
    def receive(self, body: bytes) -> bytes:  # noqa: ARG002 - the same as its own
        raise RetryableError("busy", retry_after=1)


def test_a_hub_that_is_busy_says_later(shop: Partner, clock: Clock, tmp_path: Path) -> None:
    """The envelope waits in the outbox."""
    hub = _Busy(clock=clock)
    transport = Transport(hub.issuer, adapter=Carrier(hub), retries=RetryPolicy(attempts=1))
    with Client(
        issuer=SHOP,
        hub=hub.issuer,
        signer=shop.key,
        outbox=tmp_path / "waits.sqlite",
        transport=transport,
        clock=clock,
    ) as client:
        client.post([shop.signal("ada", "1", ORDER.name)])
        client.deliver(concurrency=1)
        assert (client.counts().pending, client.counts().dead) == (1, 0)
        with pytest.raises(ConfigurationError):
            transport.get("/nowhere")
