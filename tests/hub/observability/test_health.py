"""Alive and ready are two questions: a hub without its database is alive, and should be sent nothing."""

import asyncio
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from sesame_sdk.hub.observability.health import CHECK_TIMEOUT_SECONDS, Health, HealthState
from tests.hub.server.populated_hub import HubFixture, new_hub_fixture
from tests.hub.server.process import HubProcess, running, wait_until

#: Each starts a hub, which takes a while on a machine that is busy.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubFixture, HubProcess]]:
    """A hub that is served."""
    with (
        new_hub_fixture(tmp_path_factory.mktemp("health")) as made,
        running(made.path, made.port, log_level="debug") as process,
    ):
        yield made, process


def completed_requests(process: HubProcess, route: str, at_least: int) -> list[dict[str, Any]]:
    """The log lines of requests to `route`. The hub writes each after its response is sent."""

    def read() -> list[dict[str, Any]]:
        return [line for line in process.events("request_completed") if line["route"].startswith(route)]

    wait_until(lambda: len(read()) >= at_least)
    return read()


def test_a_hub_that_can_work_is_alive_and_ready(served: tuple[HubFixture, HubProcess]) -> None:
    """Both say so, and are not worth a line above debug."""
    made, process = served
    for path in ("/health/live", "/health/ready", "/healthz"):
        answer = made.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    watched = completed_requests(process, "/health", 3)
    assert {line["level"] for line in watched} == {"debug"}


def test_a_refused_request_is_a_warning(served: tuple[HubFixture, HubProcess]) -> None:
    """The filter that operators use hides what is logged as info, and must not hide a 400."""
    made, process = served
    assert made.post(b"no token").status_code == 400
    completed = completed_requests(process, "/v1/events", 1)
    assert [(line["status"], line["level"]) for line in completed] == [(400, "warning")]


def test_without_its_ledger_a_hub_is_alive_and_not_ready(served: tuple[HubFixture, HubProcess]) -> None:
    """503 with Retry-After and why; the change is logged once each way, and with its cause."""
    made, process = served
    with closing(sqlite3.connect(made.path / "hub.sqlite", timeout=30)) as ledger:
        ledger.execute("ALTER TABLE policies RENAME TO away")
        try:
            for _ in range(3):
                answer = made.get("/health/ready")
                assert answer.status_code == 503
                assert answer.json()["description"].endswith("the database does not respond")
                assert answer.headers["Retry-After"] == "5"
                assert made.get("/health/live").status_code == 200
        finally:
            ledger.execute("ALTER TABLE away RENAME TO policies")
    wait_until(lambda: made.get("/health/ready").ok)
    changes = process.events("readiness_changed")
    assert [line["state"] for line in changes] == ["the database does not respond", "ready"]
    assert changes[0]["error"][0]["type"] == "OperationalError"


@define
class Ledger:
    """Hangs until it is released."""

    hangs: threading.Event
    asked: int = 0

    def ready(self) -> bool:
        """True, in the end."""
        self.asked += 1
        self.hangs.wait(60)
        return True


def test_a_ledger_that_hangs_is_away_and_is_asked_by_one_thread_alone() -> None:
    """However many watchers ask meanwhile; once it answers, the hub is ready again."""
    ledger = Ledger(threading.Event())
    health = Health(ledger.ready, lambda: False, lambda: True)

    async def watched() -> None:
        began = time.monotonic()
        states = await asyncio.gather(*(health.check_state() for _ in range(50)))
        assert set(states) == {HealthState.DATABASE_DOWN}
        assert time.monotonic() - began < CHECK_TIMEOUT_SECONDS * 5
        assert ledger.asked == 1
        ledger.hangs.set()
        while await health.check_state() is not HealthState.READY:
            await asyncio.sleep(0.01)

    asyncio.run(watched())
    health.close()


@pytest.mark.parametrize(
    ("good", "stopping", "streams_work", "state"),
    [
        pytest.param(True, False, True, HealthState.READY, id="all is well"),
        pytest.param(False, False, False, HealthState.WRITER_DOWN, id="the writer has ended"),
        pytest.param(True, True, True, HealthState.STOPPING, id="stopping"),
        pytest.param(True, False, False, HealthState.STREAMS_DOWN, id="the stream worker does not respond"),
    ],
)
def test_what_makes_a_hub_ready(good: bool, stopping: bool, streams_work: bool, state: HealthState) -> None:
    """It can work, and is to go on."""
    health = Health(lambda: good, lambda: stopping, lambda: streams_work)
    assert asyncio.run(health.check_state()) is state
    health.close()


def test_systemd_is_notified_when_the_hub_is_ready_and_when_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that Type=notify in the sample unit is true: READY comes only once requests are answered."""
    address = tmp_path / "notify"
    with (
        new_hub_fixture(tmp_path) as made,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        systemd.bind(str(address))
        systemd.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        with running(made.path, made.port) as process:
            assert systemd.recv(64) == b"READY=1"
            assert made.get("/health/ready").ok
            process.stop()
            assert systemd.recv(64) == b"STOPPING=1"
    assert process.code == 0
