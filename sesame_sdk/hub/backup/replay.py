"""What was taken back after a backup was made, taken back again in the hub that came out of it."""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.files import new_private_file
from sesame_sdk.hub.backup import withdrawal_log
from sesame_sdk.hub.backup.withdrawal_log import Book, Entry, What
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.hub import Hub

#: By so much the clocks of machines may differ: what was taken back just before a backup is so again.
_SKEW = timedelta(minutes=1)


def read_all(paths: Sequence[Path]) -> list[Book]:
    """The journals among `paths` that are there.

    Raises:
        ConfigurationError: one is none.
    """
    return [withdrawal_log.read(path) for path in dict.fromkeys(paths) if path.exists()]


def adopt(paths: Sequence[Path], target: Path) -> None:
    """Let the journal that reaches back furthest be the hub's own, if it has none."""
    found = [path for path in paths if path.exists()]
    if found and not target.exists():
        oldest = min(found, key=lambda path: withdrawal_log.read(path).since)
        with oldest.open("rb") as source, new_private_file(target) as file:
            shutil.copyfileobj(source, file)


def check_complete(books: Sequence[Book], made_at: datetime) -> None:
    """Pass if it is known what was taken back since `made_at`.

    Raises:
        ConfigurationError: it is not.
    """
    if not any(from_micros(book.since) <= made_at for book in books):
        raise ConfigurationError(
            f"is not there, or does not reach back to the backup's {made_at:%Y-%m-%d %H:%M:%S} UTC: whoever "
            "withdrew or was erased since would be back",
            field="journal",
            hint="name the old hub's: --journal FILE; or --without-journal, and do it all again by hand",
        )


def take_back(hub: Hub, books: Sequence[Book], made_at: datetime, step: Callable[[int], None]) -> int:
    """Take back again what was since `made_at`; how many entries that were."""
    many = 0
    for book in books:
        late = [entry for entry in book.entries if entry.at >= to_micros(made_at - _SKEW)]
        persons = _persons(hub, book, {entry.who for entry in late})
        for entry in late:
            many += _do(hub, entry, persons.get(entry.who))
            step(1)
    return many


def _persons(hub: Hub, book: Book, wanted: set[str]) -> dict[str, str]:
    """The restored hub's people among those of a journal."""
    if not wanted - {""}:
        return {}
    return {who: person for person in hub.list_people() if (who := book.who(person)) in wanted}


def _do(hub: Hub, entry: Entry, person: str | None) -> bool:
    """Whether there was anything to do: who or what came after the backup is not in it."""
    try:
        if entry.what is What.REVOKED:
            hub.revoke_key(entry.partner, entry.kid, from_micros(entry.since))
        elif person is None:
            return False
        elif entry.what is What.WITHDREW:
            hub.withdraw_grants(person, entry.partner, entry.direction)
        else:
            hub.rights.erase(person)
    except InvalidInputError:
        return False
    return True
