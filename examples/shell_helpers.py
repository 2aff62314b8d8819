"""What the demonstration stands on: typing ``sesame`` commands, and a hub as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from attrs import frozen
from rich.console import Console

from sesame_sdk import SesameError

ROOT = Path(__file__).resolve().parents[1]
SESAME = Path(sys.executable).with_name("sesame")
PATIENCE = 60  # seconds for a hub to start or stop; it takes about two
_console = Console(highlight=False)


def say(what: str) -> None:
    """Announce a scene."""
    _console.print(f"\n[bold cyan]▌[/] [bold]{what}[/]", soft_wrap=True)


def ended_plainly(play: Callable[[], int]) -> NoReturn:
    """Play, and exit as ``sesame`` does: an error is one line on stderr, 130 means interrupted."""
    try:
        sys.exit(play())
    except SesameError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(4 if isinstance(error, ValueError) else 2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def run(
    folder: Path, *words: str, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run ``sesame`` in a folder, as a process of its own."""
    return subprocess.run(
        [SESAME, *words], cwd=folder, capture_output=True, text=True, timeout=300, check=False, env=env
    )


@frozen
class Stage:
    """A folder to play in, the hub's address, and how commands are run."""

    folder: Path
    url: str
    run: Callable[..., "subprocess.CompletedProcess[str]"] = run

    def sesame(self, *words: str | Path, show: bool = False, quiet: bool = False, fails: int = 0) -> str:
        """Type a command.

        Args:
            words: what comes after ``sesame``.
            show: print what it prints as data.
            quiet: print neither the command nor its notes.
            fails: the exit code that it must end with.

        Raises:
            SystemExit: it ended otherwise.
        """
        typed = [str(word) for word in words]
        if not quiet:
            shown = " ".join(typed).replace(f"{ROOT}/", "")
            _console.print(f"[dim]$[/] sesame {shown}", soft_wrap=True)
        # What a command says when it refuses is shown, and a table in a pipe is as wide as it likes.
        env = {**os.environ, "COLUMNS": str(_console.width)} if fails else None
        done = self.run(self.folder, *typed, env=env)
        if done.returncode != fails:
            sys.exit(f"that ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
        if show:
            print(done.stdout, end="", flush=True)
        if not quiet and done.stderr:
            _console.print(
                done.stderr.rstrip(), style="red" if fails else "dim", markup=False, soft_wrap=True
            )
        return done.stdout


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running_hub(stage: Stage) -> Iterator[None]:
    """The hub in ``stage.folder/hub``, as a process, ready to answer."""
    port = stage.url.rsplit(":", 1)[1]
    _console.print(f"[dim]$[/] sesame hub run --hub hub --port {port} &")
    log = (stage.folder / "hub.log").open("w")
    with log:
        process = subprocess.Popen(
            [SESAME, "hub", "run", "--hub", "hub", "--port", port],
            cwd=stage.folder,
            stdout=log,
            stderr=log,
            env={**os.environ, "NO_COLOR": "1"},
        )
        try:
            _wait_until_ready(process, stage)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", stage: Stage) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{stage.url}/healthz", timeout=1):  # noqa: S310 - our own URL
                return
        except OSError:  # not there yet, or too busy to answer: `URLError` and `TimeoutError` are both
            time.sleep(0.05)
    sys.exit("the hub did not start:\n" + (stage.folder / "hub.log").read_text())
