"""On SIGTERM, a hub cuts no request in flight, keeps all that it acknowledged, and ends with 0."""

import signal
import socket
import threading
import time
from pathlib import Path

import pytest
import requests
from attrs import define, field

from sesame_sdk.hub.hub import Hub
from tests.hub.server.populated_hub import SET, HubFixture, new_hub_fixture
from tests.hub.server.process import HubProcess, running, wait_until

#: Each starts a hub, which takes a while on a machine that is busy.
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

SENDERS, SIGNALS = 6, 40


@define
class Sender:
    """Sends one envelope after the other on one connection, until the response closes it."""

    made: HubFixture
    envelopes: list[bytes]
    receipts: list[bytes] = field(factory=list)
    fault: BaseException | None = None

    def run(self) -> None:
        """Every request must be answered, and accepted."""
        try:
            with requests.Session() as session:
                assert any(self._was_last(envelope, session) for envelope in self.envelopes)
        except BaseException as error:  # noqa: BLE001 - for the test to see
            self.fault = error

    def _was_last(self, envelope: bytes, session: requests.Session) -> bool:
        answer = self.made.post(envelope, session)
        assert answer.status_code == 202, answer.text
        self.receipts.append(answer.content)
        return answer.headers.get("Connection") == "close"


def test_a_hub_under_load_stops_without_cutting_or_losing_anything(tmp_path: Path) -> None:
    """Every sender gets an answer to all that it sent; every receipt stands for what is in the ledger."""
    with new_hub_fixture(tmp_path) as made:
        people = [f"person-{number}" for number in range(20)]
        made.record_consents(*people)
        senders = [Sender(made, _envelopes(made, people, number)) for number in range(SENDERS)]
        with running(made.path, made.port, drain_timeout_seconds=20) as process:
            threads = [threading.Thread(target=sender.run) for sender in senders]
            for thread in threads:
                thread.start()
            wait_until(lambda: all(len(sender.receipts) >= 3 for sender in senders))
            process.process.send_signal(signal.SIGTERM)
            for thread in threads:
                thread.join()
            process.stop()
    assert [sender.fault for sender in senders] == [None] * SENDERS
    assert process.code == 0
    assert not process.events("request_aborted")
    acknowledged = sum(len(sender.receipts) for sender in senders)
    with Hub.open(made.path) as hub:
        assert hub.rebuild().signals == SIGNALS * acknowledged
        for sender in senders:
            for envelope, receipt in zip(sender.envelopes, sender.receipts, strict=False):
                assert hub.receive(envelope) == receipt


def _envelopes(made: HubFixture, people: list[str], sender: int) -> list[bytes]:
    """More than can be sent in the time."""
    return [
        made.shop.seal(*(made.order(people[n % 20], f"{sender}-{number}-{n}") for n in range(SIGNALS)))
        for number in range(60)
    ]


def _half(made: HubFixture, body: bytes) -> socket.socket:
    """A connection on which half of a request was sent."""
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Type: {SET}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    channel = socket.create_connection(("127.0.0.1", made.port), timeout=60)
    channel.sendall(head.encode() + body[: len(body) // 2])
    return channel


def _stopping(process: HubProcess) -> None:
    """Send SIGTERM, and wait until the hub logs that it stops."""
    process.process.send_signal(signal.SIGTERM)
    wait_until(lambda: process.events("server_stopping"))


def test_while_it_stops_a_hub_is_alive_not_ready_and_finishes_what_is_under_way(tmp_path: Path) -> None:
    """Also a request of which only half had arrived; the connection is closed after its answer."""
    with (
        new_hub_fixture(tmp_path) as made,
        running(made.path, made.port, drain_timeout_seconds=60) as process,
    ):
        made.record_consents("ada")
        body = made.shop.seal(made.order("ada", "1"))
        with _half(made, body) as channel:
            wait_until(lambda: made.get("/health/ready").ok)
            _stopping(process)
            answer = made.get("/health/ready")
            assert (answer.status_code, answer.headers["Connection"]) == (503, "close")
            assert answer.json()["description"].endswith("stopping")
            assert made.get("/health/live").status_code == 200
            channel.sendall(body[len(body) // 2 :])
            chunk = channel.recv(4096)
            assert chunk.startswith(b"HTTP/1.1 202")
            assert b"connection: close" in chunk.lower()
        process.stop()
        assert process.code == 0
        assert process.events("server_stopped")[0]["duration_ms"] < 30_000


def test_a_request_that_does_not_end_is_cut_in_the_end(tmp_path: Path) -> None:
    """After drain and stop seconds; the log says so, and the hub ends in peace all the same."""
    settings = {"drain_timeout_seconds": 0, "shutdown_timeout_seconds": 1, "body_timeout_seconds": 600}
    with new_hub_fixture(tmp_path) as made, running(made.path, made.port, **settings) as process:
        with _half(made, made.shop.seal(made.order("ada", "1"))):
            wait_until(lambda: made.get("/health/ready").ok)
            began = time.monotonic()
            process.stop()
            assert time.monotonic() - began < 30
        assert process.code == 0
        assert [line["route"] for line in process.events("request_aborted")] == ["/v1/events"]
        texts = [line.get("text", "") for line in process.events("library_logged")]
        assert any("graceful shutdown exceeded" in text for text in texts)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        pytest.param(signal.SIGTERM, 0, id="by a service manager"),
        pytest.param(signal.SIGINT, -signal.SIGINT, id="by Ctrl+C, which Python passes on"),
    ],
)
def test_an_idle_hub_stops_at_once(tmp_path: Path, how: signal.Signals, code: int) -> None:
    """Without connections there is no wait; the signal decides the exit code."""
    with (
        new_hub_fixture(tmp_path) as made,
        running(made.path, made.port, drain_timeout_seconds=60) as process,
    ):
        began = time.monotonic()
        process.stop(how)
        assert time.monotonic() - began < 30
    assert process.code in {code, 130}
    assert process.log_text.count('"server_stopped"') == 1
