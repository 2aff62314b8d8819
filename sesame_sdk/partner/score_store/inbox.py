"""Where a hub's messages come in: verified, kept, and only then acknowledged.

In this order:
    1. the hub signed it, for us, as a Security Event Token: see `signing.tokens`
    2. it is at most a day old, so that the ids of all that could be sent again are known
    3. it is of an event that we know, well said, for this book's purpose and context
    4. it is the first of its ``jti``, or the very same as before, which is acknowledged again
    5. it is of the stream that the book follows

The verdicts have the codes of RFC 8935 section 2.4. A state that is older than what the book has of the
person is taken and passed over: see `columns`.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property

import msgspec
from attrs import frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import (
    ScoresChanged,
    StreamUpdated,
    SubjectId,
    SubjectRemoved,
    Verification,
)
from sesame_sdk.partner.score_store import updates
from sesame_sdk.partner.score_store.push_endpoint import Application, receiver
from sesame_sdk.partner.score_store.storage import REPLAY_WINDOW
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.partner.score_store.updates import Update
from sesame_sdk.signing.jwt import SET_TYP, KeyFinder, Token, Verified

_LONGEST = REPLAY_WINDOW / 2
_ABOUT_STREAMS = {EventType.VERIFICATION: Verification, EventType.STREAM_UPDATED: StreamUpdated}


@frozen
class _About:
    sub_id: SubjectId


@frozen
class InboxResult:
    """What became of messages, by ``jti``: those that are on disk, and why others are refused for good."""

    accepted: tuple[str, ...]
    rejected: Mapping[str, InvalidInputError]


class Inbox:
    """Takes a hub's messages into a book.

    Args:
        store: where they go.
        keys: knows the hub's keys.
        bearer: what a push must show as its bearer token, if the stream was made with one.
        clock: tells the time, in UTC.
    """

    def __init__(
        self,
        store: ScoreStore,
        keys: KeyFinder,
        *,
        bearer: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self._keys = keys
        self.bearer = bearer
        self._clock = clock

    @cached_property
    def app(self) -> Application:
        """An ASGI application that takes pushes (RFC 8935), at whatever path it is mounted."""
        return receiver(self.receive, bearer=lambda: self.bearer)

    def receive(self, token: bytes) -> None:
        """Take one message; it is on disk when this returns.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4.
            RetryableError: the disk or the hub is unavailable, or the store follows another stream.
        """
        (verdict,) = self.store.apply([self._read(token)])
        if verdict is not None:
            raise verdict

    def receive_all(self, tokens: Mapping[str, bytes]) -> InboxResult:
        """Take several, as a poll brings them: what is good is on disk, all of it together.

        Raises:
            RetryableError: as `receive` does.
        """
        refused: dict[str, InvalidInputError] = {}
        read: dict[str, Update] = {}
        for jti, token in tokens.items():
            try:
                read[jti] = self._named(jti, token)
            except InvalidInputError as error:
                refused[jti] = error
        verdicts = dict(zip(read, self.store.apply(read.values()), strict=True)) if read else {}
        refused |= {
            jti: verdict for jti, verdict in verdicts.items() if isinstance(verdict, InvalidInputError)
        }
        return InboxResult(tuple(jti for jti, verdict in verdicts.items() if verdict is None), refused)

    def _named(self, jti: str, token: bytes) -> Update:
        found = self._read(token)
        if found.jti != jti:
            raise InvalidInputError("is not the one that the message was sent under", field="jti")
        return found

    def _read(self, encoded: bytes) -> Update:
        now = self._clock()
        token = Token.parse(encoded)
        verified = token.verify(self._keys, typ=SET_TYP, audience=self.store.reader, now=now)
        if verified.issuer != self.store.hub:
            raise InvalidInputError("is not the hub of this book", field="iss", code="invalid_issuer")
        if verified.issued_at < now - _LONGEST:
            raise InvalidInputError("is too old", field="iat", hint="sign it anew")
        return self._understood(token, verified)

    def _understood(self, token: Token, verified: Verified) -> Update:
        event = token.event_type
        payload = token.event_payload(event)
        about = codec.decode(verified.claims, _About, field="token").sub_id.id
        told = (verified.jti, hashlib.sha256(token.encoded).digest(), verified.issued_at)
        if event is EventType.SCORES_CHANGED:
            scores = _decoded(payload, ScoresChanged)
            self._check_terms(scores.purpose, scores.context)
            return Update(*told, updates.batch_from_scores(scores), stream=about)
        if event in (EventType.GRANT_WITHDRAWN, EventType.PERSON_ERASED):
            gone, erased = _decoded(payload, SubjectRemoved), event is EventType.PERSON_ERASED
            if not erased:
                self._check_terms(gone.purpose, gone.context)
            return Update(*told, updates.batch_from_removal(about, gone), erased=erased)
        if event not in _ABOUT_STREAMS:
            raise InvalidInputError(f"{event.value} is not for a score book", field="events")
        _decoded(payload, _ABOUT_STREAMS[event])
        return Update(*told, stream=about)

    def _check_terms(self, purpose: str | None, context: str | None) -> None:
        if (purpose, context) != (self.store.purpose, self.store.context):
            raise InvalidInputError("are not those of this book", field="purpose, context")


def _decoded(payload: msgspec.Raw, kind: type[codec.T]) -> codec.T:
    return codec.decode(payload, kind, field="events")
