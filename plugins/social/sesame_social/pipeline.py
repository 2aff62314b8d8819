"""From posts to what is found in them, many at a time, and into the moderators' queue."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import frozen

from sesame_sdk import InvalidInputError, Skipped
from sesame_social.moderation_queue import ModerationQueue, SuspectedPost

if TYPE_CHECKING:
    from sesame_social.classifier import Model, PostKind


#: Of a line, in bytes.
MAX_LINE_BYTES = 1 << 20
#: Posts judged at a time.
BATCH_SIZE = 10_000


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


def read_posts(path: Path) -> Iterator[Post | Skipped]:
    """The posts of a file; a line that is none is kept back.

    Raises:
        InvalidInputError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_LINE_BYTES)
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


def summarize(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line on what was found."""
    found = Counter(name for row in rows for name in row["suspected"])
    helpful = sum(row["helpful"] for row in rows)
    return f"{len(rows)} posts: {helpful} helpful, suspected: {found['spam']} spam, {found['abuse']} abuse"


def read_batches(found: Iterator[Post | Skipped], kept: Counter[str]) -> Iterator[list[Post]]:
    """Posts, many at a time; why others were kept back is counted in `kept`."""
    while batch := list(islice(found, BATCH_SIZE)):
        kept.update(one.reason for one in batch if isinstance(one, Skipped))
        yield [one for one in batch if isinstance(one, Post)]


def classify_batch(batch: Sequence[Post], model: "Model", kind: "PostKind") -> list[dict[str, Any]]:
    """What was found of each post, without its text."""
    from sesame_social.classifier import classify

    found = classify([post.text for post in batch], model, kind)
    return [
        {
            "post": post.post,
            "helpful": bool(found.helpful[at]),
            "suspected": [
                name
                for name, flags in (("spam", found.suspected_spam), ("abuse", found.suspected_abuse))
                if flags[at]
            ],
            "spam": round(float(found.spam[at]), 4),
            "abuse": round(float(found.abuse[at]), 4),
        }
        for at, post in enumerate(batch)
    ]


def enqueue(batch: Sequence[Post], judged: Iterable[dict[str, Any]], queue: ModerationQueue) -> None:
    """Put what was found into the moderators' queue; what waited too long goes."""
    pairs = list(zip(batch, judged, strict=True))
    now = datetime.now(UTC)
    queue.delete_expired(now=now)
    queue.add_suspected(
        [
            SuspectedPost(
                post.post, post.author, ",".join(row["suspected"]), max(row["spam"], row["abuse"]), post.text
            )
            for post, row in pairs
            if row["suspected"]
        ],
        now=now,
    )
    queue.add_useful([(post.post, post.author, post.at) for post, row in pairs if row["helpful"] and post.at])
