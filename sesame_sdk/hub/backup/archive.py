"""The file that a backup is: a tar that anybody can look into, and that says by itself whether it is whole.

    ledger.sqlite | ledger.pgdump    the ledger
    hub.toml                         the settings
    signing.jwk                      the key, if it was asked for
    manifest.json                    what the others must be; last, so that a file cut short has none

The digests find damage. They prove nothing against somebody who changed the file on purpose: what partners
signed still does (`Hub.rebuild` verifies every envelope anew).
"""

import hashlib
import io
import re
import tarfile
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from attrs import frozen

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.files import new_private_file
from sesame_sdk.hub.backup.ledger_copy import STEP, Stage

FORM = 1
MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1 << 16
_PIECE = 1 << 18
#: Of a member: it becomes that of a file.
_NAME = re.compile(r"[a-z]+\.[a-z]+")


@frozen
class Member:
    """What a file in an archive must be."""

    bytes: int
    sha256: str


@frozen
class Manifest:
    """What an archive holds.

    Attributes:
        issuer: of the hub.
        kid: thumbprint of the hub's key, whether that is in the archive or not.
        made_at: when the copy was begun: all that was acknowledged before is in it; UTC.
        version: of the SDK that made it.
        members: the files.
        form: of the archive.
    """

    issuer: str
    kid: str
    made_at: datetime
    version: str
    members: dict[str, Member]
    form: int = FORM

    @property
    def ledger(self) -> str:
        """The member that is the ledger: says what product it is of."""
        return next((name for name in self.members if name.startswith("ledger.")), "none")


def pack(
    target: Path, files: Iterable[Path], describe: Callable[[dict[str, Member]], Manifest], stage: Stage
) -> Manifest:
    """Write an archive of files (0600), and have it on disk.

    Args:
        target: a file that is not there yet.
        files: go in under their names.
        describe: given what became members, makes the manifest.
        stage: is told of the progress.
    """
    found = list(files)
    members = {}
    steps = sum(file.stat().st_size // STEP for file in found)
    with (
        new_private_file(target) as raw,
        stage("writing the file", steps) as step,
        tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in found:
            with file.open("rb") as source:
                hashing = _Hashing(source, step)
                tar.addfile(_entry(file.name, file.stat().st_size), hashing)
            members[file.name] = Member(hashing.size, hashing.digest.hexdigest())
        manifest = describe(members)
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
        tar.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))
    return manifest


def read_manifest(source: Path) -> Manifest:
    """What an archive says that it holds.

    Raises:
        ConfigurationError: it is no archive of ours, is cut short, or is of a form that is not known.
    """
    with _opened(source) as tar:
        try:
            member = tar.getmember(MANIFEST)
            stream = tar.extractfile(member) if member.size <= _LARGEST_MANIFEST else None
            manifest = msgspec.json.decode(stream.read() if stream else b"", type=Manifest)
        except KeyError as error:
            raise _damaged(source, "has no manifest: it is no backup, or was cut short") from error
        except (tarfile.TarError, OSError, msgspec.DecodeError) as error:
            raise _damaged(source, "has no manifest that can be read") from error
    if manifest.form != FORM:
        raise _damaged(source, f"has the form {manifest.form}, of another version of the SDK")
    if odd := sorted(name for name in manifest.members if not _NAME.fullmatch(name)):
        raise _damaged(source, f"{odd[0]!r} in it is not a name that a backup has")
    return manifest


def unpack(source: Path, manifest: Manifest, folder: Path, names: Iterable[str], stage: Stage) -> None:
    """Write members of an archive into a folder (0600), and compare them with the manifest.

    Raises:
        ConfigurationError: one is missing or damaged.
    """
    wanted = {name: told for name, told in manifest.members.items() if name in set(names)}
    steps = sum(told.bytes // STEP for told in wanted.values())
    with _opened(source) as tar, stage("reading the file", steps) as step:
        for name, told in wanted.items():
            try:
                stream = tar.extractfile(name)
                found = _write(stream, folder / name, told.bytes, step) if stream else None
            except (KeyError, tarfile.TarError, OSError) as error:
                raise _damaged(source, f"{name} in it cannot be read") from error
            if found != told:
                raise _damaged(source, f"{name} in it is damaged")


def _write(stream: IO[bytes], target: Path, size: int, step: Callable[[int], None]) -> Member:
    hashing = _Hashing(stream, step)
    with new_private_file(target) as file:
        while hashing.size <= size and (piece := hashing.read(_PIECE)):
            file.write(piece)
    return Member(hashing.size, hashing.digest.hexdigest())


class _Hashing:
    """Reads a file through, and knows size and digest of what was read."""

    def __init__(self, file: IO[bytes], step: Callable[[int], None]) -> None:
        self._file, self._step = file, step
        self.size = 0
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As a file does."""
        piece = self._file.read(size)
        self.digest.update(piece)
        before, self.size = self.size, self.size + len(piece)
        self._step(self.size // STEP - before // STEP)
        return piece


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
    return entry


def _opened(source: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(source, mode="r:")
    except FileNotFoundError as error:
        raise ConfigurationError("is not there", field=str(source)) from error
    except (OSError, tarfile.TarError) as error:
        raise _damaged(source, "cannot be read as a backup") from error


def _damaged(source: Path, why: str) -> ConfigurationError:
    return ConfigurationError(why, field=str(source), hint="use another backup")
