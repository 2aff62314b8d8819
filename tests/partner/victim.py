"""A partner's process that posts and delivers at the same time, and may be killed at any line.

Run in a process of its own by `test_kill`. It writes down each number that a `post` returned for, so
that it can be held to its word, and goes on from there when it is started again.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from attrs import frozen

import sesame_sdk
from sesame_sdk import Pseudonymizer, RetryableError
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.partner.client import Client
from sesame_sdk.signing.keys import SigningKey
from tests.partner.conftest import numbered
from tests.partner.peer import PARTNER

STEP = 40
_OURS = str(Path(sesame_sdk.__file__).parent)


@frozen
class Task:
    """What a process has to do.

    Attributes:
        hub: where to deliver.
        folder: holds its key, its outbox and the numbers that it was promised.
        name: so that several may work in one folder.
        start: number of its first signal.
        stop: it posts the signals up to this number.
        fatal: after how many lines of the exchange it is killed; 0 for never.
    """

    hub: str
    folder: Path
    name: str
    start: int
    stop: int
    fatal: int = 0

    @property
    def outbox(self) -> Path:
        """The file under test."""
        return self.folder / "outbox.sqlite"

    @property
    def promised(self) -> int:
        """The number up to which `post` has returned."""
        path = self.folder / f"{self.name}.promised"
        return int(path.read_text().splitlines()[-1]) if path.exists() else self.start

    def promise(self, number: int) -> None:
        """Write it down."""
        with (self.folder / f"{self.name}.promised").open("a") as file:
            file.write(f"{number}\n")


def run(task: Task, pseudonymizer: Pseudonymizer) -> None:
    """Post what was not promised yet, and deliver until nothing waits."""
    lines = _count_lines(task.fatal)
    with _client(task) as client:
        poster = threading.Thread(target=_post, args=(client, task, pseudonymizer))
        poster.start()
        while poster.is_alive() or _deliver(client):
            pass
        poster.join()
        _deliver(client)
    (task.folder / f"{task.name}.lines").write_text(str(next(lines)))


def _post(client: Client, task: Task, pseudonymizer: Pseudonymizer) -> None:
    for start in range(task.promised, task.stop, STEP):
        stop = min(start + STEP, task.stop)
        client.post(numbered(pseudonymizer, start, stop))
        task.promise(stop)


def _deliver(client: Client) -> bool:
    """Whether something is left to do."""
    try:
        return client.deliver(concurrency=2).pending > 0
    except RetryableError:  # another process is at it
        return True


def _client(task: Task) -> Client:
    transport = Transport(task.hub, retry_policy=RetryPolicy(min_wait=0.01, max_jitter=0.01))
    key = SigningKey.load(task.folder / "signing.jwk")
    return Client(issuer=PARTNER, hub=task.hub, signer=key, outbox=task.outbox, transport=transport)


def _count_lines(fatal: int) -> Any:
    lines = count(1)

    def each_line(_frame: FrameType, event: str, _arg: object) -> Callable[..., Any]:
        if event == "line" and next(lines) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return each_line

    def each_call(frame: FrameType, _event: str, _arg: object) -> Callable[..., Any] | None:
        return each_line if frame.f_code.co_filename.startswith(_OURS) else None

    if fatal >= 0:
        threading.settrace(each_call)
        sys.settrace(each_call)
    return lines
