"""Imports a plugin in fresh interpreters: whether it imports, what it prints and touches, how long it takes.

The budget is for the import statement alone, in a process that has imported nothing yet: without Python's
own start, and with `sesame_sdk`, which every plugin imports. It is for compiled modules, as those of an
installed plugin are: where this process may not write bytecode, the fresh ones write theirs to a temporary
folder.
"""

import atexit
import os
import subprocess
import sys
from functools import cache, cached_property
from statistics import median
from tempfile import TemporaryDirectory

from attrs import frozen

#: Seconds that importing a plugin may take.
BUDGET = 0.150
#: Seconds that `import sesame_sdk` takes on the machine that the budget is meant for.
REFERENCE = 0.100
#: Fresh interpreters that are tried, of the plugin and of `sesame_sdk` in turns.
MAX_TRIES = 15
_TIMEOUT = 60
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


@frozen
class ImportResult:
    """The result of one import.

    Attributes:
        error: why it failed, in a line; empty if it did not.
        printed: what it wrote to stdout.
        network_events: audit events of the network.
        seconds: that it took.
    """

    error: str
    printed: str = ""
    network_events: tuple[str, ...] = ()
    seconds: float = 0.0


@frozen(slots=False)
class FreshImports:
    """Imports of a module in fresh interpreters."""

    module: str

    @cached_property
    def first(self) -> ImportResult:
        """The first import."""
        return import_in_fresh_interpreter(self.module)

    def slowness(self) -> str:
        """Why it takes too long; empty if it does not.

        The least of up to `MAX_TRIES` counts, and none is made after one that is within the budget. Other
        work only ever makes an import slower, so the least is closest to what it costs. Where
        `sesame_sdk` alone, measured in turns with it, usually takes more than `REFERENCE` (the median), the
        machine is slow or busy, and the budget grows by as much.
        """
        seconds, baseline = [self.first.seconds], list[float]()
        while not _is_within(seconds, baseline):
            if len(baseline) == MAX_TRIES:
                return _too_slow(min(seconds), _typical(baseline))
            seconds.append(import_in_fresh_interpreter(self.module).seconds)
            baseline.append(import_in_fresh_interpreter("sesame_sdk").seconds)
        return ""


def _typical(baseline: list[float]) -> float:
    return median(baseline) if baseline else 0.0


def _is_within(seconds: list[float], baseline: list[float]) -> bool:
    return min(seconds) <= BUDGET * max(1.0, _typical(baseline) / REFERENCE)


def _too_slow(seconds: float, baseline: float) -> str:
    return (
        f"takes {seconds * 1000:.0f} ms; the budget is {BUDGET * 1000:.0f} ms where sesame_sdk alone takes "
        f"{REFERENCE * 1000:.0f} ms or less, and here it takes {baseline * 1000:.0f} ms"
    )


def import_in_fresh_interpreter(module: str) -> ImportResult:
    """Import a module in a fresh interpreter that finds modules where this one does."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", _SCRIPT.format(module=module)],
        env=_with_bytecode(environment()),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    printed, marked, report = done.stdout.partition(f"{_MARK}\n")
    if not marked:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return ImportResult(lines[-1], done.stdout)
    seconds, *network_events = report.split()
    return ImportResult("", printed, tuple(network_events), float(seconds))


def _with_bytecode(inherited: dict[str, str]) -> dict[str, str]:
    if inherited.pop("PYTHONDONTWRITEBYTECODE", ""):
        inherited["PYTHONPYCACHEPREFIX"] = _bytecode_folder()
    return inherited


@cache
def _bytecode_folder() -> str:
    folder = TemporaryDirectory(prefix="sesame-bytecode-")
    atexit.register(folder.cleanup)
    return folder.name


def environment(**extra: str) -> dict[str, str]:
    """The environment of a child that finds modules where this process does."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **extra}
