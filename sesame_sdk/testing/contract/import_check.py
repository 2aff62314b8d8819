"""A plugin imported in fresh interpreters: whether it can be, what it says and touches, how long it takes.

The budget is for the import statement alone, in a process that has imported nothing yet: Python's own
start is not in it, and `sesame_sdk` is, since whoever imports a plugin imports that too. It is for compiled
modules, as those of an installed plugin are: where this process may not write bytecode, the fresh ones
write theirs to a folder that is then removed.
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
MOST_TRIES = 15
_PATIENCE = 60
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
class Imported:
    """What came of one import.

    Attributes:
        fault: why it could not be imported, in a line; empty if it could.
        printed: what it wrote to stdout.
        touched: what it did to the network.
        took: seconds.
    """

    fault: str
    printed: str = ""
    touched: tuple[str, ...] = ()
    took: float = 0.0


@frozen(slots=False)
class Fresh:
    """A module, as fresh interpreters see it."""

    module: str

    @cached_property
    def first(self) -> Imported:
        """What came of it the first time."""
        return run(self.module)

    def slowness(self) -> str:
        """Why it takes too long; empty if it does not.

        The least of up to `MOST_TRIES` counts, and none is made after one that is within the budget. Other
        work only ever makes an import slower, so the least is closest to what it costs. Where
        `sesame_sdk` alone, measured in turns with it, usually takes more than `REFERENCE` (the median), the
        machine is slow or busy, and the budget grows by as much.
        """
        took, alone = [self.first.took], list[float]()
        while not _is_within(took, alone):
            if len(alone) == MOST_TRIES:
                return _too_slow(min(took), _usual(alone))
            took.append(run(self.module).took)
            alone.append(run("sesame_sdk").took)
        return ""


def _usual(alone: list[float]) -> float:
    return median(alone) if alone else 0.0


def _is_within(took: list[float], alone: list[float]) -> bool:
    return min(took) <= BUDGET * max(1.0, _usual(alone) / REFERENCE)


def _too_slow(took: float, alone: float) -> str:
    return (
        f"takes {took * 1000:.0f} ms; the budget is {BUDGET * 1000:.0f} ms where sesame_sdk alone takes "
        f"{REFERENCE * 1000:.0f} ms or less, and here it takes {alone * 1000:.0f} ms"
    )


def run(module: str) -> Imported:
    """Import a module in a fresh interpreter that finds modules where this one does."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", _SCRIPT.format(module=module)],
        env=_compiling(environment()),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    printed, marked, told = done.stdout.partition(f"{_MARK}\n")
    if not marked:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return Imported(lines[-1], done.stdout)
    took, *touched = told.split()
    return Imported("", printed, tuple(touched), float(took))


def _compiling(around: dict[str, str]) -> dict[str, str]:
    if around.pop("PYTHONDONTWRITEBYTECODE", ""):
        around["PYTHONPYCACHEPREFIX"] = _bytecode()
    return around


@cache
def _bytecode() -> str:
    folder = TemporaryDirectory(prefix="sesame-bytecode-")
    atexit.register(folder.cleanup)
    return folder.name


def environment(**more: str) -> dict[str, str]:
    """The environment of a child that finds modules where this process does."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **more}
