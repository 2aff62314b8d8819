"""Reads what happened to posts, as the site exports it: one JSON object a line.

The decoder reads only the five fields of `PostEvent`, so a text that was exported by mistake does not even
become an object in memory.
"""

import gzip
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
from attrs import evolve, frozen

from sesame_sdk import InvalidInputError, Skipped

MAX_LINE_BYTES = 1 << 16


@frozen
class PostEvent:
    """An event of a post, caused by other people.

    Attributes:
        post: the site's own id of the post.
        author: the site's own id of its author.
        at: when it was first marked helpful, or confirmed as abuse; UTC.
        event: ``helpful`` or ``abuse_confirmed``; any other is skipped.
        by: a moderator's id, a reader's id, or the number of readers.
    """

    post: str
    author: str
    at: datetime
    event: str
    by: str | int | None = None


_decoder = msgspec.json.Decoder(PostEvent)


def read_events(path: Path) -> Iterator[PostEvent | Skipped]:
    """Read the events of a file; invalid lines are skipped.

    Args:
        path: JSON lines; ``.gz`` is decompressed.

    Raises:
        InvalidInputError: there is no such file, or its compression is broken.
    """
    for line in read_lines(path, MAX_LINE_BYTES):
        yield line if isinstance(line, Skipped) else _parse(line)


def read_lines(path: Path, max_bytes: int) -> Iterator[bytes | Skipped]:
    """Read the lines of a file that are not blank; longer lines than `max_bytes` are skipped.

    Raises:
        InvalidInputError: the file cannot be read.
    """
    try:
        with _open(path) as file:
            while line := file.readline(max_bytes):
                if len(line) < max_bytes or line.endswith(b"\n"):
                    if line.strip():
                        yield line
                    continue
                while line and not line.endswith(b"\n"):  # the rest must not pass for a line
                    line = file.readline(max_bytes)
                yield Skipped("line too long")
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(f"cannot be read: {type(error).__name__}", field=path.name) from error


def _open(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _parse(line: bytes) -> PostEvent | Skipped:
    try:
        event = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Skipped("unreadable line")
    if event.at.tzinfo is None:
        return Skipped("time without a zone")
    if not (event.post and event.author):
        return Skipped("no post or no author")
    try:
        return evolve(event, at=event.at.astimezone(UTC))
    except OverflowError:
        return Skipped("unreadable line")
