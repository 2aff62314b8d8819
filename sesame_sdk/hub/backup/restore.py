"""Putting a backup back, into a folder and a database that hold nothing yet.

Rules:
    * all is looked at before anything is put in place
    * ``hub.toml``, without which no hub runs, has another name until all is done
    * a key, settings and a journal that lie in the folder already are used, and must fit
    * what was taken back since the backup was made is taken back again, before the hub can be run:
      see `again`. Without a journal that reaches back so far nothing is restored, unless that is asked for
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
from sesame_sdk.hub.backup.ledger_copy import Stage, ledger_of, silent
from sesame_sdk.hub.database.engine import migrate
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import FILE, KEY, Settings, load_settings
from sesame_sdk.signing.keys import SigningKey

#: What ``hub.toml`` is called until the hub may be run.
WAITING = "hub.toml.restoring"


@frozen
class Restored:
    """Whose backup, of when; and how many consents, people and keys were taken back again."""

    manifest: Manifest
    again: int


def restore(
    source: Path,
    folder: Path,
    *,
    journals: Sequence[Path] = (),
    without_journal: bool = False,
    stage: Stage = silent,
) -> Restored:
    """Make a hub's folder, and fill its ledger, from a backup.

    Args:
        source: the backup.
        folder: a new one; or one that holds the hub's key, ``hub.toml`` or journal alone.
        journals: of the hub that the backup was made of.
        without_journal: restore although it is not known what was taken back since.
        stage: is told of the progress.

    Raises:
        ConfigurationError: the backup is damaged or does not fit, the folder or the database holds
            something, or
            no journal reaches back to the backup.
    """
    manifest = archive.read_manifest(source)
    with _folder(folder) as place:
        archive.unpack(source, manifest, place, manifest.members, stage)
        settings = _settings(manifest, place, folder)
        books = replay.read_all([*journals, settings.journal_path])
        if not without_journal:
            replay.check_complete(books, manifest.made_at)
        key = _key(manifest, place, folder)
        ledger = ledger_of(settings)
        copy = place / ledger.member
        if not copy.exists():
            hint = f"name a database of the other product in {FILE}"
            raise ConfigurationError(
                f"is not the product of this backup: {manifest.ledger}", field="database", hint=hint
            )
        ledger.check_free()
        ledger.check_copy(copy, stage)
        if not (folder / KEY).exists():
            key.save(folder / KEY)
        replay.adopt(journals, settings.journal_path)
        (folder / FILE if (folder / FILE).exists() else place / FILE).replace(folder / WAITING)
        ledger.copy_in(copy, stage)
        migrate(settings.database_url)  # it may be of an earlier version
        with Hub.open(folder, settings=settings) as hub, stage("taking back again", None) as step:
            many = replay.take_back(hub, books, manifest.made_at, step)
        (folder / WAITING).rename(folder / FILE)
        sync_folder(folder)
    return Restored(manifest, many)


@contextmanager
def _folder(folder: Path) -> Iterator[Path]:
    """A place to unpack in, within a folder that is made if it is not there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".sesame-restore-", dir=folder) as place:
            yield Path(place)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", field=str(folder)) from error
    finally:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _settings(manifest: Manifest, place: Path, folder: Path) -> Settings:
    """The folder's own, or those of the backup; for this folder."""
    if (folder / WAITING).exists():  # of a restore that was broken off
        (folder / WAITING).rename(folder / FILE)
    own = (folder / FILE).exists()
    settings = evolve(load_settings(folder if own else place), path=folder)
    if settings.issuer != manifest.issuer:
        raise ConfigurationError(
            "is not the issuer of this backup", field=settings.issuer, hint=f"that is {manifest.issuer}"
        )
    return settings


def _key(manifest: Manifest, place: Path, folder: Path) -> SigningKey:
    for path in (folder / KEY, place / KEY):
        if path.exists():
            key = SigningKey.load(path)
            if key.kid != manifest.kid:
                raise ConfigurationError(f"is not the key of this backup: {manifest.kid}", field=str(path))
            return key
    raise ConfigurationError(
        "is not in the backup, nor in the folder", field=KEY, hint=f"put it there first: {folder / KEY}"
    )
