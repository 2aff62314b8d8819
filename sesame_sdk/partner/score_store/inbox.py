"""Receives the hub's messages: verified, stored, and only then acknowledged.

Checked in this order:
    1. the hub signed it, for us, as a Security Event Token: see `signing.jwt`
    2. it is at most a day old, so that the ids of all messages that could be repeated are known
    3. its event is known, its payload valid, and of the store's purpose and context
    4. its ``jti`` is new, or the message is the same as before, which is acknowledged again
    5. it is of the store's stream

Errors have the codes of RFC 8935 section 2.4. A state that is older than the stored one is accepted and
ignored: see `table`.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property

import msgspec
from attrs import frozen

from sesame_sdk.errors import InvalidInputError, RetryableError
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import (
    ScoresChanged,
    StreamUpdated,
    SubjectId,
    SubjectRemoved,
    Verification,
)
from sesame_sdk.partner.hub_clock import describe_clock
from sesame_sdk.partner.score_store import updates
from sesame_sdk.partner.score_store.push_endpoint import Application, push_endpoint
from sesame_sdk.partner.score_store.store import REPLAY_WINDOW, ScoreStore
from sesame_sdk.partner.score_store.updates import Update
from sesame_sdk.signing.jwt import SET_TYP, IssuedInFutureError, KeyFinder, Token, Verified

_MAX_AGE = REPLAY_WINDOW / 2
_STREAM_EVENTS = {EventType.VERIFICATION: Verification, EventType.STREAM_UPDATED: StreamUpdated}


@frozen
class _Claims:
    sub_id: SubjectId


@frozen
class InboxResult:
    """The outcome of messages by ``jti``: those on disk, and the errors of those rejected."""

    accepted: tuple[str, ...]
    rejected: Mapping[str, InvalidInputError]


class Inbox:
    """Receives a hub's messages into a score store.

    Args:
        store: the score store.
        keys: finds the hub's keys.
        bearer: the required bearer token of a push, if the stream has one.
        clock: returns the time, in UTC.
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
        """An ASGI application that receives pushes (RFC 8935), mounted at any path."""
        return push_endpoint(self.receive, bearer=lambda: self.bearer)

    def receive(self, token: bytes) -> None:
        """Receive one message; it is on disk when this returns.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4.
            RetryableError: the disk or the hub is unavailable, or the store follows another stream.
        """
        (error,) = self.store.apply([self._read(token)])
        if error is not None:
            raise error

    def receive_all(self, tokens: Mapping[str, bytes]) -> InboxResult:
        """Receive the messages of a poll; the valid ones are on disk, in one transaction, when this returns.

        Raises:
            RetryableError: as `receive`.
        """
        rejected: dict[str, InvalidInputError] = {}
        updates: dict[str, Update] = {}
        for jti, token in tokens.items():
            try:
                updates[jti] = self._read_named(jti, token)
            except InvalidInputError as error:
                rejected[jti] = error
        errors = dict(zip(updates, self.store.apply(updates.values()), strict=True)) if updates else {}
        rejected |= {jti: error for jti, error in errors.items() if isinstance(error, InvalidInputError)}
        return InboxResult(tuple(jti for jti, error in errors.items() if error is None), rejected)

    def _read_named(self, jti: str, token: bytes) -> Update:
        update = self._read(token)
        if update.jti != jti:
            raise InvalidInputError("differs from the id under which the message was sent", field="jti")
        return update

    def _read(self, encoded: bytes) -> Update:
        now = self._clock()
        token = Token.parse(encoded)
        try:
            verified = token.verify(self._keys, typ=SET_TYP, audience=self.store.reader, now=now)
        except IssuedInFutureError as error:
            # The hub signed it: it is to be sent again when this machine's clock is right.
            raise RetryableError(describe_clock(-error.ahead), hint="set this machine's clock") from error
        if verified.issuer != self.store.hub:
            raise InvalidInputError("is not the hub of this store", field="iss", code="invalid_issuer")
        if verified.issued_at < now - _MAX_AGE:
            raise InvalidInputError("is too old", field="iat", hint="sign it again")
        return self._convert(token, verified)

    def _convert(self, token: Token, verified: Verified) -> Update:
        event = token.event_type
        payload = token.event_payload(event)
        subject = codec.decode(verified.claims, _Claims, field="token").sub_id.id
        header = (verified.jti, hashlib.sha256(token.encoded).digest(), verified.issued_at)
        if event is EventType.SCORES_CHANGED:
            scores = _decoded(payload, ScoresChanged)
            self._check_terms(scores.purpose, scores.context)
            return Update(*header, updates.batch_from_scores(scores), stream=subject)
        if event in (EventType.GRANT_WITHDRAWN, EventType.PERSON_ERASED):
            removal, erased = _decoded(payload, SubjectRemoved), event is EventType.PERSON_ERASED
            if not erased:
                self._check_terms(removal.purpose, removal.context)
            return Update(*header, updates.batch_from_removal(subject, removal), erased=erased)
        if event not in _STREAM_EVENTS:
            raise InvalidInputError(f"{event.value} is not for a score store", field="events")
        _decoded(payload, _STREAM_EVENTS[event])
        return Update(*header, stream=subject)

    def _check_terms(self, purpose: str | None, context: str | None) -> None:
        if (purpose, context) != (self.store.purpose, self.store.context):
            raise InvalidInputError("are not those of this store", field="purpose, context")


def _decoded(payload: msgspec.Raw, kind: type[codec.T]) -> codec.T:
    return codec.decode(payload, kind, field="events")
