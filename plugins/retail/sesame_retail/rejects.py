"""Lines that could not be read, put aside with the reason: a file that is made when there is one."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from attrs import define, field


@define
class Rejects:
    """A file, for its owner alone.

    Args:
        path: where.
        writes: whether to make it; they are counted all the same.
    """

    path: Path
    writes: bool
    count: int = 0
    _file: TextIO | None = None
    _closing: ExitStack = field(factory=ExitStack)

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def add(self, line: int, reason: str, text: str) -> None:
        """One line: its number, why, and itself."""
        self.count += 1
        if not self.writes:
            return
        if self._file is None:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            self._file = self._closing.enter_context(
                os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape")
            )
        self._file.write(f"{line}\t{reason}\t{text}\n")
