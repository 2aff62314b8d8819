"""gunicorn with --preload and Celery's prefork pool: every signal that a worker posted is in the outbox."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from sesame_sdk import Client, PartnerConfig
from tests.hub.process import free_port

pytestmark = pytest.mark.long
_ROOT = Path(__file__).resolve().parents[2]
_DEADLINE = 60.0
_TASKS = 30


@pytest.fixture
def shop(tmp_path: Path) -> PartnerConfig:
    """A shop whose hub is away."""
    return PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub="http://127.0.0.1:1")


@contextmanager
def _running(shop: PartnerConfig, *command: str) -> Iterator[None]:
    """A server, which is stopped in the end as an operator stops it."""
    promised = shop.path.parent / "promised"
    promised.mkdir()
    environment = os.environ | {"SESAME_CONFIG": str(shop.path), "PROMISED": str(promised)}
    log = (shop.path.parent / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=_ROOT, env=environment, stdout=log, stderr=log
    )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(_DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        log.close()
        sys.stderr.write((shop.path.parent / "log").read_text())


def _stored(shop: PartnerConfig) -> int:
    with closing(Client.from_config(shop)) as client:
        return client.counts().pending


def test_gunicorn_with_preload(shop: PartnerConfig) -> None:
    """The master made the client and posted; three workers post, one is killed, and all end."""
    port, answers = free_port(), []
    command = ("gunicorn", "tests.partner.preforked_site:wsgi", "--preload", "--workers", "3")
    with _running(shop, *command, "--bind", f"127.0.0.1:{port}", "--timeout", "60"):
        ends = time.monotonic() + _DEADLINE
        while len(answers) < 60:
            try:
                answers.append(requests.get(f"http://127.0.0.1:{port}/", timeout=20).text.split()[0])
            except requests.ConnectionError:
                assert time.monotonic() < ends
                time.sleep(0.05)
                continue
            if len(answers) == 30:
                os.kill(int(answers[-1]), signal.SIGKILL)

    assert len({*answers}) > 1  # several workers answered
    assert _stored(shop) == 1 + len(answers)


def test_celery_with_processes(shop: PartnerConfig) -> None:
    """The main process made the client and posted; its pool of three does the tasks."""
    promised = shop.path.parent / "promised"
    command = ("celery", "-A", "tests.partner.preforked_site:tasks", "worker", "-P", "prefork", "-c", "3")
    with _running(shop, *command, "--without-gossip", "--without-mingle", "--without-heartbeat"):
        ends = time.monotonic() + _DEADLINE
        while len(list(promised.iterdir())) < _TASKS and time.monotonic() < ends:
            time.sleep(0.05)

    done = [path.name.split("-")[0] for path in promised.iterdir()]
    assert len(done) == _TASKS
    assert len({*done}) > 1
    assert _stored(shop) == 1 + _TASKS
