"""Reads what happened to posts, as the site exports it: one JSON object a line.

The decoder reads only the five fields of `PostEvent`, so a text that was exported by mistake does not even
become an object in memory.
"""

import gzip
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import msgspec
from attrs import evolve, frozen

from sesame_sdk import InvalidInputError, Skipped

MAX_LINE_BYTES = 1 << 16
T = TypeVar("T")


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
    """Read the events of a file; invalid lines are skipped."""
    for event in read_lines(path, _decoder, MAX_LINE_BYTES):
        if isinstance(event, Skipped):
            yield event
        elif event.at.tzinfo is None:
            yield Skipped("time without a zone")
        elif not (event.post and event.author):
            yield Skipped("no post or no author")
        else:
            try:
                event = evolve(event, at=event.at.astimezone(UTC))
            except OverflowError:
                yield Skipped("unreadable line")
            else:
                yield event


def read_lines(path: Path, decoder: msgspec.json.Decoder[T], max_bytes: int) -> Iterator[T | Skipped]:
    """Decode the JSON lines of a file, ``.gz`` or not; longer lines than `max_bytes` are skipped.

    A file that is missing or whose compression is broken raises InvalidInputError.
    """
    try:
        with cast("BinaryIO", gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
            while line := file.readline(max_bytes):
                if len(line) < max_bytes or line.endswith(b"\n"):
                    if line.strip():
                        try:
                            yield decoder.decode(line)
                        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                            yield Skipped("unreadable line")
                    continue
                while line and not line.endswith(b"\n"):  # the rest must not pass for a line
                    line = file.readline(max_bytes)
                yield Skipped("line too long")
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(f"cannot be read: {type(error).__name__}", field=path.name) from error
