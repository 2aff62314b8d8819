"""Real processes, to be killed: a hub as operators run it, and a client that posts and delivers."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import requests
import uvicorn
from attrs import frozen

from sesame_sdk import RetryableError
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.observability import structured_log
from sesame_sdk.hub.server.app import create_app
from sesame_sdk.hub.server.graceful_shutdown import exit_zero_on_sigterm
from sesame_sdk.hub.server.server import serve
from sesame_sdk.partner.client import Client
from sesame_sdk.signing.keys import SigningKey
from tests.faults.fixture_population import BATCH, SHOP, signals
from tests.hub.process import become_command, start

#: Seconds for whatever must happen, on a machine that may be busy with much else.
DEADLINE = 90.0
#: For a client with short waits of its own; it still obeys the hub's Retry-After.
EAGER = RetryPolicy(max_attempts=3, min_wait=0.05, max_wait=0.4, max_jitter=0.05)


def wait_until(true: Callable[[], object], *, seconds: float = DEADLINE) -> None:
    """Wait for something."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


@frozen
class Clock:
    """A clock that adds the seconds in a file, so that it can be set for another process."""

    file: Path

    def set(self, *, hours: float) -> None:
        """Set it so far ahead of its time."""
        beside = self.file.with_suffix(".new")
        beside.write_text(str(hours * 3600))
        beside.replace(self.file)

    def __call__(self) -> datetime:
        """What time it is by it."""
        return timestamps.utc_now() + timedelta(seconds=float(self.file.read_text()))


@frozen
class RunningHub:
    """A hub that is served by a process and its children, which all die together."""

    process: BaseProcess
    url: str
    log: Path

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def pids(self) -> list[int]:
        """The process, and its workers if it has some."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def kill(self) -> None:
        """``kill -9`` of all."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.join(DEADLINE)

    def stop(self) -> None:
        """As an operator stops it; it must end in peace."""
        os.kill(self.pid, signal.SIGTERM)
        self.process.join(DEADLINE)
        assert self.process.exitcode == 0, self.log.read_text()[-4000:]

    def answers(self, path: str = "/health/ready") -> int:
        """The status of a GET; 0 if there is no answer."""
        try:
            return requests.get(self.url + path, timeout=15).status_code
        except (requests.ConnectionError, requests.Timeout):
            return 0

    def resident(self) -> int:
        """Bytes of memory, of all its processes."""
        lines = [line for pid in self.pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


@contextmanager
def running_hub(path: Path, port: int, clock: Clock | None = None, **flags: object) -> Iterator[RunningHub]:
    """A hub in a folder, once it is ready. In the end it is stopped, if it still runs."""
    log = path / "log"
    options = {
        "port": str(port),
        "drain_timeout_seconds": "0",
        **{name: str(flag) for name, flag in flags.items()},
    }
    process = start(_serve_by, path, port, clock, log) if clock else start(_serve, path, options, log)
    hub = RunningHub(process, f"http://127.0.0.1:{port}", log)
    try:
        wait_until(lambda: hub.answers() == 200 or not hub.process.is_alive())
        assert hub.process.is_alive(), log.read_text()[-4000:]
        yield hub
    except BaseException:
        hub.kill()
        raise
    if hub.process.is_alive():
        hub.stop()


def _serve(path: Path, flags: dict[str, str], log: Path) -> None:
    become_command(log)
    serve(path, flags=flags)


def _serve_by(path: Path, port: int, clock: Clock, log: Path) -> None:
    """The same with a wrong clock, which is no setting: only a test needs one."""
    become_command(log)
    with closing(Hub.open(path, clock=clock)) as hub:
        structured_log.configure(level="info", log_format="json")
        exit_zero_on_sigterm()
        uvicorn.run(create_app(hub), port=port, access_log=False, log_config=None, log_level=None)


@frozen
class Sender:
    """A client's process: posts the signals of some numbers, and delivers until all are answered.

    Attributes:
        hub: where to deliver.
        key: file of the shop's key.
        folder: holds its outbox, and what it was promised.
        stop: it posts the signals below this number.
    """

    hub: str
    key: Path
    folder: Path
    stop: int

    @property
    def outbox(self) -> Path:
        """Its file."""
        return self.folder / "outbox.sqlite"

    @property
    def promised(self) -> int:
        """The number below which `post` has returned for all."""
        lines = self._promises.read_text().split("\n") if self._promises.exists() else []
        return int(lines[-2]) if len(lines) > 1 else 0

    @property
    def sent(self) -> int:
        """Envelopes that it has receipts of."""
        if not self.outbox.exists():
            return 0
        with closing(Outbox(self.outbox)) as outbox:
            return outbox.counts().sent

    @property
    def _promises(self) -> Path:
        return self.folder / "promised"

    def begin(self) -> BaseProcess:
        """Begin, or go on."""
        return start(self._run)

    def finish(self, process: BaseProcess) -> None:
        """Wait until it is done."""
        process.join(DEADLINE)
        assert process.exitcode == 0
        assert self.promised == self.stop

    def open_client(self) -> Client:
        """Over its outbox."""
        transport = Transport(self.hub, retry_policy=EAGER, timeouts=(5.0, 60.0))
        key = SigningKey.load(self.key)
        return Client(issuer=SHOP, hub=self.hub, signer=key, outbox=self.outbox, transport=transport)

    def _run(self) -> None:
        with self.open_client() as client:
            poster = threading.Thread(target=self._post, args=(client,))
            poster.start()
            while poster.is_alive() or client.counts().pending:
                with suppress(RetryableError):  # the disk stood in the way; what was answered is asked again
                    client.deliver(concurrency=4)
            poster.join()

    def _post(self, client: Client) -> None:
        for number in range(self.promised, self.stop, BATCH):
            stop = min(number + BATCH, self.stop)
            while not self._keep(client, number, stop):
                time.sleep(0.05)

    def _keep(self, client: Client, number: int, stop: int) -> bool:
        try:
            client.post(signals(number, stop))
        except RetryableError:
            return False
        with self._promises.open("a") as file:
            file.write(f"{stop}\n")
        return True
