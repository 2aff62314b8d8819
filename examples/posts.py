"""Posts for a forum whose people are those of some file of orders."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

AUTHORS = 12
POSTS_EACH = 3
#: The same file makes the same posts, so that a run can be repeated.
SEED = 2011


def write_posts(path: Path, people: Sequence[str], day: date) -> None:
    """Write a few helpful posts by a dozen of `people`, in the weeks before `day`, as JSON lines."""
    chance = random.Random(SEED)  # noqa: S311 - sample data, not a secret
    authors = chance.sample(people, min(AUTHORS, len(people)))
    midnight = datetime.combine(day, time(), UTC)
    with path.open("w") as file:
        for number, author in enumerate(authors * POSTS_EACH, start=1):
            at = midnight - timedelta(hours=chance.randint(1, 24 * 60))
            post = {"post": f"p{number}", "author": author, "at": at.isoformat()}
            file.write(json.dumps({**post, "event": "helpful", "by": chance.randint(1, 12)}) + "\n")
