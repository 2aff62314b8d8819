"""Reads what happened to posts, as the site exports it: one JSON object a line.

The decoder reads only the five fields of `PostEvent`, so a text that was exported by mistake does not even
become an object in memory.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import msgspec
from attrs import frozen

from sesame_sdk import InvalidInputError, Skipped, records

MAX_LINE_BYTES = 1 << 16
L = TypeVar("L")
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


class _EventLine(msgspec.Struct):
    """An event as a line has it: ids may be numbers."""

    post: str | int | float
    author: str | int | float
    at: datetime
    event: str
    by: str | int | float | None = None


def read_events(path: Path) -> Iterator[PostEvent | Skipped]:
    """Read the events of a file; a line that cannot be read is a `Skipped` with its number and field."""
    return read_lines(path, _EventLine, MAX_LINE_BYTES, _parse_event)


def _parse_event(line: _EventLine) -> PostEvent:
    try:
        at = utc_time(line.at)
    except OverflowError as error:
        raise InvalidInputError("unreadable line", field="at") from error
    by = int(line.by) if isinstance(line.by, float) and line.by.is_integer() else line.by
    if isinstance(by, float):
        raise InvalidInputError("unreadable line", field="by")
    if isinstance(
        by, str
    ):  # as the author's id is, so that a blank does not make another person of an author
        by = records.clean_id(by, "by", printable=False)
    return PostEvent(required_id(line.post, "post"), required_id(line.author, "author"), at, line.event, by)


def utc_time(at: datetime) -> datetime:
    """A time in UTC; `InvalidInputError` if it has no zone."""
    if at.tzinfo is None:
        raise InvalidInputError("time without a zone", field="at")
    return at.astimezone(UTC)


def required_id(value: object, field: str) -> str:
    """An id as text, trimmed; `InvalidInputError` if it is missing or altered by software."""
    try:
        text = records.clean_id(value, field)
    except InvalidInputError as error:
        raise InvalidInputError("unreadable id", field=field) from error
    if text is None:
        raise InvalidInputError("no post or no author", field=field)
    return text


def read_lines(
    path: Path, line_type: type[L], max_bytes: int, parse: Callable[[L], T]
) -> Iterator[T | Skipped]:
    """Decode the JSON lines of a file, ``.gz`` or not; longer lines than `max_bytes` are skipped.

    Blank lines are left out. `parse` raises `InvalidInputError` for a line that is no record. A file that is
    missing or whose compression is broken raises InvalidInputError.
    """
    number = 0
    try:
        with cast("BinaryIO", gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
            while line := file.readline(max_bytes):
                number += 1
                if len(line) == max_bytes and not line.endswith(b"\n"):
                    while line and not line.endswith(b"\n"):  # the rest must not pass for a line
                        line = file.readline(max_bytes)
                    yield Skipped("line too long", line=number)
                elif line.strip():
                    yield _read_line(line, number, line_type, parse)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(f"cannot be read: {type(error).__name__}", field=path.name) from error


def _read_line(line: bytes, number: int, line_type: type[L], parse: Callable[[L], T]) -> T | Skipped:
    try:
        return parse(_decode(line, line_type))
    except InvalidInputError as error:
        return Skipped(error.message, line=number, column=error.field or "")
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        named = _field_at_fault(str(error))
        return Skipped("unreadable line", line=number, column=named[1] if named else "")


def _decode(line: bytes, line_type: type[L]) -> L:
    """A line; half a surrogate pair, of a text that was cut, spoils only the field that holds it."""
    if _is_half_pair(line):
        return msgspec.convert(json.loads(line), line_type)
    return msgspec.json.decode(line, type=line_type)


_is_half_pair = re.compile(rb"\\u[dD][89a-fA-F]").search
_field_at_fault = re.compile(r"\$\.(\w+)").search
