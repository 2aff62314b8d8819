"""A clock that is wrong, on either side: nothing is rejected for good, and the error names the clock."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sesame_sdk import InvalidInputError, RetryableError, Signal
from sesame_sdk.partner.client import Client
from sesame_sdk.partner.hub_clock import describe_clock
from sesame_sdk.partner.key_pinning import ASK_SECONDS, PinnedKeys
from tests.commands import run_sesame
from tests.partner.fake_hub import STREAM, FakeHub
from tests.partner.faults import receipt_with
from tests.partner.peer import Peer

Open = Callable[..., Client]
Signals = Callable[..., list[Signal]]


def _clock(**ahead: float) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(**ahead)


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        pytest.param({"minutes": -61}, "this machine's clock is 61 minutes behind the hub's", id="behind"),
        pytest.param({"minutes": 61}, "this machine's clock is 61 minutes ahead of the hub's", id="ahead"),
        pytest.param({"days": 3}, "this machine's clock is 3 days ahead of the hub's", id="days ahead"),
    ],
)
def test_envelopes_wait_for_a_right_clock(
    open_client: Open, signals: Signals, ahead: dict[str, float], says: str
) -> None:
    """Neither a good receipt is taken for a bad one, nor the hub's answer for the last word."""
    wrong = open_client(clock=_clock(**ahead))
    wrong.post(signals(3))

    for _ in range(2):
        result = wrong.deliver()
        assert (result.sent, result.dead, result.pending) == (0, 0, 1)
        assert says in result.reason
        assert "set this machine's clock" in result.reason
        assert "not valid" not in result.reason
    assert wrong.dead_letters() == []
    difference = wrong.clock_difference()
    assert difference is not None
    assert abs(difference - timedelta(**ahead)) <= timedelta(seconds=2)


def test_what_waited_is_sent_once_the_clock_is_right(open_client: Open, peer: Peer, signals: Signals) -> None:
    """It was behind, so the hub has the envelope already: it counts once."""
    wrong = open_client(clock=_clock(hours=-1))
    wrong.post(signals(3))
    wrong.deliver()

    result = open_client().deliver()

    assert (result.sent, result.accepted) == (1, 3)
    assert len(peer.ledger) == 3


def test_a_read_and_a_registration_name_the_clock(open_client: Open) -> None:
    """Their tokens have a time too, and the hub's answer is repeated."""
    client = open_client(clock=_clock(hours=-3))

    with pytest.raises(RetryableError, match="3 hours behind the hub's, which answered: exp: has expired"):
        client.scores(["ada"], purpose="https://w3id.org/dpv#CustomerCare", context="retail")


def test_a_wrong_receipt_is_wrong_by_a_right_clock(open_client: Open, peer: Peer, signals: Signals) -> None:
    """The clock explains nothing that it did not cause."""
    client = open_client(clock=_clock(seconds=30))
    client.post(signals(3))
    peer.faults.append(receipt_with(accepted=2))

    assert client.deliver().dead == 1


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (timedelta(seconds=-90), "90 seconds behind"),
        (timedelta(minutes=119), "119 minutes ahead of"),
        (timedelta(hours=-47), "47 hours behind"),
        (timedelta(days=-400), "400 days behind"),
        (timedelta(0), "0 seconds ahead of"),
    ],
)
def test_the_difference_in_words(ahead: timedelta, says: str) -> None:
    """In the unit that a person would use."""
    assert describe_clock(ahead) == f"this machine's clock is {says} the hub's"


def test_a_message_to_an_inbox_waits_for_a_right_clock(tmp_path: Path) -> None:
    """The hub signed it: it is to be sent again, and not to be rejected for good."""
    hub = FakeHub()
    with hub.open(tmp_path / "store.sqlite") as store:
        store.begin_stream(STREAM)
        token = hub.scores([("ada", 1, 612.5)])
        hub.now -= timedelta(hours=2)
        with pytest.raises(RetryableError, match="clock is 2 hours behind the hub's"):
            hub.inbox(store).receive(token)


def test_doctor_shows_the_difference(peer: Peer, tmp_path: Path) -> None:
    """In a row of its own, which fails when messages would be rejected for it."""
    run_sesame(tmp_path, "keys", "new", "shop", "--issuer", "https://shop.example", "--hub-url", peer.url)

    assert "clock" in run_sesame(tmp_path, "doctor", "--config", "shop").stdout
    peer.clock_offset = timedelta(minutes=61)
    done = run_sesame(tmp_path, "doctor", "--config", "shop", "--json")

    assert done.returncode == 2
    assert "this machine's clock is 61 minutes behind the hub's" in done.stdout


class TestUnknownKeys:
    """An inbox without bearer: what bogus key ids cost the hub, and those who wait."""

    def test_the_hub_is_asked_once_a_minute(self, open_client: Open, peer: Peer) -> None:
        """A hundred bogus ids are one question, and the next comes when a minute is over."""
        questions, now = [], [1000.0]

        def fetch() -> bytes:
            questions.append(now[0])
            return peer.jwks()

        keys = PinnedKeys(peer.url, fetch, open_client()._outbox, clock=lambda: now[0])
        keys.load()
        for second in range(181):
            now[0] = 1000.0 + second
            with pytest.raises((InvalidInputError, RetryableError)):
                keys.find(peer.url, f"bogus {second}", datetime.now(UTC))
            assert keys.find(peer.url, peer.key.kid, datetime.now(UTC))
        assert questions == [1000.0, *(1000.0 + ASK_SECONDS * minute for minute in range(4))]

    def test_nobody_waits_for_the_question(self, open_client: Open, peer: Peer) -> None:
        """While the hub takes its time to answer one caller, known keys are found and others are told."""
        asked, answer, first = threading.Event(), threading.Event(), [True]

        def fetch() -> bytes:
            if not first:
                asked.set()
                answer.wait()
            first.clear()
            return peer.jwks()

        keys = PinnedKeys(peer.url, fetch, open_client()._outbox)
        keys.load()

        def ask() -> None:
            with pytest.raises(InvalidInputError, match="not a key of the hub"):
                keys.find(peer.url, "bogus", datetime.now(UTC))

        waiting = threading.Thread(target=ask)
        waiting.start()
        asked.wait()
        assert keys.find(peer.url, peer.key.kid, datetime.now(UTC))
        with pytest.raises(RetryableError, match="just now"):
            keys.find(peer.url, "also bogus", datetime.now(UTC))
        answer.set()
        waiting.join()
