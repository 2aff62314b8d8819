"""A hub as a process of its own, with settings and further rules, of which every word on stderr is kept."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from attrs import define, field

from tests.hub.process import free_port

_REPOSITORY = Path(__file__).parents[3]
_PROGRAM = """
import sys
from pathlib import Path
from sesame_sdk.hub.server.server import serve
from sesame_sdk.hub.observability import structured_log
from tests.hub.server.permissive_rule import PermissiveRule
structured_log.output.strict = True
serve(Path(sys.argv[1]), flags=dict(word.split("=", 1) for word in sys.argv[2:]), rules=[PermissiveRule()])
"""
TIMEOUT = 120.0


def wait_until(holds: Callable[[], object], seconds: float = TIMEOUT) -> None:
    """Look again and again until something holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, f"does not hold after {seconds:g} s"
        time.sleep(0.02)


@define
class HubProcess:
    """A hub at `url`, and its output once it ended."""

    url: str
    process: "subprocess.Popen[bytes]"
    log_text: str = ""
    code: int | None = None
    _log: Path = field(kw_only=True)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Send SIGTERM, and wait for its end."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.code = self.process.wait(TIMEOUT)
        self.log_text = self._log.read_text()

    def is_answering(self, path: str) -> bool:
        """Whether it says 200 there. It must not have ended."""
        assert self.process.poll() is None, self._log.read_text()
        try:
            return requests.get(self.url + path, timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log, which must be JSON, every line."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of one kind."""
        return [line for line in self.lines if line["event"] == name]


@contextmanager
def running(path: Path, port: int | None = None, **settings: object) -> Iterator[HubProcess]:
    """The hub in `path`, with settings as flags. It is stopped in the end, if it was not before."""
    port = port or free_port()
    words = [f"{name}={value}" for name, value in {"port": port, "log_format": "json", **settings}.items()]
    log = path.parent / f"{path.name}-{port}.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-W", "default", "-c", _PROGRAM, str(path), *words],
            cwd=_REPOSITORY,
            stderr=output,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as process,
    ):
        hub = HubProcess(f"http://127.0.0.1:{port}", process, log=log)
        try:
            wait_until(lambda: hub.is_answering("/health/ready"))
            yield hub
        finally:
            hub.stop()
            sys.stderr.write(hub.log_text)
