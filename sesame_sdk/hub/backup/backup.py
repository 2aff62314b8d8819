"""Creates a backup: copies the ledger beside the target, checks the copy, packs it, and then names it."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.files import sync_folder
from sesame_sdk.hub.backup import archive
from sesame_sdk.hub.backup.archive import Manifest, Member, Progress, no_progress
from sesame_sdk.hub.backup.postgresql import PostgreSQLLedger
from sesame_sdk.hub.backup.sqlite import SQLiteLedger
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.settings import SETTINGS_FILE, Settings
from sesame_sdk.signing.keys import SigningKey


def create_backup(
    settings: Settings,
    target: Path,
    *,
    with_key: bool = False,
    progress: Progress = no_progress,
    clock: Callable[[], datetime] = timestamps.utc_now,
) -> tuple[Path, Manifest]:
    """Back up a hub into one file (0600), whether it runs or not.

    Needs twice the disk space of the ledger beside the target until it is done.
    In a folder as `target` the file is named by the time. With the key in it, anyone can sign as the hub.

    Raises:
        ConfigurationError: the ledger does not exist or is damaged, or the file cannot be written.
    """
    created_at = clock()
    target = _choose_path(target, created_at)
    kid = SigningKey.load(settings.key_path).kid
    ledger = ledger_for(settings)

    def describe(members: dict[str, Member]) -> Manifest:
        return Manifest(settings.issuer, kid, created_at, version("sesame-sdk"), members)

    try:
        with tempfile.TemporaryDirectory(prefix=".sesame-backup-", dir=target.parent) as temporary:
            copy = Path(temporary) / ledger.member
            ledger.back_up(copy, progress)
            files = [copy, settings.path / SETTINGS_FILE, *([settings.key_path] if with_key else [])]
            manifest = archive.pack(Path(temporary) / target.name, files, describe, progress)
            (Path(temporary) / target.name).rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", field=str(target)) from error
    return target, manifest


def _choose_path(target: Path, at: datetime) -> Path:
    if target.is_dir():
        target = target / f"hub-{at:%Y%m%dT%H%M%SZ}.tar"
    if target.exists():
        raise ConfigurationError("file exists", field=str(target), hint="name a new file, or a folder")
    if not target.parent.is_dir():
        raise ConfigurationError("parent folder does not exist", field=str(target))
    return target


def ledger_for(settings: Settings) -> SQLiteLedger | PostgreSQLLedger:
    """The ledger of a hub with these settings, if its database system is supported."""
    if settings.database.startswith("sqlite"):
        return SQLiteLedger.from_url(settings.database_url)
    if settings.database.startswith("postgresql"):
        return PostgreSQLLedger(settings.database_url)
    raise ConfigurationError("this database system cannot be backed up", field="database")
