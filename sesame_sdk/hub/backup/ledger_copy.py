"""The interface to a database that is backed up: copied while others write, and filled when it is empty."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

#: Reports a long task: takes its name and, if known, its number of steps; yields a function to call with the
#: number of steps done.
Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
#: One step of progress.
STEP_BYTES = 1 << 20


class LedgerCopy(Protocol):
    """The database of one hub."""

    @property
    def member(self) -> str:
        """The name of its copy in an archive; also identifies the database system."""
        ...

    def back_up(self, target: Path, progress: Progress) -> None:
        """Copy one consistent state into a file, while others write.

        Raises:
            ConfigurationError: it does not exist, or cannot be copied.
        """
        ...

    def check_empty(self) -> None:
        """Pass if the database is empty.

        Raises:
            ConfigurationError: it is not, or cannot be reached.
        """
        ...

    def check_copy(self, source: Path, progress: Progress) -> None:
        """Pass if a copy can be restored.

        Raises:
            ConfigurationError: it is damaged.
        """
        ...

    def restore(self, source: Path, progress: Progress) -> None:
        """Fill the database from a checked copy: all of it, or nothing."""
        ...


@contextmanager
def no_progress(_name: str, _steps: int | None) -> Iterator[Callable[[int], None]]:
    """Reports nothing."""
    yield lambda _: None
