"""Posts as a platform exports them for judging: one JSON object a line, with the text.

This is the one room that reads texts from a file. What is wrong with a line is said by its number alone.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from attrs import frozen

from sesame_sdk import InvalidInputError, Skipped

#: Of a line, in bytes.
LONGEST = 1 << 20
#: Posts judged at a time.
BATCH = 10_000


@frozen
class Post:
    """A post of somebody who opted in.

    Attributes:
        post: the site's own id of it.
        author: the site's own id of who wrote it.
        text: what was written.
        at: when it was written, with its zone; needed for a helpful post to count.
    """

    post: str
    author: str
    text: str
    at: datetime | None = None


_decoder = msgspec.json.Decoder(Post)


def read(path: Path) -> Iterator[Post | Skipped]:
    """The posts of a file; a line that is none is kept back.

    Raises:
        InvalidInputError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST):
                if len(line) == LONGEST and not line.endswith(b"\n"):
                    while line and not line.endswith(b"\n"):
                        line = file.readline(LONGEST)
                    yield Skipped("line too long")
                elif line.strip():
                    yield _post(line)
    except OSError as error:
        raise InvalidInputError(f"cannot be read: {type(error).__name__}", field=path.name) from error


def _post(line: bytes) -> Post | Skipped:
    try:
        post = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Skipped("unreadable line")
    if not (post.post.strip() and post.author.strip()):
        return Skipped("no post or no author")
    if post.at is not None and post.at.tzinfo is None:
        return Skipped("time without a zone")
    return post
