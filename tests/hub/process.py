"""A hub as a process of its own, as operators run it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import requests

from tests.ports import free_port

__all__ = ["free_port", "serving"]

_DEADLINE = 60.0
_PROGRAM = """
import sys
from pathlib import Path
from sesame_sdk.hub.server import serve
serve(Path(sys.argv[1]), flags=dict(setting.split("=", 1) for setting in sys.argv[2:]))
"""


@contextmanager
def serving(path: Path, port: int, **settings: object) -> Iterator[subprocess.Popen[bytes]]:
    """The hub in `path`, once it answers. It is told to stop in the end, and must do so in peace."""
    told = [f"{name}={value}" for name, value in {"port": port, **settings}.items()]
    command = [sys.executable, "-W", "error", "-c", _PROGRAM, str(path), *told]
    # Not a pipe: nobody reads it meanwhile, and a hub with much to log would wait for somebody to.
    with TemporaryFile() as log, subprocess.Popen(command, stderr=log) as process:
        try:
            _wait(process, f"http://127.0.0.1:{port}/healthz")
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(_DEADLINE)
            log.seek(0)
            sys.stderr.write(log.read().decode())


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    ends = time.monotonic() + _DEADLINE
    while time.monotonic() < ends and process.poll() is None:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
    raise AssertionError(f"the hub does not answer at {url}")
