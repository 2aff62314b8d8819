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
from sesame_sdk.hub.database.engine import open_current, read_transaction
from sesame_sdk.hub.ingest.verification import check_quickly
from sesame_sdk.hub.own_keys import PUBLISHED_FILE
from sesame_sdk.hub.settings import SETTINGS_FILE, Settings
from sesame_sdk.signing.keys import SigningKey


def create_backup(
    settings: Settings,
    target: Path | str,
    *,
    with_key: bool = False,
    progress: Progress = no_progress,
    clock: Callable[[], datetime] = timestamps.utc_now,
) -> tuple[Path, Manifest]:
    """Back up a hub into one file (0600), whether it runs or not.

    Needs twice the disk space of the ledger beside the target until it is done.
    A `target` that ends in ``.tar`` is a new file; any other is a folder, made if it is missing (0700), in
    which the file is named by the time. With the key in it, anyone can sign as the hub.
    A ledger with differences is backed up too, and the manifest says how many there are.

    Raises:
        ConfigurationError: the ledger does not exist or is damaged, or the file cannot be written.
    """
    created_at = clock()
    path = _choose_path(target, created_at)
    kid = SigningKey.load(settings.key_path).kid
    ledger, differences = ledger_for(settings), 0

    def describe(members: dict[str, Member]) -> Manifest:
        terms = (settings.issuer, kid, created_at, version("sesame-sdk"), members)
        return Manifest(*terms, differences=differences)

    try:
        with tempfile.TemporaryDirectory(prefix=".sesame-backup-", dir=path.parent) as temporary:
            copy = Path(temporary) / ledger.member
            ledger.back_up(copy, progress)
            differences = _count_differences(settings)
            published = settings.path / PUBLISHED_FILE
            files = [copy, settings.path / SETTINGS_FILE, *([settings.key_path] if with_key else [])]
            files += [published] if published.exists() else []
            manifest = archive.pack(Path(temporary) / path.name, files, describe, progress)
            (Path(temporary) / path.name).rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", field=str(path)) from error
    return path, manifest


def _count_differences(settings: Settings) -> int:
    """By the quick part of a verification. Tables of an earlier version are not compared."""
    with open_current(settings.database_url) as engine:
        if engine is None:
            return 0
        with read_transaction(engine) as connection:
            report = check_quickly(connection)
    return len(report.differences) + report.unlisted


def _choose_path(target: Path | str, at: datetime) -> Path:
    """The new file. The same rule applies every night: what names a folder never becomes a file."""
    path = Path(target)
    is_folder = path.is_dir() or path.suffix != ".tar" or str(target).endswith("/")
    if path.exists() and not path.is_dir():
        hint = "name a folder, or a new file ending in .tar"
        raise ConfigurationError("file exists", field=str(path), hint=hint)
    if not path.parent.is_dir():
        raise ConfigurationError("parent folder does not exist", field=str(path))
    if not is_folder:
        return path
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError(f"cannot be created: {error.strerror}", field=str(path)) from error
    file = path / f"hub-{at:%Y%m%dT%H%M%SZ}.tar"
    if file.exists():
        raise ConfigurationError("file exists", field=str(file), hint="make one backup a second")
    return file


def ledger_for(settings: Settings) -> SQLiteLedger | PostgreSQLLedger:
    """The ledger of a hub with these settings, if its database system is supported."""
    if settings.database.startswith("sqlite"):
        return SQLiteLedger.from_url(settings.database_url)
    if settings.database.startswith("postgresql"):
        return PostgreSQLLedger(settings.database_url)
    raise ConfigurationError("this database system cannot be backed up", field="database")
