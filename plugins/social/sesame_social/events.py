"""What happened to a post, as the site exports it: one JSON object a line.

The decoder builds the five fields named here and steps over all others, so that a text which was
exported by mistake does not even become an object in memory.
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

#: Of a line, in bytes. What is longer is not an event of ours.
MAX_LINE_BYTES = 1 << 16


@frozen
class PostEvent:
    """Something that other people made of a post.

    Attributes:
        post: the site's own id of the post.
        author: the site's own id of who wrote it.
        at: when it happened: first marked helpful, or confirmed as abuse; UTC.
        event: ``helpful`` or ``abuse_confirmed``; any other is kept back.
        by: who did it, or how many did: a moderator's id, a reader's id, or a count of readers.
    """

    post: str
    author: str
    at: datetime
    event: str
    by: str | int | None = None


_decoder = msgspec.json.Decoder(PostEvent)


def read_events(path: Path) -> Iterator[PostEvent | Skipped]:
    """The events of a file; a line that cannot be read is kept back.

    Args:
        path: JSON lines; ``.gz`` is unpacked.

    Raises:
        InvalidInputError: there is no such file, or its packing is broken.
    """
    try:
        with _opened(path) as file:
            while line := file.readline(MAX_LINE_BYTES):
                if len(line) == MAX_LINE_BYTES and not _ended(line, file):
                    yield Skipped("unreadable line")
                elif line.strip():
                    yield _event(line)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(f"cannot be read: {type(error).__name__}", field=path.name) from error


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _ended(line: bytes, file: BinaryIO) -> bool:
    """Whether this is a whole line. If not, the rest is skipped: a piece of it must not pass for a line."""
    whole = line.endswith(b"\n")
    while line and not line.endswith(b"\n"):
        line = file.readline(MAX_LINE_BYTES)
    return whole


def _event(line: bytes) -> PostEvent | Skipped:
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
