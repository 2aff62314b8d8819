"""Restores a backup into a folder and a database that are empty.

Rules:
    * everything is checked before anything is put in place
    * ``hub.toml``, without which no hub runs, has another name until the restore is complete
    * a key, settings and a withdrawal log that are in the folder already are used, and must fit
    * withdrawals, erasures and key revocations since the backup are replayed before the hub can run: see
      `replay`. Unless asked to, it restores nothing without a withdrawal log that reaches back that far
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, frozen

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.files import sync_folder
from sesame_sdk.hub.backup import archive, replay
from sesame_sdk.hub.backup.archive import Manifest
from sesame_sdk.hub.backup.backup import ledger_for
from sesame_sdk.hub.backup.ledger_copy import Progress, no_progress
from sesame_sdk.hub.database.engine import migrate
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import KEY_FILE, SETTINGS_FILE, Settings, load_settings
from sesame_sdk.signing.keys import SigningKey

#: The name of ``hub.toml`` until the restore is complete.
RESTORING_FILE = "hub.toml.restoring"


@frozen
class RestoreResult:
    """What was restored, and how many withdrawals, erasures and key revocations were replayed."""

    manifest: Manifest
    replayed: int


def restore(
    source: Path,
    folder: Path,
    *,
    withdrawal_logs: Sequence[Path] = (),
    without_withdrawal_log: bool = False,
    progress: Progress = no_progress,
) -> RestoreResult:
    """Create a hub's folder from a backup, and fill its ledger.

    Args:
        source: the backup.
        folder: a new one; or one with nothing but the hub's key, ``hub.toml`` or withdrawal log.
        withdrawal_logs: of the hub that was backed up.
        without_withdrawal_log: restore although withdrawals since the backup are unknown.
        progress: reports each step.

    Raises:
        ConfigurationError: the backup is damaged or does not fit, the folder or the database is not empty, or
            no withdrawal log reaches back to the backup.
    """
    manifest = archive.read_manifest(source)
    with _temporary_folder(folder) as temporary:
        archive.unpack(source, manifest, temporary, progress)
        settings = _load_settings(manifest, temporary, folder)
        logs = replay.read_logs([*withdrawal_logs, settings.withdrawal_log_path])
        if not without_withdrawal_log:
            replay.check_complete(logs, manifest.created_at)
        key = _load_key(manifest, temporary, folder)
        ledger = ledger_for(settings)
        copy = temporary / ledger.member
        if not copy.exists():
            raise ConfigurationError(
                f"this backup is for another database system: {manifest.ledger}",
                field="database",
                hint=f"set a database of that system in {SETTINGS_FILE}",
            )
        ledger.check_empty()
        ledger.check_copy(copy, progress)
        if not (folder / KEY_FILE).exists():
            key.save(folder / KEY_FILE)
        replay.adopt(withdrawal_logs, settings.withdrawal_log_path)
        own_settings = folder / SETTINGS_FILE
        (own_settings if own_settings.exists() else temporary / SETTINGS_FILE).replace(
            folder / RESTORING_FILE
        )
        ledger.restore(copy, progress)
        migrate(settings.database_url)  # it may be of an earlier version
        with Hub.open(folder, settings=settings) as hub, progress("replaying withdrawals", None) as step:
            replayed = replay.replay(hub, logs, manifest.created_at, step)
        (folder / RESTORING_FILE).rename(own_settings)
        sync_folder(folder)
    return RestoreResult(manifest, replayed)


@contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """A folder to unpack in, within `folder`, which is created if it does not exist."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".sesame-restore-", dir=folder) as temporary:
            yield Path(temporary)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", field=str(folder)) from error
    finally:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _load_settings(manifest: Manifest, temporary: Path, folder: Path) -> Settings:
    """The folder's own settings, or those of the backup; for this folder."""
    if (folder / RESTORING_FILE).exists():  # an earlier restore was interrupted
        (folder / RESTORING_FILE).rename(folder / SETTINGS_FILE)
    own = (folder / SETTINGS_FILE).exists()
    settings = evolve(load_settings(folder if own else temporary), path=folder)
    if settings.issuer != manifest.issuer:
        raise ConfigurationError(
            "is not the issuer of this backup", field=settings.issuer, hint=f"expected {manifest.issuer}"
        )
    return settings


def _load_key(manifest: Manifest, temporary: Path, folder: Path) -> SigningKey:
    for path in (folder / KEY_FILE, temporary / KEY_FILE):
        if path.exists():
            key = SigningKey.load(path)
            if key.kid != manifest.kid:
                raise ConfigurationError(f"is not the key of this backup: {manifest.kid}", field=str(path))
            return key
    raise ConfigurationError(
        "is neither in the backup nor in the folder", field=KEY_FILE, hint=f"copy it to {folder / KEY_FILE}"
    )
