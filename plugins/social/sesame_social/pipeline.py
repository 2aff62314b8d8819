"""Reads posts, classifies them in batches, and adds the results to the moderators' queue.

Only this module reads texts from a file. Errors name a line by its number, never by its text.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import frozen

from sesame_sdk import InvalidInputError, Skipped
from sesame_social.events import read_lines, required_id
from sesame_social.moderation_queue import ModerationQueue, SuspectedPost

if TYPE_CHECKING:
    from sesame_social.classifier import Model, PostKind

MAX_LINE_BYTES = 1 << 20
BATCH_SIZE = 10_000


@frozen
class Post:
    """A post of a member who opted in. Without `at`, when it was written, a helpful post does not count."""

    post: str
    author: str
    text: str
    at: datetime | None = None


class _PostLine(msgspec.Struct):
    """A post as a line has it: ids may be numbers."""

    post: str | int | float
    author: str | int | float
    text: str
    at: datetime | None = None


def read_posts(path: Path) -> Iterator[Post | Skipped]:
    """Read the posts of JSON lines; a line that cannot be read is a `Skipped` with number and field."""
    return read_lines(path, _PostLine, MAX_LINE_BYTES, _parse_post)


def _parse_post(line: _PostLine) -> Post:
    if line.at is not None and line.at.tzinfo is None:
        raise InvalidInputError("time without a zone", field="at")
    return Post(required_id(line.post, "post"), required_id(line.author, "author"), line.text, line.at)


def read_batches(posts: Iterator[Post | Skipped], skipped: Counter[str]) -> Iterator[list[Post]]:
    """Group posts into batches; count the reasons of skipped lines in `skipped`."""
    while batch := list(islice(posts, BATCH_SIZE)):
        skipped.update(item.reason for item in batch if isinstance(item, Skipped))
        yield [item for item in batch if isinstance(item, Post)]


def classify_batch(batch: Sequence[Post], model: "Model", kind: "PostKind") -> list[dict[str, Any]]:
    """Classify posts; the rows hold no text. A probability is None if the language is not supported."""
    from sesame_social.classifier import classify

    predictions = classify([post.text for post in batch], model, kind)
    flags = {"spam": predictions.suspected_spam, "abuse": predictions.suspected_abuse}
    return [
        {
            "post": post.post,
            "helpful": bool(predictions.helpful[at]),
            "suspected": [label for label, suspected in flags.items() if suspected[at]],
            "language": str(predictions.language[at]),
            **{
                name.lower(): None if isnan(values[at]) else round(float(values[at]), 4)
                for name, values in predictions.probability.items()
            },
        }
        for at, post in enumerate(batch)
    ]


def enqueue(batch: Sequence[Post], rows: Iterable[dict[str, Any]], queue: ModerationQueue) -> None:
    """Add suspected and useful posts to the moderators' queue, and delete expired ones."""
    pairs = list(zip(batch, rows, strict=True))
    now = datetime.now(UTC)
    queue.delete_expired(now=now)
    suspected = [
        SuspectedPost(
            post.post, post.author, ",".join(row["suspected"]), max(row["spam"], row["toxicity"]), post.text
        )
        for post, row in pairs
        if row["suspected"]
    ]
    queue.add_suspected(suspected, now=now)
    queue.add_useful([(post.post, post.author, post.at) for post, row in pairs if row["helpful"] and post.at])


def summarize(rows: Sequence[Mapping[str, Any]]) -> str:
    """Summarize the results in one line."""
    labels = Counter(label for row in rows for label in row["suspected"])
    helpful = sum(row["helpful"] for row in rows)
    other = sum(not row["language"] for row in rows)
    unsupported = f"; {other} not classified, in another language" if other else ""
    suspected = f"suspected: {labels['spam']} spam, {labels['abuse']} abuse"
    return f"{len(rows)} posts: {helpful} helpful, {suspected}{unsupported}"
