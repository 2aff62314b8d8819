"""Making a backup: a copy of the ledger beside where it is to be, checked, packed, and then named."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.files import sync_folder
from sesame_sdk.hub.backup import archive
from sesame_sdk.hub.backup.archive import Manifest, Member
from sesame_sdk.hub.backup.ledger_copy import Stage, ledger_of, silent
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.settings import FILE, Settings
from sesame_sdk.signing.keys import SigningKey


def back_up(
    settings: Settings,
    target: Path,
    *,
    with_key: bool = False,
    stage: Stage = silent,
    clock: Callable[[], datetime] = timestamps.utc_now,
) -> tuple[Path, Manifest]:
    """Put a hub into one file (0600), while it runs or not.

    Needs twice the room of the ledger beside the target until it is done.

    Args:
        settings: of the hub.
        target: a file that is not there yet; or a folder, in which it gets a name with the moment.
        with_key: put the hub's signing key into it. Whoever has that can sign as the hub.
        stage: is told of the progress.
        clock: says what time it is, in UTC.

    Returns:
        Where it is, and what is in it: every envelope that was acknowledged before, and none that is not
        acknowledged at all.

    Raises:
        ConfigurationError: there is no ledger, it is damaged, or the file cannot be written.
    """
    began = clock()
    target = _named(target, began)
    kid = SigningKey.load(settings.key_path).kid
    ledger = ledger_of(settings)

    def describe(members: dict[str, Member]) -> Manifest:
        return Manifest(settings.issuer, kid, began, version("sesame-sdk"), members)

    try:
        with tempfile.TemporaryDirectory(prefix=".sesame-backup-", dir=target.parent) as name:
            copy = Path(name) / ledger.member
            ledger.copy_out(copy, stage)
            files = [copy, settings.path / FILE, *([settings.key_path] if with_key else [])]
            manifest = archive.pack(Path(name) / target.name, files, describe, stage)
            (Path(name) / target.name).rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", field=str(target)) from error
    return target, manifest


def _named(target: Path, at: datetime) -> Path:
    if target.is_dir():
        target = target / f"hub-{at:%Y%m%dT%H%M%SZ}.tar"
    if target.exists():
        raise ConfigurationError("is there already", field=str(target), hint="name a new file, or a folder")
    if not target.parent.is_dir():
        raise ConfigurationError("is in no folder that is there", field=str(target))
    return target
