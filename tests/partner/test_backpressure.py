"""A full outbox pushes back, loses nothing, and says how to go on."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError, PartnerConfig, Signal
from sesame_sdk.delivery.messages import OutboxFullError
from sesame_sdk.partner.client import Client
from tests.partner.faults import verdict
from tests.partner.peer import Peer

Open = Callable[..., Client]
Signals = Callable[..., list[Signal]]


def test_a_full_outbox_pushes_back_and_loses_nothing(open_client: Open, peer: Peer, signals: Signals) -> None:
    """The error says how far it came and holds the rest; going on after a delivery completes the post."""
    client = open_client(capacity=1_000_000)
    sent = signals(8000)

    with pytest.raises(OutboxFullError, match=r"call deliver\(\)") as full:
        client.post(iter(sent))
    assert full.value.stored in {2000, 3000}
    assert f"{full.value.stored} signals of this call are stored" in str(full.value)

    rest: Iterable[Signal] | None = full.value.remaining
    for _ in range(8):
        client.deliver()
        rest = post_what_fits(client, rest) if rest else None
    assert sum(receipt.accepted for receipt in client.receipts()) == 8000
    assert set(peer.ledger) == {signal.id for signal in sent}


def post_what_fits(client: Client, signals: Iterable[Signal]) -> Iterable[Signal] | None:
    """The signals that did not fit, if any."""
    try:
        client.post(signals)
    except OutboxFullError as full:
        return full.remaining
    return None


def test_a_small_post_is_kept_whole_or_not_at_all(open_client: Open, signals: Signals) -> None:
    """Up to one envelope of signals, a refused post leaves nothing behind."""
    client = open_client(capacity=150_000)
    client.post(signals(300))

    with pytest.raises(OutboxFullError) as full:
        client.post(signals(300, 300))

    assert full.value.stored == 0
    assert [signal.id for signal in full.value.remaining] == [signal.id for signal in signals(300, 300)]
    assert client.deliver().accepted == 300


def test_an_outbox_too_small_for_one_envelope_is_misconfigured(open_client: Open, signals: Signals) -> None:
    """Waiting would not help, so the error does not ask for it."""
    with pytest.raises(ConfigurationError, match="capacity"):
        open_client(capacity=1000).post(signals(100))


def test_the_capacity_of_a_folder_is_that_of_its_outbox(tmp_path: Path, signals: Signals) -> None:
    """What its owner set is what the client keeps to."""
    config = PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub="https://hub.example")
    with (config.path / "partner.toml").open("a") as file:
        file.write("capacity = 150_000\n")

    with Client.from_config(PartnerConfig.load(config.path)) as client:
        client.post(signals(300))
        with pytest.raises(OutboxFullError):
            client.post(signals(300, 300))


def test_dead_letters_can_be_discarded(open_client: Open, peer: Peer, signals: Signals) -> None:
    """Discarded dead letters free space in the outbox."""
    client = open_client(capacity=150_000)
    client.post(signals(300))
    peer.faults.append(verdict(400, "invalid_request", "no"))
    client.deliver()
    with pytest.raises(OutboxFullError, match="discard"):
        client.post(signals(300, 300))

    assert client.discard() == 1
    client.post(signals(300, 300))
    assert client.deliver().accepted == 300


def test_a_source_that_fails_leaves_whole_envelopes(open_client: Open, signals: Signals) -> None:
    """What was taken before is on disk in envelopes of 1,000, the one under way too; the rest is not."""
    client = open_client()

    def breaking() -> Iterable[Signal]:
        yield from signals(2500)
        raise OSError("the shop's file ends here")

    with pytest.raises(OSError, match="ends here"):
        client.post(breaking())
    assert client.counts().pending == 2
    assert client.deliver().accepted == 2000
