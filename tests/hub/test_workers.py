"""Several processes serve one hub: whichever a request reaches, the answer is the same."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from attrs import frozen

from sesame_sdk import ConfigurationError
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import load_settings
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import ORDER, Partner, new_hub, policy, weighting
from tests.hub.process import free_port, serving, starting

SET = "application/secevent+jwt"
PEOPLE = [f"p{number}" for number in range(40)]
pytestmark = pytest.mark.long


@frozen
class Deployment:
    """A hub that is not served yet, and a shop that sends and reads."""

    path: Path
    port: int
    hub: Hub
    shop: Partner

    @property
    def url(self) -> str:
        """Where it will be served."""
        return f"http://127.0.0.1:{self.port}"

    def envelopes(self, many: int, size: int = 20) -> list[bytes]:
        """Sealed, each about half of the people."""
        yesterday = timestamps.utc_now() - timedelta(days=1)
        return [
            self.shop.seal(
                *(self.shop.signal(PEOPLE[(n * 7 + m) % 40], f"{n}-{m}", at=yesterday) for m in range(size))
            )
            for n in range(many)
        ]

    def send(self, envelope: bytes, port: int | None = None) -> bytes:
        """Over a connection of its own, so that the kernel picks a worker each time; the receipt."""
        answer = requests.post(
            f"http://127.0.0.1:{port or self.port}/v1/events",
            data=envelope,
            headers={"Content-Type": SET, "Accept": SET},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text
        return answer.content

    def total(self) -> float:
        """Of all people's points above the base."""
        return sum(score.points - 500.0 for score in self.shop.read(*PEOPLE) if score)


@pytest.fixture
def deployment(tmp_path: Path, database: str) -> Iterator[Deployment]:
    """On each database product in turn."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    path = new_hub(tmp_path / "hub", issuer=url, database=database)
    with Hub.open(path) as hub:
        shop = Partner.join("https://shop.example", hub, timestamps.utc_now, ORDERS, reads=["retail"])
        hub.set_policy(policy(weighting(ORDERS, weight=1.0, cap=400.0, partner_cap=400.0)))
        given = timestamps.utc_now() - timedelta(days=2)
        hub.add_grants(
            pair for who in PEOPLE for pair in shop.grants(who, ORDER, reads="retail", given_at=given)
        )
        yield Deployment(path, port, hub, shop)


def test_what_any_worker_took_counts_once_in_all(deployment: Deployment) -> None:
    """Each envelope is sent three times at once, to any worker: it has one receipt, and counts once."""
    envelopes = deployment.envelopes(30)
    with serving(deployment.path, deployment.port, workers=3), ThreadPoolExecutor(12) as pool:
        receipts = list(pool.map(deployment.send, envelopes * 3))
        assert receipts[:30] == receipts[30:60] == receipts[60:]
    assert deployment.total() == 600.0
    assert deployment.hub.rebuild().signals == 600
    assert deployment.total() == 600.0


def test_a_withdrawal_by_another_process_holds_for_every_worker_at_once(deployment: Deployment) -> None:
    """Each keeps consents in memory, and none may go on with old ones."""
    with serving(deployment.path, deployment.port, workers=3):
        for envelope in deployment.envelopes(9):
            deployment.send(envelope)
        deployment.hub.withdraw_grants(PEOPLE[0], deployment.shop.issuer)
        yesterday = timestamps.utc_now() - timedelta(days=1)
        for number in range(9):
            envelope = deployment.shop.seal(deployment.shop.signal(PEOPLE[0], f"late-{number}", at=yesterday))
            receipt = deployment.shop.read_receipt(deployment.send(envelope))
            assert (receipt.accepted, len(receipt.dropped)) == (0, 1)


def test_a_read_token_is_used_once_whichever_worker_it_reaches(deployment: Deployment) -> None:
    """Twelve at the same time: one is accepted."""
    token = deployment.shop.read_token().decode()
    subject = deployment.shop.pseudonym(PEOPLE[0])

    def read(_: int) -> int:
        answer = requests.get(
            f"{deployment.url}/v1/scores/{subject}", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        return answer.status_code

    with serving(deployment.path, deployment.port, workers=3), ThreadPoolExecutor(12) as pool:
        assert sorted(pool.map(read, range(12))) == [200] + [401] * 11
    assert len(deployment.hub.list_score_reads(PEOPLE[0])) == 1


def test_a_worker_that_dies_is_replaced(deployment: Deployment) -> None:
    """Kill -9 of one: what it had acknowledged stays, the other answers, and soon there are two again."""
    with serving(deployment.path, deployment.port, workers=2) as supervisor:
        envelopes = deployment.envelopes(6)
        before = [deployment.send(envelope) for envelope in envelopes]
        dead = _children(supervisor.pid)[0]
        os.kill(dead, signal.SIGKILL)
        _until(lambda: dead not in _children(supervisor.pid) and len(_children(supervisor.pid)) == 2)
        _until(lambda: requests.get(f"{deployment.url}/healthz", timeout=30).ok)
        assert [deployment.send(envelope) for envelope in envelopes] == before
    assert supervisor.exitcode == 0
    assert deployment.total() == 120.0


def test_a_worker_that_died_young_does_not_make_the_stop_a_failure(deployment: Deployment) -> None:
    """It is not replaced at once. Who stops the hub meanwhile stops what is there, and that is in order."""
    with serving(deployment.path, deployment.port, workers=2) as supervisor:
        old, _ = _children(supervisor.pid)

        def alone() -> bool:
            # On a slow machine the first to die was not so young: then the next one is.
            others = set(_children(supervisor.pid)) - {old}
            for other in others:
                with suppress(ProcessLookupError):
                    os.kill(other, signal.SIGKILL)
            return not others

        _until(alone)
    assert supervisor.exitcode == 0


def test_a_worker_that_is_killed_before_it_is_ready_is_replaced(deployment: Deployment) -> None:
    """The hub begins all the same, and with all of them."""
    with starting(deployment.path, deployment.port, workers=2) as begun:
        supervisor = begun.process.pid
        assert supervisor is not None
        _until(lambda: len(_children(supervisor)) == 2)
        unready = _children(supervisor)[1]
        os.kill(unready, signal.SIGKILL)
        begun.wait_until_ready()
        assert len(_children(supervisor)) == 2
        assert unready not in _children(supervisor)
    assert begun.process.exitcode == 0


def test_a_worker_that_is_killed_once_it_is_ready_is_waited_for_again(deployment: Deployment) -> None:
    """The second worker starts slowly. The hub is ready when both are, not after two reports of one."""
    with starting(deployment.path, deployment.port, workers=2) as begun:
        supervisor = begun.process.pid
        assert supervisor is not None
        _until(lambda: len(_children(supervisor)) == 2)
        quick, slow = _children(supervisor)
        os.kill(slow, signal.SIGSTOP)
        try:
            _until(lambda: _answers(deployment))
            os.kill(quick, signal.SIGKILL)
        finally:
            os.kill(slow, signal.SIGCONT)
        begun.wait_until_ready()
        alive = _children(supervisor)
        assert len(alive) == 2
        assert quick not in alive
    assert begun.process.exitcode == 0


def _answers(deployment: Deployment) -> bool:
    try:
        return requests.get(f"{deployment.url}/healthz", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):  # no listener, or a stopped one
        return False


def test_a_hub_that_is_stopped_while_it_begins_stops_in_order(deployment: Deployment) -> None:
    """Its workers get the signal too, as from systemd. No worker is replaced first."""
    with starting(deployment.path, deployment.port, workers=2) as begun:
        supervisor = begun.process.pid
        assert supervisor is not None
        _until(lambda: len(_children(supervisor)) == 2)
        begun.process.terminate()
        for worker in _children(supervisor):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGTERM)
        begun.process.join(60.0)
        assert not begun.ready
    assert begun.process.exitcode == 0


def test_a_worker_that_ends_by_itself_before_it_is_ready_ends_the_hub(deployment: Deployment) -> None:
    """A new worker would fail too: the operator gets the reason."""
    (deployment.path / "withdrawals.jsonl").write_text("none\n")
    with starting(deployment.path, deployment.port, workers=2) as begun:
        begun.process.join(60.0)
        assert begun.process.exitcode == 1


def test_workers_do_not_outlive_their_supervisor(deployment: Deployment) -> None:
    """Kill -9 of the supervisor: the workers stop as on SIGTERM."""
    with serving(deployment.path, deployment.port, workers=2) as supervisor:
        workers = _children(supervisor.pid)
        supervisor.kill()
        _until(lambda: not any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers))


@pytest.mark.parametrize("new_database", ["postgresql"], indirect=True)
def test_two_machines_share_one_ledger(deployment: Deployment, tmp_path: Path) -> None:
    """Two hubs with the same key and database, each with its own folder and port, are one hub."""
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    for name in ("hub.toml", "signing.jwk"):
        (other / name).write_bytes((deployment.path / name).read_bytes())
        (other / name).chmod(0o600)
    envelopes = deployment.envelopes(20)
    second = free_port()
    with serving(deployment.path, deployment.port), serving(other, second), ThreadPoolExecutor(8) as pool:
        ours = list(pool.map(deployment.send, envelopes))
        theirs = list(pool.map(lambda envelope: deployment.send(envelope, second), envelopes))
        assert ours == theirs
    assert deployment.total() == 400.0


def test_a_setting_that_is_no_number_of_workers_is_named(deployment: Deployment) -> None:
    """Before anything is started."""
    with pytest.raises(ConfigurationError, match="workers"):
        load_settings(deployment.path, flags={"workers": "0"})


def _children(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(number) for number in children]


def _until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)
