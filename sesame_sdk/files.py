"""Writes files that only their owner may read (0600), whole or not at all."""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sesame_sdk.errors import ConfigurationError


@contextmanager
def new_private_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new file for writing. It is on disk when the block ends, and removed if the block fails.

    Raises:
        FileExistsError: there is a file of that name.
        OSError: it cannot be written.
    """
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(number)
    except BaseException:
        path.unlink()
        raise


def write_private_file(path: Path, data: bytes) -> None:
    """Write a new file in one step: a reader finds nothing or all of it.

    Raises:
        FileExistsError: there is a file of that name.
        OSError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with new_private_file(part) as file:
        file.write(data)
    try:
        path.hardlink_to(part)  # unlike a rename it replaces no file
    finally:
        part.unlink()


def replace_private_file(path: Path, data: bytes) -> None:
    """Write or replace a file in one step: a reader sees the old content or the new, never a part."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    write_private_file(beside, data)
    beside.replace(path)


def ensure_private_file(path: Path) -> None:
    """Create an empty file unless one is there, such as for SQLite, which would follow the umask.

    Raises:
        OSError: it cannot be created.
    """
    # An existing file is not opened: closing it would release all locks that this process has on it
    # (POSIX), and another process could delete the log that we go on writing to:
    # https://sqlite.org/howtocorrupt.html, section 2.2.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def read_private_file(path: Path, *, max_bytes: int) -> bytes:
    """Read a file; `ConfigurationError` if others than its owner may read or write it."""
    with path.open("rb") as file:
        # Of the open file, not of the path: no other file can take its place in between.
        check_private(path, os.fstat(file.fileno()), "600")
        return file.read(max_bytes)


def check_private(path: Path, status: os.stat_result, mode: str) -> None:
    """Raise a `ConfigurationError` if a file or folder can be accessed by others than its owner."""
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            "must not be accessible to other users", field=str(path), hint=f"chmod {mode} {path}"
        )


@contextmanager
def locked_folder(path: Path) -> Iterator[None]:
    """Keep other processes that lock the folder too waiting until the block ends."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def keep_owner(new: Path, old: Path) -> None:
    """Give a new file to the owner of the one that it replaces: an administrator may have written it."""
    status = old.stat()
    os.chown(new, status.st_uid, status.st_gid)


def sync_folder(path: Path) -> None:
    """Flush the names in a folder to disk."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
