"""Worker processes that serve one hub on one port, and their supervisor.

A worker is a complete hub: it keeps nothing in memory that another one needs, and any of them can handle a
request. The kernel distributes connections among those that listen (``SO_REUSEPORT``). The supervisor serves
nothing: it starts the workers, replaces one that exits, and forwards the signal to stop. If the supervisor
itself dies, the workers see their pipe from it closed, and stop.
"""

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from attrs import define, field, frozen

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.server import systemd
from sesame_sdk.hub.settings import Settings

#: What a worker process runs; by name, since it imports this module.
_WORKER_MODULE = "sesame_sdk.hub.server.server"

_CHECK_INTERVAL = 0.1
#: A worker that exits sooner than this after its start is replaced only after the same time.
_MIN_LIFETIME = 5.0
#: A process id. Writes this short to a pipe are atomic.
_PID = struct.Struct("=I")


@frozen
class WorkerContext:
    """How a worker shares a port.

    Attributes:
        port: that all listen on.
        ready_pipe: the end of a pipe to report on that requests are served.
        lifeline: the end of a pipe that closes when the supervisor exits.
    """

    port: int
    ready_pipe: int
    lifeline: int

    def report_ready(self) -> None:
        """Say that requests are answered, and by whom."""
        os.write(self.ready_pipe, _PID.pack(os.getpid()))

    def stop_with_supervisor(self) -> None:
        """Stop this process, as by SIGTERM, when the supervisor is gone."""
        threading.Thread(target=self._wait, name="sesame-hub-lifeline", daemon=True).start()

    def _wait(self) -> None:
        os.read(self.lifeline, 1)  # nothing is ever written: it returns when the other end closes
        os.kill(os.getpid(), signal.SIGTERM)


@define
class _Worker:
    """A worker, or the slot of one that exited.

    Attributes:
        process: that serves, or did.
        since: when it was begun.
        again: when another is to be begun in its place; none while it lives.
    """

    process: subprocess.Popen[bytes]
    since: float
    again: float | None = None


@define
class _Supervisor:
    """Replaces workers that exit, until it is stopped."""

    command: Callable[[], subprocess.Popen[bytes]]
    workers: list[_Worker] = field(factory=list)
    _stopping: threading.Event = field(factory=threading.Event)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Stop on a signal."""
        self._stopping.set()

    def begin(self) -> _Worker:
        """A new worker."""
        return _Worker(self.command(), time.monotonic())

    def watch(self) -> int:
        """Run until stopped. Returns the exit code."""
        while not self._stopping.wait(_CHECK_INTERVAL):
            self.replace()
        return self.end()

    def replace(self) -> None:
        """Report workers that exited, and start new ones where it is time."""
        for place, worker in enumerate(self.workers):
            if worker.again is None and worker.process.poll() is not None:
                worker.again = _when_again(worker)
            if worker.again is not None and worker.again <= time.monotonic():
                self.workers[place] = self.begin()

    def wait_for_all(self, ready_pipe: int) -> bool:
        """Wait until every worker has reported that it is ready. False if it is stopped before.

        One that is killed meanwhile is replaced, also if it had said so: its place is not ready then.

        Raises:
            ConfigurationError: one ended by itself.
        """
        ready: set[int] = set()
        while (waiting := not self._all_are(ready)) and not self._stopping.is_set():
            if select.select([ready_pipe], [], [], _CHECK_INTERVAL)[0]:
                reports = os.read(ready_pipe, _PID.size * len(self.workers))
                ready.update(pid for (pid,) in _PID.iter_unpack(reports))
            elif any((worker.process.poll() or 0) > 0 for worker in self.workers):
                raise ConfigurationError("did not start", field="a worker", hint="its own error is above")
            else:
                self.replace()
        return not waiting

    def _all_are(self, ready: set[int]) -> bool:
        processes = [worker.process for worker in self.workers]
        return all(process.pid in ready and process.poll() is None for process in processes)

    def end(self) -> int:
        """Stop all, and wait for them: 0, or the code of one that did not stop in order."""
        # Those whose place was to be filled again have been reported, and have nothing to stop.
        theirs = [worker.process for worker in self.workers if worker.again is None]
        for process in theirs:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        codes = [process.wait() for process in theirs]
        # One that got the signal before it listened had nothing to stop.
        return next((code for code in codes if code not in {0, -signal.SIGTERM}), 0)


def _when_again(worker: _Worker) -> float:
    """Report a worker that exited. Returns when to replace it."""
    now = time.monotonic()
    lived = now - worker.since
    metrics.mark_process_dead(worker.process.pid)
    exit_code, lifetime_ms = worker.process.returncode, round(lived * 1000, 1)
    log.error("worker_exited", exit_code=exit_code, lifetime_ms=lifetime_ms)
    return now + (_MIN_LIFETIME if lived < _MIN_LIFETIME else 0)


def supervise(
    path: Path,
    settings: Settings,
    *,
    flags: Mapping[str, str],
    block: Iterable[str],
    on_ready: Callable[[str], None] | None,
) -> None:
    """Serve with the configured number of workers, until stopped.

    Args:
        path: the hub's folder.
        settings: of the hub.
        flags: settings from the command line, which the workers are given too.
        block: names of plugins that they must not load.
        on_ready: called with the URL once all workers are ready.

    Raises:
        ConfigurationError: the address cannot be listened on, or a worker does not start.
    """
    with (
        metrics.multiprocess_folder(),
        metrics.serve_metrics(settings.metrics_address),
        _port(settings) as port,
        _pipes() as pipes,
    ):
        ready_pipe, report_pipe, lifeline, _ = pipes
        shared = {
            "path": str(path),
            "block": [*block],
            "flags": {**flags, "metrics_address": "", "port": str(port)},
        }
        share = WorkerContext(port, report_pipe, lifeline)
        command = [sys.executable, "-m", _WORKER_MODULE, json.dumps(shared | {"share": _as_list(share)})]

        def begin() -> subprocess.Popen[bytes]:
            environment = os.environ | {"NOTIFY_SOCKET": ""}  # the supervisor notifies systemd
            ends = (report_pipe, lifeline)
            return subprocess.Popen(command, pass_fds=ends, env=environment)  # noqa: S603 - ourselves

        supervisor = _Supervisor(begin)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, supervisor.stop)
        try:
            supervisor.workers += [supervisor.begin() for _ in range(settings.workers)]
            if supervisor.wait_for_all(ready_pipe):
                systemd.notify(systemd.READY)
                if on_ready:
                    on_ready(f"http://{settings.host}:{port}")
        except BaseException:
            supervisor.end()
            raise
        code = supervisor.watch()
        if code:
            sys.exit(code)


def listen(settings: Settings, *, share_port: bool) -> socket.socket:
    """A socket on the hub's address, which others may listen on too if `share`; it does not listen yet.

    Raises:
        ConfigurationError: it cannot be had.
    """
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With its protocol named: asyncio turns Nagle's algorithm off for such sockets alone, and an
        # answer in two parts would wait 40 ms for the other side's delayed acknowledgement.
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if share_port:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: accepted connections inherit it
                # A client that reads nothing for so long is cut off, like one that sends too slowly.
                timeout_ms = settings.body_timeout_seconds * 1000
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
            listener.bind(address)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise ConfigurationError(f"cannot listen there: {error.strerror}", field=f"{host}:{port}") from error
    return listener


@contextmanager
def _port(settings: Settings) -> Iterator[int]:
    """The port, held without listening, so that it stays ours while workers come and go."""
    with listen(settings, share_port=True) as held:
        yield held.getsockname()[1]


@contextmanager
def _pipes() -> Iterator[tuple[int, int, int, int]]:
    ready_pipe, report_pipe = os.pipe()
    lifeline, held = os.pipe()
    try:
        yield ready_pipe, report_pipe, lifeline, held
    finally:
        for end in (ready_pipe, report_pipe, lifeline, held):
            os.close(end)


def _as_list(share: WorkerContext) -> list[int]:
    return [share.port, share.ready_pipe, share.lifeline]
