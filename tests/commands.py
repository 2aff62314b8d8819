"""``sesame`` as a person types it: a process of its own, a fork of one that has its libraries loaded.

What it says, how it ends and what it reads of its environment are as ever; only its start is quicker.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.shell_helpers import SESAME, run
from tests.hub.process import start

_PATIENCE = 60.0
Completed = subprocess.CompletedProcess[str]


def run_sesame(folder: Path, *words: str | Path, env: Mapping[str, str] | None = None) -> Completed:
    """Run a command in a folder, and give back what came of it. Its input is at an end from the start."""
    arguments = [str(word) for word in words]
    environment = dict(os.environ if env is None else env)
    if _for_python(environment) != _STARTED:  # Python reads these when it starts, so it has to
        return run(folder, *arguments, env=environment)
    with TemporaryDirectory() as output:
        process = start(_run, folder, arguments, environment, Path(output))
        process.join(_PATIENCE)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(["sesame", *arguments], _PATIENCE)
        out, err = ((Path(output) / name).read_text(encoding="utf-8") for name in ("out", "err"))
    return subprocess.CompletedProcess(["sesame", *arguments], process.exitcode, out, err)


def _for_python(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("PYTHON")}


_STARTED = _for_python(os.environ)


def _run(folder: Path, words: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, name, how in (
        (0, os.devnull, os.O_RDONLY),
        (1, output / "out", os.O_WRONLY | os.O_CREAT),
        (2, output / "err", os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(name, how, 0o600), number)
    sys.argv = [str(SESAME), *words]
    from sesame_sdk.cli.main import main  # only here: what it makes of its environment, it makes of this one

    main()
