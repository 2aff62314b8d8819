"""Restores a backup into a folder and a database that are empty.

Rules:
    * everything is checked before anything is put in place
    * ``hub.toml``, without which no hub runs, has another name until the restore is complete
    * a key, settings and a withdrawal log that are in the folder already are used, and must fit
    * withdrawals, erasures and key revocations since the backup are replayed before the hub can run: unless
      asked to, it restores nothing without a withdrawal log that reaches back that far
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from attrs import evolve, frozen

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.files import sync_folder, write_private_file
from sesame_sdk.hub.backup import archive
from sesame_sdk.hub.backup.archive import Manifest, Progress, no_progress
from sesame_sdk.hub.backup.backup import ledger_for
from sesame_sdk.hub.database.engine import migrate
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.ingest.verification import VerificationReport
from sesame_sdk.hub.own_keys import PUBLISHED_FILE, load_published
from sesame_sdk.hub.rights.withdrawal_log import Action, Entry, LogContents, read_log
from sesame_sdk.hub.settings import KEY_FILE, SETTINGS_FILE, Settings, load_settings
from sesame_sdk.signing.keys import SigningKey

#: The name of ``hub.toml`` until the restore is complete.
RESTORING_FILE = "hub.toml.restoring"
#: Clocks of two machines may differ by this much: entries from just before a backup are replayed too.
_MAX_CLOCK_SKEW = timedelta(minutes=1)


@frozen
class RestoreResult:
    """What was restored, and how many withdrawals, erasures and key revocations were replayed.

    `unknown` is how many were of people and keys that came after the backup; `ledger` is the quick part of a
    verification.
    """

    manifest: Manifest
    replayed: int
    unknown: int
    ledger: VerificationReport


def restore(
    source: Path,
    folder: Path,
    *,
    withdrawal_logs: Sequence[Path] = (),
    without_withdrawal_log: bool = False,
    progress: Progress = no_progress,
) -> RestoreResult:
    """Create a hub's folder from a backup, and fill its ledger.

    The folder is a new one, or has nothing but the hub's key, ``hub.toml`` or withdrawal log. The withdrawal
    logs are those of the hub that was backed up.

    Raises:
        ConfigurationError: the backup is damaged or does not fit, the folder or the database is not empty, no
            withdrawal log reaches back to the backup, or an entry of it cannot be replayed: then the others
            are, and the hub does not run.
    """
    manifest = archive.read_manifest(source)
    with _temporary_folder(folder) as temporary:
        archive.unpack(source, manifest, temporary, progress)
        settings = _load_settings(manifest, temporary, folder)
        paths = dict.fromkeys([*withdrawal_logs, settings.withdrawal_log_path])
        logs = [read_log(path) for path in paths if path.exists()]
        if not without_withdrawal_log:
            _check_complete(logs, manifest.created_at)
        key = _load_key(manifest, temporary, settings)
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
        if (temporary / PUBLISHED_FILE).exists() and not (folder / PUBLISHED_FILE).exists():
            (temporary / PUBLISHED_FILE).replace(folder / PUBLISHED_FILE)
        _adopt(withdrawal_logs, settings.withdrawal_log_path)
        own_settings = folder / SETTINGS_FILE
        given = own_settings if own_settings.exists() else temporary / SETTINGS_FILE
        given.replace(folder / RESTORING_FILE)
        ledger.restore(copy, progress)
        migrate(settings.database_url)  # it may be of an earlier version
        with Hub.open(folder, settings=settings) as hub, progress("replaying withdrawals", None) as step:
            replayed, unknown = _replay(hub, logs, manifest.created_at, step)
            report = hub.check_ledger()
        (folder / RESTORING_FILE).rename(own_settings)
        sync_folder(folder)
    return RestoreResult(manifest, replayed, unknown, report)


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
        hint = f"expected {manifest.issuer}"
        raise ConfigurationError("is not the issuer of this backup", field=settings.issuer, hint=hint)
    return settings


def _load_key(manifest: Manifest, temporary: Path, settings: Settings) -> SigningKey:
    folder = settings.path
    for path in (folder / KEY_FILE, temporary / KEY_FILE):
        if path.exists():
            key = SigningKey.load(path)
            # The key of a later rotation fits too, if the folder's own list says that there was one.
            listed = load_published(settings).keys if path.parent == folder else ()
            if manifest.kid not in {key.kid, *(known.kid for known in listed)}:
                raise ConfigurationError(f"is not the key of this backup: {manifest.kid}", field=str(path))
            return key
    hint = f"copy it to {folder / KEY_FILE}"
    raise ConfigurationError("is neither in the backup nor in the folder", field=KEY_FILE, hint=hint)


def _adopt(paths: Sequence[Path], target: Path) -> None:
    """Copy the log that is complete for longest to `target`, unless there is one."""
    existing = [path for path in paths if path.exists()]
    if existing and not target.exists():
        oldest = min(existing, key=lambda path: read_log(path).complete_since)
        write_private_file(target, oldest.read_bytes())


def _check_complete(logs: Sequence[LogContents], created_at: datetime) -> None:
    """Pass if a log covers the whole time since a backup was created."""
    if not any(from_micros(log.complete_since) <= created_at for log in logs):
        raise ConfigurationError(
            f"is missing or does not reach back to the backup's {created_at:%Y-%m-%d %H:%M:%S} UTC: "
            "people who withdrew or were erased since the backup would reappear",
            field="withdrawal log",
            hint="name the old hub's: --withdrawal-log FILE; "
            "or use --without-withdrawal-log and repeat them by hand",
        )


def _replay(
    hub: Hub, logs: Sequence[LogContents], created_at: datetime, step: Callable[[int], None]
) -> tuple[int, int]:
    """Apply the entries since `created_at` again. Returns how many were, and how many concern nothing here.

    `ConfigurationError`: an entry cannot be applied; the others are.
    """
    counts, failed = Counter[bool](), []
    partners = {partner.issuer for partner in hub.list_partners()}
    for log in logs:
        entries = [entry for entry in log.entries if entry.at >= to_micros(created_at - _MAX_CLOCK_SKEW)]
        persons = _persons_by_hash(hub, log, {entry.person_hash for entry in entries})
        for entry in entries:
            person = persons.get(entry.person_hash)
            known = hub.has_key(entry.kid) if entry.kid else person is not None
            known &= entry.partner in {"", *partners}
            try:
                if known:
                    _apply_or_quarantine(hub, entry, person or "")
                elif entry.kid:  # so that it stays revoked if it is added again
                    since = from_micros(entry.revoked_from)
                    hub.withdrawal_log.record_key_revocation(entry.partner, entry.kid, since)
                counts[known] += 1
            except InvalidInputError as error:
                failed.append(f"{entry.action} of {from_micros(entry.at):%Y-%m-%d %H:%M:%S} UTC: {error}")
            step(1)
    if failed:
        message = f"{len(failed)} entry(s) cannot be replayed, and the hub must not run without: {failed[0]}"
        hint = f"correct it, remove {RESTORING_FILE} and the database, and restore again"
        raise ConfigurationError(message, field="withdrawal log", hint=hint)
    return counts[True], counts[False]


def _persons_by_hash(hub: Hub, log: LogContents, wanted: set[str]) -> dict[str, str]:
    if not wanted - {""}:
        return {}
    return {hash_: person for person in hub.list_people() if (hash_ := log.person_hash(person)) in wanted}


def _apply_or_quarantine(hub: Hub, entry: Entry, person: str) -> None:
    try:
        _apply(hub, entry, person)
    except InvalidInputError:  # a damaged envelope, which must not keep a person from being erased
        hub.rebuild()
        _apply(hub, entry, person)


def _apply(hub: Hub, entry: Entry, person: str) -> None:
    if entry.action is Action.KEY_REVOCATION:
        hub.revoke_key(entry.kid, from_micros(entry.revoked_from), issuer=entry.partner)
    elif entry.action is Action.WITHDRAWAL:
        hub.withdraw_grants(person, entry.partner, entry.direction)
    else:
        hub.rights.erase(person)
