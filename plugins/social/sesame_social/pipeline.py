"""From posts to what is found in them, many at a time, and into the moderators' queue."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sesame_sdk import Skipped
from sesame_social import posts
from sesame_social.moderation_queue import Queue, Suspected
from sesame_social.posts import Post

if TYPE_CHECKING:
    from sesame_social.classifier import Kind, Model


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line on what was found."""
    found = Counter(name for row in rows for name in row["suspected"])
    helpful = sum(row["helpful"] for row in rows)
    return f"{len(rows)} posts: {helpful} helpful, suspected: {found['spam']} spam, {found['abuse']} abuse"


def batches(found: Iterator[Post | Skipped], kept: Counter[str]) -> Iterator[list[Post]]:
    """Posts, many at a time; why others were kept back is counted in `kept`."""
    while batch := list(islice(found, posts.BATCH)):
        kept.update(one.reason for one in batch if isinstance(one, Skipped))
        yield [one for one in batch if isinstance(one, Post)]


def judged(batch: Sequence[Post], model: "Model", kind: "Kind") -> list[dict[str, Any]]:
    """What was found of each post, without its text."""
    from sesame_social.classifier import judge

    found = judge([post.text for post in batch], model, kind)
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


def keep(batch: Sequence[Post], judged: Iterable[dict[str, Any]], queue: Queue) -> None:
    """Put what was found into the moderators' queue; what waited too long goes."""
    pairs = list(zip(batch, judged, strict=True))
    now = datetime.now(UTC)
    queue.expire(now=now)
    queue.put(
        [
            Suspected(
                post.post, post.author, ",".join(row["suspected"]), max(row["spam"], row["abuse"]), post.text
            )
            for post, row in pairs
            if row["suspected"]
        ],
        now=now,
    )
    queue.put_useful([(post.post, post.author, post.at) for post, row in pairs if row["helpful"] and post.at])
