"""Helpers of the demonstration: run ``sesame`` commands, and a hub as a process of its own."""

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
TIMEOUT = 60  # seconds for a hub to start or stop; it takes about two
_console = Console(highlight=False)


def print_heading(text: str) -> None:
    """Print the heading of a step."""
    _console.print(f"\n[bold cyan]▌[/] [bold]{text}[/]", soft_wrap=True)


def exit_plainly(main: Callable[[], int]) -> NoReturn:
    """Run, and exit as ``sesame`` does: an error is one line on stderr, 130 means interrupted."""
    try:
        sys.exit(main())
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
class Workspace:
    """A folder for the demonstration, the hub's address, and how commands are run."""

    folder: Path
    url: str
    run: Callable[..., "subprocess.CompletedProcess[str]"] = run

    def sesame(self, *words: str | Path, show: bool = False, quiet: bool = False, fails: int = 0) -> str:
        """Run a command, and print it.

        Args:
            words: after ``sesame``.
            show: print its stdout.
            quiet: print neither the command nor its stderr.
            fails: the expected exit code.

        Raises:
            SystemExit: another exit code.
        """
        arguments = [str(word) for word in words]
        if not quiet:
            shown = " ".join(arguments).replace(f"{ROOT}/", "")
            _console.print(f"[dim]$[/] sesame {shown}", soft_wrap=True)
        # A table in a pipe would have no width, and this one is printed here.
        env = {**os.environ, "COLUMNS": str(_console.width)} if show or fails else None
        done = self.run(self.folder, *arguments, env=env)
        if done.returncode != fails:
            sys.exit(f"exit code {done.returncode}, expected {fails}:\n{done.stdout}{done.stderr}")
        if show:
            print(done.stdout, end="", flush=True)
        if not quiet and done.stderr:
            _console.print(
                done.stderr.rstrip(), style="red" if fails else "dim", markup=False, soft_wrap=True
            )
        return done.stdout


def free_port() -> int:
    """A port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running_hub(stage: Workspace) -> Iterator[None]:
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
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", stage: Workspace) -> None:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{stage.url}/healthz", timeout=1):  # noqa: S310 - our own URL
                return
        except OSError:  # not there yet, or too busy to answer: `URLError` and `TimeoutError` are both
            time.sleep(0.05)
    sys.exit("the hub did not start:\n" + (stage.folder / "hub.log").read_text())
