"""The backup file: a tar with a manifest that proves whether it is complete.

    ledger.sqlite | ledger.pgdump    the ledger
    hub.toml                         the settings
    signing.jwk                      the key, if it was asked for
    keys.jwks                        the published keys, if there was a rotation
    manifest.json                    size and digest of the others; last, so that a truncated file has none

The digests detect damage; the partners' signatures, which `Hub.verify_ledger` verifies, tampering.
"""

import hashlib
import io
import re
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from attrs import frozen

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.files import new_private_file

#: Reports a long task: takes its name and, if known, its number of steps; yields a function to call with the
#: number of steps done.
Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
#: One step of progress.
STEP_BYTES = 1 << 20
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
_MAX_MANIFEST_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 18
#: Names of members become names of files.
_MEMBER_NAME = re.compile(r"[a-z]+\.[a-z]+")


@contextmanager
def no_progress(_name: str, _steps: int | None) -> Iterator[Callable[[int], None]]:
    """Reports nothing."""
    yield lambda _: None


@frozen
class Member:
    """Size and digest of a file in an archive."""

    bytes: int
    sha256: str


@frozen
class Manifest:
    """The contents of an archive: everything that was acknowledged before `created_at`.

    `kid` is that of the hub's key, which need not be in the archive; `version`, that of the SDK;
    `differences`, how many the quick part of a verification found in the ledger.
    """

    issuer: str
    kid: str
    created_at: datetime
    version: str
    members: dict[str, Member]
    format_version: int = FORMAT_VERSION
    differences: int = 0

    @property
    def ledger(self) -> str:
        """The member that is the ledger, which identifies the database system."""
        return next((name for name in self.members if name.startswith("ledger.")), "none")


def pack(
    target: Path, files: Iterable[Path], describe: Callable[[dict[str, Member]], Manifest], progress: Progress
) -> Manifest:
    """Write a new archive of files (0600), and flush it to disk."""
    files = list(files)
    members = {}
    steps = sum(file.stat().st_size // STEP_BYTES for file in files)
    with (
        new_private_file(target) as raw,
        progress("writing the file", steps) as step,
        tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in files:
            with file.open("rb") as source:
                reader = _HashingReader(source, step)
                tar.addfile(_entry(file.name, file.stat().st_size), reader)
            members[file.name] = reader.member
        manifest = describe(members)
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
        tar.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))
    return manifest


def read_manifest(source: Path) -> Manifest:
    """Read the manifest of an archive.

    `ConfigurationError`: the file is not a backup, is truncated, or has an unknown format.
    """
    with _open(source) as tar:
        try:
            member = tar.getmember(MANIFEST)
            stream = tar.extractfile(member) if member.size <= _MAX_MANIFEST_BYTES else None
            manifest = msgspec.json.decode(stream.read() if stream else b"", type=Manifest)
        except KeyError as error:
            raise _damaged(source, "has no manifest: it is not a backup, or is truncated") from error
        except (tarfile.TarError, OSError, msgspec.DecodeError) as error:
            raise _damaged(source, "has no readable manifest") from error
    if manifest.format_version != FORMAT_VERSION:
        raise _damaged(source, f"has format version {manifest.format_version}, of another version of the SDK")
    if invalid := sorted(name for name in manifest.members if not _MEMBER_NAME.fullmatch(name)):
        raise _damaged(source, f"contains an invalid member name: {invalid[0]!r}")
    return manifest


def unpack(source: Path, manifest: Manifest, folder: Path, progress: Progress) -> None:
    """Write the members of an archive into a folder (0600), and compare them with the manifest.

    `ConfigurationError`: one is missing or damaged.
    """
    steps = sum(member.bytes // STEP_BYTES for member in manifest.members.values())
    with _open(source) as tar, progress("reading the file", steps) as step:
        for name, expected in manifest.members.items():
            try:
                stream = tar.extractfile(name)
                member = _write(stream, folder / name, expected.bytes, step) if stream else None
            except (KeyError, tarfile.TarError, OSError) as error:
                raise _damaged(source, f"member {name} cannot be read") from error
            if member != expected:
                raise _damaged(source, f"member {name} is damaged")


def _write(stream: IO[bytes], target: Path, size: int, step: Callable[[int], None]) -> Member:
    reader = _HashingReader(stream, step)
    with new_private_file(target) as file:
        while reader.size <= size and (chunk := reader.read(_CHUNK_BYTES)):
            file.write(chunk)
    return reader.member


class _HashingReader:
    """Reads a file, and computes size and digest of what was read."""

    def __init__(self, file: IO[bytes], step: Callable[[int], None]) -> None:
        self._file, self._step = file, step
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def member(self) -> Member:
        return Member(self.size, self._digest.hexdigest())

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self._digest.update(chunk)
        before, self.size = self.size, self.size + len(chunk)
        self._step(self.size // STEP_BYTES - before // STEP_BYTES)
        return chunk


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
    return entry


def _open(source: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(source, mode="r:")
    except FileNotFoundError as error:
        raise ConfigurationError("file not found", field=str(source)) from error
    except (OSError, tarfile.TarError) as error:
        raise _damaged(source, "cannot be read as a backup") from error


def _damaged(source: Path, message: str) -> ConfigurationError:
    return ConfigurationError(message, field=str(source), hint="use another backup")
