"""Suspected posts wait here for a moderator; only what a person confirmed is ever sent.

One SQLite file on the platform's own machine. Rules:
1. A suspicion is not a finding: nothing that is open, dismissed or expired can be read as an event.
2. The text is kept until somebody decides, or until it expires; then it is overwritten, not only hidden.
3. Who decided, and when, is kept here and never sent. Nobody decides about a post of their own.
4. A post is decided once; putting it in again changes nothing.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen

from sesame_sdk import Closeable, ConfigurationError, InvalidInputError, ensure_private_file

#: How long a text may wait, by default.
RETENTION = timedelta(days=30)
#: Of an id or a name, in characters.
_LONGEST_NAME = 256
_LONGEST_TEXT = 10_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS suspected (
    post TEXT PRIMARY KEY, author TEXT NOT NULL, found TEXT NOT NULL, chance REAL NOT NULL, text TEXT,
    expires_at TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'confirmed', 'dismissed')),
    decided_at TEXT, decided_by TEXT,
    CHECK ((state = 'open') = (text IS NOT NULL)),
    CHECK ((state = 'open') = (decided_by IS NULL))
);
CREATE TABLE IF NOT EXISTS useful (post TEXT PRIMARY KEY, author TEXT NOT NULL, at TEXT NOT NULL);
"""


@frozen
class SuspectedPost:
    """A post that somebody should look at.

    Attributes:
        post: the site's own id of it.
        author: the site's own id of who wrote it.
        labels: ``spam`` or ``abuse``, or both, with a comma.
        probability: the higher of the two probabilities.
        text: what was written; None once it is decided.
        state: ``open``, ``confirmed`` or ``dismissed``.
        decided_at: when; None while it is open.
        decided_by: who; None while it is open.
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
class ModerationOutcome:
    """What may be sent of a post: that it was confirmed as abuse, or that it is useful by its form."""

    post: str
    author: str
    at: datetime
    event: str
    by: str


class ModerationQueue(Closeable):
    """The moderators' queue. Use it in a ``with``.

    Args:
        path: the file; made if it is not there, readable by its owner alone.
        retention: how long a text may wait.

    Raises:
        ConfigurationError: the file cannot be opened, or is no queue.
    """

    def __init__(self, path: Path, *, retention: timedelta = RETENTION) -> None:
        if retention <= timedelta(0):
            raise ConfigurationError("must be more than nothing", field="kept_for")
        self._kept_for = retention
        try:
            ensure_private_file(path)
            self._database = sqlite3.connect(path, isolation_level=None, timeout=10)
            self._database.execute("PRAGMA secure_delete = ON")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError("the queue cannot be opened", field=path.name) from error

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def add_suspected(self, posts: Sequence[SuspectedPost], *, now: datetime) -> int:
        """Put posts in, all or none; how many of them were new.

        Raises:
            InvalidInputError: an id is empty or too long.
        """
        until = (now + self._kept_for).astimezone(UTC).isoformat()
        rows = [
            (
                _name(one.post, "post"),
                _name(one.author, "author"),
                one.labels,
                one.probability,
                _stored(one.text),
                until,
            )
            for one in posts
        ]
        statement = (
            "INSERT INTO suspected (post, author, found, chance, text, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        )
        return self._insert(statement, rows)

    def add_useful(self, posts: Sequence[tuple[str, str, datetime]]) -> int:
        """Note posts that are useful by their form: id, author, when written. No text is kept."""
        rows = [
            (_name(post, "post"), _name(author, "author"), at.astimezone(UTC).isoformat())
            for post, author, at in posts
        ]
        return self._insert(
            "INSERT INTO useful (post, author, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows
        )

    def list_posts(self, state: str = "open") -> list[SuspectedPost]:
        """Posts in a state, the surest first."""
        rows = self._database.execute(
            "SELECT post, author, found, chance, text, state, decided_at, decided_by FROM suspected "
            "WHERE state = ? ORDER BY chance DESC, post",
            (state,),
        )
        return [_suspected(*row) for row in rows]

    def get_post(self, post: str) -> SuspectedPost:
        """One post.

        Raises:
            InvalidInputError: it is not here.
        """
        row = self._database.execute(
            "SELECT post, author, found, chance, text, state, decided_at, decided_by "
            "FROM suspected WHERE post = ?",
            (_clean(post),),
        ).fetchone()
        if row is None:
            raise InvalidInputError("is not in the queue", field="post", hint="see: sesame social queue list")
        return _suspected(*row)

    def decide(self, post: str, *, confirmed: bool, moderator: str, now: datetime) -> None:
        """Confirm or dismiss a post; its text goes at once.

        Raises:
            InvalidInputError: it is not open, or `by` is nobody or its author.
        """
        who = _name(moderator, "by").strip()
        with self._writing():
            found = self.get_post(post)
            if found.state != "open":
                raise InvalidInputError(f"was {found.state} already", field="post")
            if who == found.author:
                raise InvalidInputError("nobody decides about a post of their own", field="by")
            self._database.execute(
                "UPDATE suspected SET state = ?, text = NULL, decided_at = ?, decided_by = ? WHERE post = ?",
                ("confirmed" if confirmed else "dismissed", now.astimezone(UTC).isoformat(), who, found.post),
            )

    def delete_expired(self, *, now: datetime) -> int:
        """Take out what nobody decided in time; how many that were."""
        with self._writing():
            return self._database.execute(
                "DELETE FROM suspected WHERE state = 'open' AND expires_at <= ?",
                (now.astimezone(UTC).isoformat(),),
            ).rowcount

    def read_outcomes(self) -> Iterator[ModerationOutcome]:
        """What may be sent. The texts are not even asked for."""
        rows = self._database.execute(
            "SELECT post, author, decided_at, 'abuse_confirmed', decided_by FROM suspected "
            "WHERE state = 'confirmed' "
            "UNION ALL SELECT post, author, at, 'useful', '' FROM useful ORDER BY 1, 4"
        )
        for post, author, at, event, by in rows:
            yield ModerationOutcome(post, author, datetime.fromisoformat(at), event, by)

    def _insert(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        with self._writing():
            return self._database.executemany(statement, rows).rowcount if rows else 0

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def _suspected(*row: object) -> SuspectedPost:
    post, author, found, chance, text, state, at, by = row
    decided = datetime.fromisoformat(str(at)) if at else None
    said = None if text is None else str(text)
    return SuspectedPost(
        str(post),
        str(author),
        str(found),
        float(str(chance)),
        said,
        str(state),
        decided,
        str(by) if by else None,
    )


def _name(text: str, field: str) -> str:
    if not text.strip() or len(text) > _LONGEST_NAME:
        raise InvalidInputError(f"must have 1 to {_LONGEST_NAME} characters", field=field)
    return _clean(text)


def _stored(text: str | None) -> str:
    return _clean((text or "")[:_LONGEST_TEXT])


def _clean(text: str) -> str:
    """Half a surrogate pair has no UTF-8, so SQLite could not keep it."""
    return text.encode("utf-8", "replace").decode("utf-8")
