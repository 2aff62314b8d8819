"""Posting and delivering, against a hub that answers over real HTTP."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError, InvalidInputError, RetryableError, Signal
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.partner.client import Client, PostResult
from sesame_sdk.signing.keys import SigningKey
from tests.partner.faults import reset, status, verdict
from tests.partner.peer import Peer

Open = Callable[..., Client]
Signals = Callable[..., list[Signal]]


def test_everything_posted_arrives_once(client: Client, peer: Peer, signals: Signals) -> None:
    """2,500 signals travel in three envelopes, and each is accepted and signed for."""
    sent = signals(2500)

    assert client.post(sent) == PostResult(envelopes=3, signals=2500)
    done = client.deliver()

    assert (done.sent, done.dead, done.pending) == (3, 0, 0)
    assert (done.accepted, done.duplicates, dict(done.dropped)) == (2500, 0, {})
    assert set(peer.ledger) == {signal.id for signal in sent}
    assert {receipt.jti for receipt in client.receipts()} == set(peer.receipts)


def test_posting_again_counts_nothing_twice(client: Client, signals: Signals) -> None:
    """The ids are deterministic, so a second post is answered as duplicates."""
    client.post(signals(30))
    client.deliver()
    client.post(signals(40))

    done = client.deliver()

    assert (done.accepted, done.duplicates) == (10, 30)


def test_drops_are_counted_by_reason(client: Client, peer: Peer, signals: Signals) -> None:
    """What the hub did not keep is counted by its reason."""
    sent = signals(5)
    peer.refuse_ids = {sent[1].id, sent[3].id}
    client.post(sent)

    assert client.deliver().dropped == {"no_grant": 2}


def test_what_was_posted_outlives_the_client(open_client: Open, peer: Peer, signals: Signals) -> None:
    """A post is on disk when it returns: another client on the same file delivers it."""
    first = open_client()
    first.post(signals(3))
    first.close()

    assert open_client().deliver().accepted == 3
    assert len(peer.ledger) == 3


def test_progress_is_reported_for_each_envelope(client: Client, signals: Signals) -> None:
    """The callback hears the signals of each envelope that is off the queue."""
    client.post(signals(2100))
    heard: list[int] = []

    client.deliver(progress=heard.append)

    assert sorted(heard) == [100, 1000, 1000]


def test_connections_are_kept(client: Client, peer: Peer, signals: Signals) -> None:
    """Ten envelopes sent two at a time need no more than two connections."""
    for start in range(10):
        client.post(signals(1, start))
    client.deliver(concurrency=2)

    assert len(peer.receipts) == 10
    assert peer.connections <= 2


@pytest.mark.parametrize(("gzip_from", "encoding"), [(1, "gzip"), (None, None), (10**6, None)])
def test_bodies_are_gzipped_from_the_size_that_is_set(
    open_client: Open, peer: Peer, signals: Signals, gzip_from: int | None, encoding: str | None
) -> None:
    """The threshold decides; what arrives is the same."""
    client = open_client(way={"min_gzip_bytes": gzip_from})
    client.post(signals(100))

    assert client.deliver().accepted == 100
    assert peer.requests[0][1].get("content-encoding") == encoding


def test_what_is_not_a_signal_is_refused_before_it_is_signed(client: Client, signals: Signals) -> None:
    """A provider's `KeptBack` that slipped in is not sealed."""
    with pytest.raises(InvalidInputError, match="signals"):
        client.post(chain(signals(2), ["not a signal"]))  # type: ignore[list-item]

    assert client.deliver().sent == 0


def test_a_refused_envelope_is_a_dead_letter_that_can_be_redriven(
    client: Client, peer: Peer, signals: Signals
) -> None:
    """A refused envelope does not block the others, keeps its reason, and is sent again by redrive."""
    for start in range(5):
        client.post(signals(1, start))
    peer.faults.append(verdict(400, "invalid_audience", "is meant for\x1b[31m somebody else"))

    done = client.deliver()

    assert (done.sent, done.dead, done.pending) == (4, 1, 0)
    (dead,) = client.dead_letters()
    assert (dead.code, dead.signal_count) == ("invalid_audience", 1)
    assert dead.reason == "is meant for [31m somebody else"
    assert client.redrive().queued == 1
    assert client.dead_letters() == []
    assert client.deliver().accepted == 1
    assert len(peer.ledger) == 5


@pytest.mark.parametrize("code", [400, 413, 415, 422])
def test_a_page_of_a_proxy_is_no_answer_of_the_hub(
    client: Client, peer: Peer, signals: Signals, code: int
) -> None:
    """One wrong line in a proxy makes no dead letters: the envelope waits, and the reason says why."""
    client.post(signals(1))
    peer.faults.extend([status(code, b"<html><h1>Bad Request</h1><hr>nginx")] * 3)

    result = client.deliver()

    assert (result.dead, result.pending) == (0, 1)
    assert f"HTTP {code} without an error of a hub" in result.reason
    assert client.deliver().sent == 1


def test_an_envelope_without_an_answer_does_not_keep_the_others(
    client: Client, peer: Peer, signals: Signals
) -> None:
    """It stays pending, and the next run sends it."""
    for start in range(4):
        client.post(signals(1, start))
    peer.faults.extend([reset, reset, reset])

    done = client.deliver(concurrency=1)

    assert (done.sent, done.pending) == (3, 1)
    assert "no response" in done.reason
    assert client.deliver().sent == 1


def test_a_run_ends_when_the_hub_is_away(client: Client, peer: Peer, signals: Signals) -> None:
    """After a few unanswered envelopes the rest is left alone, instead of waiting for each."""
    for start in range(50):
        client.post(signals(1, start))
    peer.faults.extend([status(503)] * 200)

    done = client.deliver()

    assert (done.sent, done.dead, done.pending) == (0, 0, 50)
    assert "503" in done.reason
    assert len(peer.requests) < 3 * 25


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (401, "operator"),
        (403, "operator"),
        (404, "check its URL"),
        (302, "redirect"),
        (308, "redirect"),
    ],
)
def test_a_barred_way_is_a_fault_of_the_set_up(
    client: Client, peer: Peer, signals: Signals, code: int, says: str
) -> None:
    """It concerns every envelope, so it is raised, and all of them stay pending."""
    for start in range(3):
        client.post(signals(1, start))
    peer.faults.extend([status(code, Location="https://other.example/")] * 3)

    with pytest.raises(ConfigurationError, match=says):
        client.deliver()

    peer.faults.clear()
    assert client.deliver().accepted == 3


@pytest.mark.parametrize("concurrency", [0, 33])
def test_concurrency_has_bounds(client: Client, concurrency: int) -> None:
    """More threads than connections would only wait for each other."""
    with pytest.raises(ConfigurationError, match="concurrency"):
        client.deliver(concurrency=concurrency)


def test_one_process_delivers_at_a_time(client: Client, tmp_path: Path, signals: Signals) -> None:
    """A second delivery gets an error, may post meanwhile, and takes over once the first is done."""
    client.post(signals(1))
    other = Outbox(tmp_path / "outbox.sqlite")
    with other.delivery_lock():
        with pytest.raises(RetryableError, match="another process"):
            client.deliver()
        client.post(signals(1, 1))
    other.close()

    assert client.deliver().accepted == 2


def test_the_state_of_things_can_be_asked_for(client: Client, peer: Peer, signals: Signals) -> None:
    """How much waits, and whether the hub is the one that we know."""
    assert client.check_hub() == 1
    client.post(signals(3))
    assert (client.counts().pending, client.counts().sent) == (1, 0)
    client.deliver()
    assert (client.counts().pending, client.counts().sent) == (0, 1)

    peer.published = [SigningKey.generate().public_jwk]
    with pytest.raises(ConfigurationError, match="other keys"):
        client.check_hub()
