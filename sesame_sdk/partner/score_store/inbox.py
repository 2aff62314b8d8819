"""Receives the hub's messages: verified, stored, and only then acknowledged.

Checked in this order:
    1. the hub signed it, for us, as a Security Event Token: see `signing.jwt`
    2. it is at most a day old, so that the ids of all messages that could be repeated are known
    3. its event is of a stream of scores, its payload valid, and of the store's purpose and context
    4. its ``jti`` is new, or the message is the same as before, which is acknowledged again
    5. it is of the store's stream

Other events, such as those of CAEP and RISC, are acknowledged and set aside: counted, logged by their type,
and passed to a callback if there is one.

Errors have the codes of RFC 8935 section 2.4, and ``invalid_state`` of SSF 1.0. A state that is older than
the stored one is accepted and ignored: see `table`.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property

import msgspec
from attrs import field, frozen

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
from sesame_sdk.text import terminal_text

_MAX_AGE = REPLAY_WINDOW / 2
_OUR_EVENTS = frozenset(EventType)
#: Types that are counted by name, and how much of a name is.
_MAX_TYPES, _MAX_NAME = 100, 200
_logger = logging.getLogger(__name__)


@frozen
class _Claims:
    sub_id: SubjectId


@frozen
class InboxResult:
    """The outcome of messages by ``jti``: those on disk, and the errors of those rejected.

    `postponed` is why others are neither: they are to be sent again.
    """

    accepted: tuple[str, ...]
    rejected: Mapping[str, InvalidInputError]
    postponed: RetryableError | None = None


@frozen
class ForeignTransmitter:
    """A transmitter of other software: its issuer, and the audience by which it names us (RFC 8417)."""

    issuer: str
    audience: str


@frozen
class OtherEvent:
    """A verified message with events that are not of a stream of scores.

    Attributes:
        types: of its events.
        claims: the claims of its token, as JSON.
    """

    jti: str
    issued_at: datetime
    types: tuple[str, ...]
    claims: bytes = field(repr=False)


class Inbox:
    """Receives a hub's messages into a score store.

    Args:
        store: the score store.
        keys: finds the hub's keys.
        bearer: the required bearer token of a push, if the stream has one.
        foreign: the transmitter, if it is no hub of this kind; see `signing.jws` for what it may sign with.
        on_other_event: receives events that are set aside, before they are acknowledged; again if they are
            delivered again.
        clock: returns the time, in UTC.
    """

    def __init__(
        self,
        store: ScoreStore,
        keys: KeyFinder,
        *,
        bearer: str | None = None,
        foreign: ForeignTransmitter | None = None,
        on_other_event: Callable[[OtherEvent], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self.issuer = foreign.issuer if foreign else store.hub
        self.audience = foreign.audience if foreign else store.reader
        self._foreign = foreign is not None
        self._on_other_event = on_other_event
        #: How many events of which other types were set aside.
        self.other_events: Counter[str] = Counter()
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
            RetryableError: the disk is unavailable.
        """
        rejected: dict[str, InvalidInputError] = {}
        updates: dict[str, Update] = {}
        postponed: RetryableError | None = None
        for jti, token in tokens.items():
            try:
                updates[jti] = self._read_named(jti, token)
            except InvalidInputError as error:
                rejected[jti] = error
            except RetryableError as error:
                postponed = error
        errors = dict(zip(updates, self.store.apply(updates.values()), strict=True)) if updates else {}
        rejected |= {jti: error for jti, error in errors.items() if isinstance(error, InvalidInputError)}
        postponed = next((error for error in errors.values() if isinstance(error, RetryableError)), postponed)
        accepted = tuple(jti for jti, error in errors.items() if error is None)
        return InboxResult(accepted, rejected, postponed)

    def _read_named(self, jti: str, token: bytes) -> Update:
        update = self._read(token)
        if update.jti != jti:
            raise InvalidInputError("differs from the id under which the message was sent", field="jti")
        return update

    def _read(self, encoded: bytes) -> Update:
        now = self._clock()
        token = Token.parse(encoded, foreign=self._foreign)
        try:
            verified = token.verify(self._keys, typ=SET_TYP, audience=self.audience, now=now)
        except IssuedInFutureError as error:
            # The hub signed it: it is to be sent again when this machine's clock is right.
            raise RetryableError(describe_clock(-error.ahead), hint="set this machine's clock") from error
        if verified.issuer != self.issuer:
            raise InvalidInputError("is not the hub of this store", field="iss", code="invalid_issuer")
        if verified.issued_at < now - _MAX_AGE:
            raise InvalidInputError("is too old", field="iat", hint="sign it again")
        return self._convert(token, verified)

    def _convert(self, token: Token, verified: Verified) -> Update:
        header = (verified.jti, hashlib.sha256(token.encoded).digest(), verified.issued_at)
        if token.event_names and _OUR_EVENTS.isdisjoint(token.event_names):
            self._set_aside(OtherEvent(verified.jti, verified.issued_at, token.event_names, verified.claims))
            return Update(*header)
        event = token.event_type
        payload = token.event_payload(event)
        subject = codec.decode(verified.claims, _Claims, field="token").sub_id.id
        if event is EventType.SCORES_CHANGED:
            scores = _decoded(payload, ScoresChanged)
            self._check_terms(scores.purpose, scores.context)
            return Update(*header, updates.batch_from_scores(scores), stream=subject)
        if event in (EventType.GRANT_WITHDRAWN, EventType.PERSON_ERASED):
            removal, erased = _decoded(payload, SubjectRemoved), event is EventType.PERSON_ERASED
            if not erased:
                self._check_terms(removal.purpose, removal.context)
            return Update(*header, updates.batch_from_removal(subject, removal), erased=erased)
        if event is EventType.VERIFICATION:
            return Update(*header, stream=subject, state=_decoded(payload, Verification).state)
        if event is EventType.STREAM_UPDATED:
            return Update(*header, stream=subject, status=_decoded(payload, StreamUpdated).status)
        raise InvalidInputError(f"{event.value} is not for a score store", field="events")

    def _set_aside(self, event: OtherEvent) -> None:
        for name in (terminal_text(name[:_MAX_NAME]) for name in event.types):
            known = name in self.other_events or len(self.other_events) < _MAX_TYPES
            self.other_events[name if known else "other"] += 1
            _logger.info("set aside an event of type %s", name)
        self._on_other_event(event)

    def _check_terms(self, purpose: str | None, context: str | None) -> None:
        if (purpose, context) != (self.store.purpose, self.store.context):
            raise InvalidInputError("are not those of this store", field="purpose, context")


def _decoded(payload: msgspec.Raw, kind: type[codec.T]) -> codec.T:
    return codec.decode(payload, kind, field="events")
