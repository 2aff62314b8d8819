"""The moderators' queue: suspected posts wait here, and only what a person confirmed is sent.

It is one SQLite file on the platform's own machine. Rules:
1. A suspicion is not an event: open, dismissed and expired posts cannot be read as events.
2. A text is kept until a moderator decides, or until it expires; then it is overwritten, not only hidden.
3. The moderator and the time of a decision are kept here and never sent. Moderators do not decide about posts
   of their own.
4. A post is decided once; adding it again changes nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen

from sesame_sdk import Closeable, ConfigurationError, InvalidInputError, SqliteStore
from sesame_social.events import PostEvent

#: How long a text is kept, by default.
RETENTION = timedelta(days=30)
MAX_NAME_LENGTH = 256
MAX_TEXT_LENGTH = 10_000
_APPLICATION = 0x5E5A0B04
_SCHEMA = (
    """CREATE TABLE suspected (
    post TEXT PRIMARY KEY, author TEXT NOT NULL, labels TEXT NOT NULL, probability REAL NOT NULL, text TEXT,
    expires_at TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'confirmed', 'dismissed')),
    decided_at TEXT, decided_by TEXT,
    CHECK ((state = 'open') = (text IS NOT NULL)),
    CHECK ((state = 'open') = (decided_by IS NULL))
)""",
    "CREATE TABLE useful (post TEXT PRIMARY KEY, author TEXT NOT NULL, at TEXT NOT NULL)",
)
_SELECT = "SELECT post, author, labels, probability, text, state, decided_at, decided_by FROM suspected "


@frozen
class SuspectedPost:
    """A post for a moderator to review; ``text`` is None once it is decided.

    Labels are ``spam`` or ``abuse``, or both, with a comma; the probability is the higher of the two.
    """

    post: str
    author: str
    labels: str
    probability: float
    text: str | None
    state: str = "open"
    decided_at: datetime | None = None
    decided_by: str | None = None


@frozen
class Decisions:
    """How many posts that were suspected as `label` a moderator decided, and how many of them confirmed."""

    moderator: str
    label: str
    decided: int
    confirmed: int


class ModerationQueue(Closeable):
    """The moderators' queue; the file is created if it does not exist, readable by its owner only.

    A file that cannot be opened, or is no queue, raises ConfigurationError.
    """

    def __init__(self, path: Path, *, retention: timedelta = RETENTION) -> None:
        if retention <= timedelta(0):
            raise ConfigurationError("must be positive", field="retention")
        self._retention = retention
        self._file = SqliteStore(
            path,
            _SCHEMA,
            description="a moderators' queue",
            application_id=_APPLICATION,
            overwrite_deleted=True,
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def add_suspected(self, posts: Sequence[SuspectedPost], *, now: datetime) -> int:
        """Add suspected posts; those that are here already do not change. Returns the number of new posts."""
        expires_at = (now + self._retention).astimezone(UTC).isoformat()
        rows = []
        for post in posts:
            text = _storable((post.text or "")[:MAX_TEXT_LENGTH])
            names = _check_name(post.post, "post"), _check_name(post.author, "author")
            rows.append((*names, post.labels, post.probability, text, expires_at))
        return self._insert(
            "INSERT INTO suspected (post, author, labels, probability, text, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            rows,
        )

    def add_useful(self, posts: Sequence[tuple[str, str, datetime]]) -> int:
        """Add posts that are useful by their form: id, author, time of writing. No text is kept."""
        rows = [
            (_check_name(post, "post"), _check_name(author, "author"), at.astimezone(UTC).isoformat())
            for post, author, at in posts
        ]
        return self._insert(
            "INSERT INTO useful (post, author, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows
        )

    def list_posts(self, state: str = "open") -> list[SuspectedPost]:
        """List the posts in a state, the most probable first."""
        rows = self._file.read(f"{_SELECT} WHERE state = ? ORDER BY probability DESC, post", state)
        return [_to_post(row) for row in rows]

    def get_post(self, post: str) -> SuspectedPost:
        """Get a post; raise InvalidInputError if it is not in the queue."""
        rows = self._file.read(f"{_SELECT} WHERE post = ?", _storable(post))
        if not rows:
            raise InvalidInputError("is not in the queue", field="post", hint="see: sesame social queue list")
        return _to_post(rows[0])

    def decide(self, post: str, *, confirmed: bool, moderator: str, now: datetime) -> None:
        """Confirm or dismiss a post; its text is deleted at once.

        An InvalidInputError says that it is not open, or that `moderator` is empty or its author.
        """
        name = _check_name(moderator, "moderator").strip()
        with self._file.transaction() as write:
            suspected = self.get_post(post)
            if suspected.state != "open":
                raise InvalidInputError(f"is already {suspected.state}", field="post")
            if name == suspected.author:
                raise InvalidInputError("must not be the author of the post", field="moderator")
            state = "confirmed" if confirmed else "dismissed"
            write.execute(
                "UPDATE suspected SET state = ?, text = NULL, decided_at = ?, decided_by = ? WHERE post = ?",
                (state, now.astimezone(UTC).isoformat(), name, suspected.post),
            )

    def delete_expired(self, *, now: datetime) -> int:
        """Delete posts that were not decided in time; returns their number."""
        with self._file.transaction() as write:
            return write.execute(
                "DELETE FROM suspected WHERE state = 'open' AND expires_at <= ?",
                (now.astimezone(UTC).isoformat(),),
            ).rowcount

    def count_decisions(self) -> list["Decisions"]:
        """Count decided posts by moderator and by what the classifier had suspected."""
        rows = self._file.read(
            "SELECT decided_by, labels, COUNT(*), SUM(state = 'confirmed') FROM suspected "
            "WHERE state <> 'open' GROUP BY decided_by, labels ORDER BY decided_by, labels"
        )
        return [Decisions(*row) for row in rows]

    def read_events(self) -> Iterator[PostEvent]:
        """Read what may be sent: posts confirmed as abuse, or useful by their form. No text is selected."""
        rows = self._file.read(
            "SELECT post, author, decided_at, 'abuse_confirmed', decided_by FROM suspected "
            "WHERE state = 'confirmed' "
            "UNION ALL SELECT post, author, at, 'useful', NULL FROM useful ORDER BY 1, 4"
        )
        for post, author, at, event, by in rows:
            yield PostEvent(post, author, datetime.fromisoformat(at), event, by)

    def _insert(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        with self._file.transaction() as write:
            return write.executemany(statement, rows).rowcount if rows else 0


def _to_post(row: Sequence[Any]) -> SuspectedPost:
    post, author, labels, probability, text, state, at, by = row
    decided_at = datetime.fromisoformat(at) if at else None
    return SuspectedPost(post, author, labels, probability, text, state, decided_at, by)


def _check_name(text: str, field: str) -> str:
    if not text.strip() or len(text) > MAX_NAME_LENGTH:
        raise InvalidInputError(f"must have 1 to {MAX_NAME_LENGTH} characters", field=field)
    return _storable(text)


def _storable(text: str) -> str:
    """Replace halves of surrogate pairs, which SQLite cannot store."""
    return text.encode("utf-8", "replace").decode("utf-8")
