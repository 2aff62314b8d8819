"""Runs the same test in another process, under another hash seed, and compares the output.

Events can be anything, and nothing is pickled. So the test runs itself again in a second pytest, which
builds the events from the author's own file, writes its output to a file, and ends.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sesame_sdk.testing.contract.import_check import environment

_OUTPUT = "SESAME_TESTING_OUTPUT"
_TIMEOUT = 100
#: Characters of a child's output that are shown when it fails.
_MAX_SHOWN = 2000


def is_child() -> bool:
    """Whether this is that other process."""
    return _OUTPUT in os.environ


def compare(request: pytest.FixtureRequest, folder: Path, output: bytes) -> str:
    """Compare the output of this test with that of another process.

    Args:
        request: of the test.
        folder: for the other's output.
        output: of this process.

    Returns:
        What is wrong; empty if nothing is, or if this is the other process.
    """
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
    inherited = environment(PYTHONHASHSEED=seed, **{_OUTPUT: str(file)})
    env = {
        name: value
        for name, value in inherited.items()
        if name != "PYTEST_ADDOPTS" and not name.startswith("PYTEST_XDIST")
    }
    return subprocess.run(  # noqa: S603 - our own interpreter and test
        command,
        cwd=config.rootpath,
        env=env,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
