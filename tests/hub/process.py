"""A hub as a process of its own, as operators run it.

Each is a fork of one process that has everything loaded and does nothing: a start takes some 10 ms in place
of 2 s. Its workers, if it has any, are new processes, as always.
"""

import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import NamedTemporaryFile

from attrs import frozen

from sesame_sdk.hub.server.server import serve
from tests.ports import free_port

__all__ = ["become_command", "free_port", "serving", "start", "starting"]

_DEADLINE = 60.0
_ROOT = str(Path(__file__).resolve().parents[2])
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    [
        "tests.partner.victim",
        "tests.faults.processes",
        "tests.hub.process",
        "click",
        "rich.progress",
        "numpy",
    ]
)


def start(target: Callable[..., None], *args: object) -> BaseProcess:
    """Begin in a process of its own."""
    if _ROOT not in sys.path:
        sys.path.insert(0, _ROOT)
    process = _PROCESSES.Process(target=target, args=args)
    process.start()
    return process


def become_command(log: Path) -> None:
    """What a process does first that is to be like one that was begun by a command."""
    os.setsid()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    warnings.simplefilter("error")


@frozen
class HubProcess:
    """A hub's process, which may not answer yet."""

    process: BaseProcess
    _ready: Event

    @property
    def ready(self) -> bool:
        """Whether all of it has answered."""
        return self._ready.is_set()

    def wait_until_ready(self) -> None:
        """Until all of it answers."""
        ends = time.monotonic() + _DEADLINE
        while not self._ready.wait(0.1):
            assert self.process.is_alive(), "the hub ended: see its output"
            assert time.monotonic() < ends, "the hub does not answer"


@contextmanager
def starting(path: Path, port: int, **settings: object) -> Iterator[HubProcess]:
    """The hub in `path`, running. It gets SIGTERM in the end, and must stop without an error."""
    flags = {name: str(value) for name, value in {"port": port, **settings}.items()}
    ready = _PROCESSES.Event()
    # Not a pipe: no thread reads it meanwhile, and a hub with a long log would block.
    with NamedTemporaryFile() as log:
        process = start(_serve, path, flags, Path(log.name), ready)
        try:
            yield HubProcess(process, ready)
        finally:
            process.terminate()
            process.join(_DEADLINE)
            sys.stderr.write(log.read().decode())
            stuck = process.exitcode is None
            process.kill()
            assert not stuck, "the hub did not stop"


@contextmanager
def serving(path: Path, port: int, **settings: object) -> Iterator[BaseProcess]:
    """The same, once all of it answers."""
    with starting(path, port, **settings) as begun:
        begun.wait_until_ready()
        yield begun.process


def _serve(path: Path, flags: dict[str, str], log: Path, ready: Event) -> None:
    become_command(log)
    serve(path, flags=flags, on_ready=lambda _: ready.set())
