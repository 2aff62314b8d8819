"""A ledger as backups see it: something to copy out while others write, and to fill when it is empty."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.hub.settings import Settings

#: Tells a piece of long work: its name and how many steps it has, if that is known; gives what to call for
#: each so many steps done.
Stage = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
#: Bytes that count as one step.
STEP = 1 << 20


class Ledger(Protocol):
    """The database of one hub."""

    @property
    def member(self) -> str:
        """What its copy is called in an archive: also says what product it is of."""
        ...

    def copy_out(self, target: Path, stage: Stage) -> None:
        """One state of it into a file, whoever writes meanwhile.

        Raises:
            ConfigurationError: it is not there, or cannot be copied.
        """
        ...

    def check_free(self) -> None:
        """Pass if there is nothing in it.

        Raises:
            ConfigurationError: there is, or it cannot be asked.
        """
        ...

    def check_copy(self, source: Path, stage: Stage) -> None:
        """Pass if a copy can be put back.

        Raises:
            ConfigurationError: it is damaged.
        """
        ...

    def copy_in(self, source: Path, stage: Stage) -> None:
        """Fill the ledger from a copy that was checked: all of it, or nothing."""
        ...


def ledger_of(settings: Settings) -> Ledger:
    """The ledger of a hub that is set up so.

    Raises:
        ConfigurationError: it is of a product that is not known here.
    """
    from sesame_sdk.hub.backup.postgresql import PostgreSQLLedger
    from sesame_sdk.hub.backup.sqlite import SQLiteLedger

    for product in (SQLiteLedger, PostgreSQLLedger):
        if settings.database.startswith(product.scheme):
            return product.at(settings.database_url)
    raise ConfigurationError("is of no product that can be backed up", field="database")


@contextmanager
def silent(_what: str, _total: int | None) -> Iterator[Callable[[int], None]]:
    """A stage that shows nothing."""
    yield lambda _: None
