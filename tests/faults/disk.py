"""Disks that are full, really: a small filesystem with ballast on it, or a limit that the system sets."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest
from attrs import frozen

_PIECE = 1 << 16


@frozen
class SmallDisk:
    """A filesystem of its own in memory."""

    path: Path

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self, *, leaving: int = 0) -> None:
        """Write ballast until hardly anything goes on it any more."""
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while self.free_bytes() > leaving:
                    file.write(bytes(min(_PIECE, max(self.free_bytes() - leaving, 1))))
            except OSError as error:
                assert error.strerror == "No space left on device"  # noqa: PT017 - from another process's write

    def free_space(self) -> None:
        """Throw the ballast away."""
        self._ballast.unlink()

    def free_bytes(self) -> int:
        """Bytes that are free."""
        statistics = os.statvfs(self.path)
        return statistics.f_bavail * statistics.f_frsize


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """One, mounted on a new folder that any user may enter, unlike pytest's.

    It takes root to mount; where that is not to be had a test is skipped, but not in CI.
    """
    path = Path(mkdtemp(prefix="sesame-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", path],
        capture_output=True,
        check=False,
        text=True,
    )
    if mounted.returncode != 0:
        path.rmdir()
        refused = f"needs a filesystem of its own: {mounted.stderr.strip()}"
        if os.environ.get("CI") == "true":
            pytest.fail(refused)
        pytest.skip(refused)
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)
        path.rmdir()


@frozen
class Quota:
    """How long files of some processes may become (RLIMIT_FSIZE): a write beyond it fails."""

    pids: tuple[int, ...]

    def fill(self, file: Path) -> None:
        """Let no file become longer than this one is."""
        self._set(file.stat().st_size)

    def free_space(self) -> None:
        """Take it away."""
        self._set(resource.RLIM_INFINITY)

    def _set(self, limit: int) -> None:
        for pid in self.pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
