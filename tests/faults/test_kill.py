"""``kill -9`` of the client and of the hub, at seeded times in the middle of many signals."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from random import Random

import pytest
from attrs import define, field

from tests.faults.conftest import Deployment
from tests.faults.fixture_population import BATCH
from tests.faults.processes import RunningHub, Sender, wait_until

#: As many as fit in the usual run; the million is behind the marker `long`, through the same code.
SOME, MILLION = 40_000, 1_000_000
#: What is killed, in an order by seed. Workers take seconds to begin, so there fewer hubs are killed whole.
ALONE = ("client", "hub", "both", "client", "hub")
SHARED = ("client", "worker", "both", "client")


@define
class _Scene:
    """A hub and a client at work, either of which can be killed and begun anew."""

    deployment: Deployment
    workers: int
    sender: Sender
    _hubs: ExitStack = field(factory=ExitStack)
    hub: RunningHub | None = None
    client: BaseProcess | None = None

    def begin(self) -> None:
        """Start whatever does not run."""
        if self.hub is None:
            self.hub = self._hubs.enter_context(self.deployment.serving(workers=self.workers))
        if self.client is None:
            self.client = self.sender.begin()

    def wait(self, enough: float) -> None:
        """Until the client has receipts of more envelopes than that."""
        client, hub = self.client, self.hub
        assert client is not None
        assert hub is not None
        ended = [client, hub.process]
        wait_until(lambda: self.sender.sent > enough or not all(one.is_alive() for one in ended))
        assert client.is_alive() or self.sender.sent > enough, f"the client ended with {client.exitcode}"
        assert hub.process.is_alive(), hub.log.read_text()[-4000:]

    def kill(self, victim: str) -> None:
        """Of several workers, the last."""
        assert self.hub is not None
        assert self.client is not None
        if victim == "worker":
            os.kill(self.hub.pids[-1], signal.SIGKILL)
            return
        if victim in {"hub", "both"}:
            self.hub.kill()
            self.hub = None
        if victim in {"client", "both"}:
            self.client.kill()
            self.client.join()
            assert self.client.exitcode == -signal.SIGKILL
            self.client = None

    def end(self) -> None:
        """Let the client finish, and stop the hub."""
        assert self.client is not None
        self.sender.finish(self.client)
        self._hubs.close()


def _run(deployment: Deployment, workers: int, seed: int, total: int) -> None:
    dice = Random(seed)  # noqa: S311 - not a secret
    scene = _Scene(deployment, workers, deployment.sender(total))
    victims = ALONE if workers == 1 else SHARED
    for turn, victim in enumerate(dice.sample(victims, k=len(victims)), 1):
        scene.begin()
        after = (turn - dice.random()) / (len(victims) + 1) * total / BATCH
        scene.wait(after)
        time.sleep(dice.uniform(0, 0.1))  # anywhere in an envelope's way, not just after a receipt
        scene.kill(victim)
        if victim == "both":
            deployment.check_nothing_lost(scene.sender.promised)
            assert scene.sender.sent < total / BATCH
    scene.begin()
    scene.end()
    deployment.check(total)


_MIDST = pytest.mark.parametrize(
    ("product", "workers"),
    [
        pytest.param("sqlite", 1, id="over SQLite"),
        pytest.param("postgresql", 2, id="two workers over PostgreSQL"),
    ],
)


@_MIDST
@pytest.mark.long
def test_kill_any_process_at_any_time(
    new_deployment: Callable[..., Deployment], product: str, workers: int
) -> None:
    """The client, the hub, one worker, and both at once: what had a receipt is there, and nothing twice."""
    _run(new_deployment(product), workers, seed=5, total=SOME)


@_MIDST
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2])
def test_kill_anything_in_a_million(
    new_deployment: Callable[..., Deployment], product: str, workers: int, seed: int
) -> None:
    """The same in the middle of a million signals."""
    _run(new_deployment(product), workers, seed=seed, total=MILLION)
