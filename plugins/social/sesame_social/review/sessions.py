"""Signs moderators in by one-time links, as notebooks do, and keeps their sessions in memory.

Rules:
1. A link is printed on the terminal of the server, so only its user can give it on; it works once.
2. A session ends after `SESSION_LIFETIME` without a request, and with the server.
3. Only hashes of tokens are kept.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from attrs import define, field, frozen

T = TypeVar("T")
SESSION_LIFETIME = timedelta(hours=12)
MAX_SESSIONS = 100


@define
class Session:
    """A signed-in moderator; `csrf` is in each form of the pages of this session, and nowhere else."""

    moderator: str
    seen_at: datetime
    csrf: str = field(factory=secrets.token_urlsafe)


@frozen
class Sessions:
    """Links and sessions of this process."""

    now: Callable[[], datetime]
    _links: dict[bytes, str] = field(factory=dict, init=False)
    _sessions: dict[bytes, Session] = field(factory=dict, init=False)

    def create_link(self, moderator: str) -> str:
        """The token of a link that signs this moderator in, once; earlier ones end."""
        for token in [token for token, name in self._links.items() if name == moderator]:
            del self._links[token]
        return _put(self._links, moderator)

    def sign_in(self, token: str) -> str | None:
        """Use up the link with this token: the secret of a new session, or None if there is no such link."""
        moderator = self._links.pop(_hash(token), None)
        if moderator is None:
            return None
        self._delete_expired()
        return _put(self._sessions, Session(moderator, self.now()))

    def find(self, secret: str) -> Session | None:
        """The session with this secret, if it has not expired."""
        self._delete_expired()
        session = self._sessions.get(_hash(secret))
        if session is not None:
            session.seen_at = self.now()
        return session

    def sign_out(self, secret: str) -> None:
        """End a session."""
        self._sessions.pop(_hash(secret), None)

    def _delete_expired(self) -> None:
        oldest_first = sorted(self._sessions, key=lambda key: self._sessions[key].seen_at)
        surplus = oldest_first[: max(0, len(oldest_first) - MAX_SESSIONS)]
        expired = [key for key in oldest_first if self.now() - self._sessions[key].seen_at > SESSION_LIFETIME]
        for key in {*surplus, *expired}:
            del self._sessions[key]


def _put(table: dict[bytes, T], value: T) -> str:
    token = secrets.token_urlsafe(32)
    table[_hash(token)] = value
    return token


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
