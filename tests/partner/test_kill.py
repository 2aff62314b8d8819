"""Real processes killed by SIGKILL while they post and deliver: nothing is lost, nothing counts twice."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import pytest
from attrs import evolve

from sesame_sdk import Pseudonymizer
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.signing.keys import SigningKey
from tests.partner.conftest import numbered
from tests.partner.faults import lose_answer, reset, status
from tests.partner.peer import Peer, Reply
from tests.partner.victim import Task, run

ROOT = str(Path(__file__).resolve().parents[2])
# Each process is a fork of one that has everything loaded and does nothing: a start takes some 10 ms.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.partner.victim"])


@pytest.fixture
def task(peer: Peer, partner_key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A task for a process that never ends by itself."""
    monkeypatch.syspath_prepend(ROOT)
    partner_key.save(tmp_path / "signing.jwk")
    return Task(peer.url, tmp_path, "one", 0, 200)


def start(task: Task, pseudonymizer: Pseudonymizer) -> BaseProcess:
    """Begin a task in a process of its own."""
    process = PROCESSES.Process(target=run, args=(task, pseudonymizer))
    process.start()
    return process


def finish(task: Task, pseudonymizer: Pseudonymizer) -> None:
    """Run a task to its end."""
    process = start(task, pseudonymizer)
    process.join(60)
    assert process.exitcode == 0


def assert_exactly_once(peer: Peer, task: Task, pseudonymizer: Pseudonymizer, *, total: int) -> None:
    """The peer holds each signal once, and the outbox holds the receipt of each envelope."""
    assert set(peer.ledger) == {each.id for each in numbered(pseudonymizer, 0, total)}
    outbox = Outbox(task.outbox)
    counts = outbox.counts()
    assert (counts.pending, counts.dead, counts.bytes) == (0, 0, 0)
    assert counts.sent == len(peer.receipts)
    assert set(outbox.receipt_tokens()) == set(peer.receipts.values())
    assert sum(receipt.accepted for receipt in outbox.receipts()) == total
    outbox.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_line_of_ours(peer: Peer, task: Task, pseudonymizer: Pseudonymizer, seed: int) -> None:
    """Killed at 25 seeded points between one line of the exchange and the next, and run to the end."""
    dice = Random(seed)  # noqa: S311 - not a secret
    finish(task, pseudonymizer)
    lines = int((task.folder / "one.lines").read_text())
    killed = 0
    for round_ in range(25):
        peer.faults.extend(dice.sample([lose_answer, reset, status(503)], k=dice.randrange(3)))
        task = evolve(task, stop=task.stop + 80, fatal=dice.randrange(1, lines))
        process = start(task, pseudonymizer)
        process.join(60)
        killed += process.exitcode == -signal.SIGKILL
        assert process.exitcode in {0, -signal.SIGKILL}, round_
    peer.faults.clear()
    finish(evolve(task, fatal=0), pseudonymizer)

    assert killed >= 12
    assert_exactly_once(peer, task, pseudonymizer, total=task.stop)


def test_killed_at_any_time(peer: Peer, task: Task, pseudonymizer: Pseudonymizer) -> None:
    """Killed from outside after a random time, 20 times over, and run to the end."""
    dice = Random(3)  # noqa: S311 - not a secret
    task = evolve(task, stop=40_000, fatal=-1)
    for _ in range(20):
        process = start(task, pseudonymizer)
        process.join(dice.uniform(0.01, 0.3))
        process.kill()
        process.join(60)
    promised = task.promised
    task = evolve(task, stop=promised + 100)
    finish(task, pseudonymizer)

    assert promised > 0
    assert_exactly_once(peer, task, pseudonymizer, total=task.stop)


def test_several_processes_share_an_outbox(peer: Peer, task: Task, pseudonymizer: Pseudonymizer) -> None:
    """Three processes post into one file and take turns to deliver; a fourth is killed among them."""
    tasks = [evolve(task, name=f"p{n}", start=n * 400, stop=(n + 1) * 400, fatal=-1) for n in range(4)]
    processes = [start(each, pseudonymizer) for each in tasks]
    processes[3].join(0.15)
    processes[3].kill()
    for process in processes:
        process.join(60)
    finish(tasks[3], pseudonymizer)

    assert [process.exitcode for process in processes[:3]] == [0, 0, 0]
    assert_exactly_once(peer, task, pseudonymizer, total=1600)


def test_ctrl_c_does_not_wait_for_a_busy_hub(peer: Peer, task: Task, pseudonymizer: Pseudonymizer) -> None:
    """The hub asked for half a minute; the process ends at once, and nothing is lost."""
    asked = threading.Event()

    def busy(_peer: Peer, _work: object) -> Reply:
        asked.set()
        return Reply(503, headers=(("Retry-After", "30"),))

    peer.faults.extend([busy] * 20)
    process = start(evolve(task, fatal=-1), pseudonymizer)
    assert asked.wait(20)
    os.kill(process.pid or 0, signal.SIGINT)
    process.join(15)

    assert process.exitcode == 1
    peer.faults.clear()
    finish(task, pseudonymizer)
    assert_exactly_once(peer, task, pseudonymizer, total=200)
