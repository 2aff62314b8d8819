"""A plugin as a partner has it: wheels of the SDK and of one plugin, in an environment with nothing else."""

import os
import subprocess
import sys
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
PATIENCE = 300  # seconds; a cold cache fetches the SDK's dependencies


@frozen
class Installed:
    """An environment of its own. What runs in it cannot see this checkout.

    Attributes:
        folder: where it runs; outside the checkout.
    """

    folder: Path

    @property
    def bin(self) -> Path:
        """Where its commands are."""
        return self.folder / "venv" / "bin"

    def python(self, script: str, *arguments: object) -> str:
        """Run a piece of Python; returns what it prints."""
        return self._run(self.bin / "python", "-I", "-W", "error", "-c", script, *arguments)

    def sesame(self, *words: object) -> str:
        """Run the command line; returns its data."""
        return self._run(self.bin / "sesame", *words)

    def _run(self, *command: object) -> str:
        return _run(*command, cwd=self.folder)


def install_wheels(folder: Path, *packages: str) -> Installed:
    """Build the wheels of `packages` and install them into a new environment under `folder`."""
    wheels = folder / "wheels"
    for package in packages:
        _run(UV, "build", "--quiet", "--wheel", "--package", package, "--out-dir", wheels, cwd=ROOT)
    _run(UV, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    _run(UV, "pip", "install", "--quiet", "--python", python, *sorted(wheels.glob("*.whl")), cwd=folder)
    return Installed(folder)


def _run(*command: object, cwd: Path) -> str:
    # Nothing of the environment that the tests run in may leak in: it has the checkout on its path.
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env=clean, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{words[:3]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
