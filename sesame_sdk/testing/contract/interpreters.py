"""Other interpreters: imports a plugin in fresh ones, and repeats a test under another hash seed.

The import's budget is for the import statement alone: without Python's own start, and with `sesame_sdk`. It
is for compiled modules: where this process may not write bytecode, the fresh ones write theirs to a temporary
folder. Events can be anything, and nothing is pickled, so a test runs itself again in a second pytest, which
builds the events from the author's own file, writes its output to a file, and ends.
"""

import atexit
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pytest
from attrs import frozen

#: Seconds that importing a plugin may take.
BUDGET = 0.150
#: Seconds that `import sesame_sdk` takes on the machine that the budget is meant for.
REFERENCE = 0.100
#: Fresh interpreters that are tried, of the plugin and of `sesame_sdk` in turns.
MAX_TRIES = 15
_IMPORT_TIMEOUT = 60
_MARK = "\x00imported\x00"
_SCRIPT = f"""
import sys
from time import perf_counter
touched = []
sys.addaudithook(lambda event, _: touched.append(event) if event.startswith("socket.") else None)
started = perf_counter()
import {{module}}
took = perf_counter() - started
print({_MARK!r}, took, *dict.fromkeys(touched), sep="\\n")
"""
_OUTPUT = "SESAME_TESTING_OUTPUT"
_RERUN_TIMEOUT = 100
#: Characters of a child's output that are shown when it fails.
_MAX_SHOWN = 2000


@frozen
class ImportResult:
    """The result of one import: why it failed, in a line, or else what it did; audit events by name."""

    error: str
    printed: str = ""
    network_events: tuple[str, ...] = ()
    seconds: float = 0.0


def describe_slowness(module: str, least: float) -> str:
    """Why a module's import takes too long, where the first took `least` seconds; empty if it does not.

    The least of up to `MAX_TRIES` counts: other work only makes an import slower. Where the median of
    `sesame_sdk` alone, measured in turns with it, exceeds `REFERENCE`, the budget grows by as much.
    """
    baseline, typical = list[float](), 0.0
    while least > BUDGET * max(1.0, typical / REFERENCE):
        if len(baseline) == MAX_TRIES:
            return (
                f"takes {least * 1000:.0f} ms; the budget is {BUDGET * 1000:.0f} ms where sesame_sdk alone "
                f"takes {REFERENCE * 1000:.0f} ms or less, and here it takes {typical * 1000:.0f} ms"
            )
        least = min(least, import_in_fresh_interpreter(module).seconds)
        baseline.append(import_in_fresh_interpreter("sesame_sdk").seconds)
        typical = median(baseline)
    return ""


def import_in_fresh_interpreter(module: str) -> ImportResult:
    """Import a module in a fresh interpreter that finds modules where this one does."""
    env = _environment()
    if env.pop("PYTHONDONTWRITEBYTECODE", ""):
        env["PYTHONPYCACHEPREFIX"] = _bytecode_folder()
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", _SCRIPT.format(module=module)],
        env=env,
        capture_output=True,
        text=True,
        timeout=_IMPORT_TIMEOUT,
        check=False,
    )
    printed, marked, report = done.stdout.partition(f"{_MARK}\n")
    if not marked:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return ImportResult(lines[-1], done.stdout)
    seconds, *network_events = report.split()
    return ImportResult("", printed, tuple(network_events), float(seconds))


@cache
def _bytecode_folder() -> str:
    folder = TemporaryDirectory(prefix="sesame-bytecode-")
    atexit.register(folder.cleanup)
    return folder.name


def _environment(**extra: str) -> dict[str, str]:
    """The environment of a child that finds modules where this process does."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **extra}


def is_child() -> bool:
    """Whether this is that other process."""
    return _OUTPUT in os.environ


def compare(request: pytest.FixtureRequest, folder: Path, output: bytes) -> str:
    """What is wrong with another process's output for this test; empty if nothing is, or in that process."""
    if path := os.environ.get(_OUTPUT):
        Path(path).write_bytes(output)
        return ""
    file = folder / "output"
    done = _run(request, file)
    if not file.is_file():
        return f"this test does not run in another process:\n{(done.stdout + done.stderr)[-_MAX_SHOWN:]}"
    if file.read_bytes() != output:
        return (
            "signals() differs in another process: it uses hash(), id(), the order of a set, or a clock "
            "(the sample events may not use them either)"
        )
    return ""


def _run(request: pytest.FixtureRequest, file: Path) -> subprocess.CompletedProcess[str]:
    config = request.config
    _, _, inside = request.node.nodeid.partition("::")
    command = [sys.executable, "-m", "pytest", f"{request.node.path}::{inside}"]
    # The options of this run are not for that one test, but it must import modules in the same way.
    command += ["-q", "-p", "no:cacheprovider", "--assert=plain", "-o", "addopts="]
    command += [f"--rootdir={config.rootpath}", f"--basetemp={file.parent / 'rerun'}"]
    command += [f"--import-mode={config.getoption('importmode')}"]
    if config.inipath is not None:
        command += ["-c", str(config.inipath)]
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    inherited = _environment(PYTHONHASHSEED=seed, **{_OUTPUT: str(file)})
    outer = ("PYTEST_ADDOPTS", "PYTEST_XDIST")
    env = {name: value for name, value in inherited.items() if not name.startswith(outer)}
    return subprocess.run(  # noqa: S603 - our own interpreter and test
        command,
        cwd=config.rootpath,
        env=env,
        capture_output=True,
        text=True,
        timeout=_RERUN_TIMEOUT,
        check=False,
    )
