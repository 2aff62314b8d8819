"""Replays withdrawals, erasures and key revocations since a backup, in the hub that was restored from it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.files import write_private_file
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.rights.withdrawal_log import Action, Entry, LogContents, read_log

#: Clocks of two machines may differ by this much: entries from just before a backup are replayed too.
_MAX_CLOCK_SKEW = timedelta(minutes=1)


def read_logs(paths: Sequence[Path]) -> list[LogContents]:
    """The existing withdrawal logs among `paths`.

    Raises:
        ConfigurationError: one is not a withdrawal log.
    """
    return [read_log(path) for path in dict.fromkeys(paths) if path.exists()]


def adopt(paths: Sequence[Path], target: Path) -> None:
    """Copy the log that is complete for longest to `target`, unless there is one."""
    existing = [path for path in paths if path.exists()]
    if existing and not target.exists():
        oldest = min(existing, key=lambda path: read_log(path).complete_since)
        write_private_file(target, oldest.read_bytes())


def check_complete(logs: Sequence[LogContents], created_at: datetime) -> None:
    """Pass if a log covers the whole time since a backup was created.

    Raises:
        ConfigurationError: none does.
    """
    if not any(from_micros(log.complete_since) <= created_at for log in logs):
        raise ConfigurationError(
            f"is missing or does not reach back to the backup's {created_at:%Y-%m-%d %H:%M:%S} UTC: "
            "people who withdrew or were erased since the backup would reappear",
            field="withdrawal log",
            hint="name the old hub's: --withdrawal-log FILE; "
            "or use --without-withdrawal-log and repeat them by hand",
        )


def replay(hub: Hub, logs: Sequence[LogContents], created_at: datetime, step: Callable[[int], None]) -> int:
    """Apply the entries since `created_at` again. Returns how many changed something."""
    count = 0
    for log in logs:
        entries = [entry for entry in log.entries if entry.at >= to_micros(created_at - _MAX_CLOCK_SKEW)]
        persons = _persons_by_hash(hub, log, {entry.person_hash for entry in entries})
        for entry in entries:
            count += _apply(hub, entry, persons.get(entry.person_hash))
            step(1)
    return count


def _persons_by_hash(hub: Hub, log: LogContents, wanted: set[str]) -> dict[str, str]:
    if not wanted - {""}:
        return {}
    return {hash_: person for person in hub.list_people() if (hash_ := log.person_hash(person)) in wanted}


def _apply(hub: Hub, entry: Entry, person: str | None) -> bool:
    """Whether the entry changed something: what came after the backup is not in it."""
    try:
        if entry.action is Action.KEY_REVOCATION:
            hub.revoke_key(entry.kid, from_micros(entry.revoked_from), issuer=entry.partner)
        elif person is None:
            return False
        elif entry.action is Action.WITHDRAWAL:
            hub.withdraw_grants(person, entry.partner, entry.direction)
        else:
            hub.rights.erase(person)
    except InvalidInputError:
        return False
    return True
