"""The same test in another process, under another hash seed, and what it says there.

Events can be anything, and nothing here is pickled. So the test that asks runs itself again, in a second
pytest, which makes the events anew from the author's own file, writes down what it says, and ends.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sesame_sdk.testing.contract.import_check import environment

_ANSWER = "SESAME_TESTING_ANSWER"
_PATIENCE = 100
#: What of a child's output is shown when it fails.
_SHOWN = 2000


def is_here() -> bool:
    """Whether this is that other process."""
    return _ANSWER in os.environ


def compare(request: pytest.FixtureRequest, folder: Path, said: bytes) -> str:
    """Whether this test says the same elsewhere.

    Args:
        request: of the test that asks.
        folder: for the answer.
        said: what it says here.

    Returns:
        What is wrong; empty if nothing is, or if we are the other process.
    """
    if answer := os.environ.get(_ANSWER):
        Path(answer).write_bytes(said)
        return ""
    file = folder / "answer"
    done = _run(request, file)
    if not file.is_file():
        return f"this test could not be run in another process:\n{(done.stdout + done.stderr)[-_SHOWN:]}"
    if file.read_bytes() != said:
        return (
            "its signals are others in another process: hash(), id(), the order of a set and a clock differ "
            "there (and so may the sample events, which must not)"
        )
    return ""


def _run(request: pytest.FixtureRequest, file: Path) -> subprocess.CompletedProcess[str]:
    config = request.config
    _, _, inside = request.node.nodeid.partition("::")
    command = [sys.executable, "-m", "pytest", f"{request.node.path}::{inside}"]
    # Options of this run are not meant for one test elsewhere; how modules are imported is.
    command += ["-q", "-p", "no:cacheprovider", "--assert=plain", "-o", "addopts="]
    command += [f"--rootdir={config.rootpath}", f"--basetemp={file.parent / 'elsewhere'}"]
    command += [f"--import-mode={config.getoption('importmode')}"]
    if config.inipath is not None:
        command += ["-c", str(config.inipath)]
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    around = environment(PYTHONHASHSEED=seed, **{_ANSWER: str(file)})
    clean = {
        name: value
        for name, value in around.items()
        if name != "PYTEST_ADDOPTS" and not name.startswith("PYTEST_XDIST")
    }
    return subprocess.run(  # noqa: S603 - our own interpreter and test
        command,
        cwd=config.rootpath,
        env=clean,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
