"""How a run of delivery goes on or ends when answers fail it."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from threading import Barrier
from time import monotonic, sleep

import pytest
from attrs import evolve

from sesame_sdk import ConfigurationError, Signal
from sesame_sdk.delivery.dispatcher import Dispatcher
from sesame_sdk.delivery.messages import Acknowledged, Message
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.model.envelope import EventType
from sesame_sdk.partner.client import Client
from tests.partner.faults import status, verdict
from tests.partner.peer import SET, Peer, Reply

Open = Callable[..., Client]
Signals = Callable[..., list[Signal]]


def well(_peer: Peer, work: Callable[[], Reply]) -> Reply:
    """No fault."""
    return work()


def labelled(content_type: str) -> Callable[[Peer, Callable[[], Reply]], Reply]:
    """The right answer under another content type."""
    return lambda _peer, work: evolve(work(), content_type=content_type)


@pytest.mark.parametrize("dead", [False, True], ids=["a receipt", "a refusal"])
def test_only_failures_in_a_row_end_a_run(
    open_client: Open, peer: Peer, signals: Signals, dead: bool
) -> None:
    """Any answer in between says that the hub is there, and every envelope gets its turn."""
    client = open_client(attempts=1)
    for start in range(8):
        client.post(signals(1, start))
    away, answer = status(503), verdict(400, "invalid_request", "no") if dead else well
    peer.faults.extend([away, away, answer, away, away, answer, away, away])

    done = client.deliver(concurrency=1)

    assert (done.sent + done.dead, done.pending, len(peer.requests)) == (2, 6, 8)


def test_three_failures_in_a_row_end_a_run(open_client: Open, peer: Peer, signals: Signals) -> None:
    """Not one and not two; what was under way besides is all that is still tried."""
    client = open_client(attempts=1)
    for start in range(20):
        client.post(signals(1, start))
    peer.faults.extend([status(503)] * 20)

    client.deliver(concurrency=1)

    assert 3 <= len(peer.requests) <= 5


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An outbox with two pending messages."""
    opened = Outbox(tmp_path / "outbox.sqlite")
    for jti in ("first", "second"):
        opened.append(jti, EventType.SIGNALS, b"body", signal_count=1)
    yield opened
    opened.close()


def test_of_two_faults_the_first_is_raised(outbox: Outbox) -> None:
    """What comes after it is likely to come of it."""
    both = Barrier(2, timeout=10)

    def send(message: Message) -> Acknowledged:
        both.wait()
        if message.jti == "second":
            ends = monotonic() + 10
            while not dispatcher._stopped and monotonic() < ends:
                sleep(0.005)
        raise ConfigurationError(message.jti)

    dispatcher = Dispatcher(outbox, send, concurrency=2, interruptible=nullcontext())
    with pytest.raises(ConfigurationError, match="first"):
        dispatcher.run()


@pytest.mark.parametrize("content_type", [f"{SET}; charset=utf-8", f"{SET} ;v=1", SET.upper()])
def test_a_receipt_is_known_by_its_media_type(
    client: Client, peer: Peer, signals: Signals, content_type: str
) -> None:
    """Parameters and capitals are as good as none (RFC 9110 section 8.3.1)."""
    peer.faults.append(labelled(content_type))
    client.post(signals(2))

    assert client.deliver().accepted == 2


def test_what_only_begins_like_the_media_type_is_no_receipt(
    client: Client, peer: Peer, signals: Signals
) -> None:
    """Another type that begins alike is not ours."""
    peer.faults.append(labelled(f"{SET}-like"))
    client.post(signals(2))

    with pytest.raises(ConfigurationError, match="returned no receipt"):
        client.deliver()
