"""Stream management for readers (OpenID Shared Signals Framework 1.0, section 8.1; RFC 8936)."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from attrs import evolve, field, frozen, validators
from sqlalchemy import Connection, Row, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.consent.read_consent import AuthenticatedRequest
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.tables import streams as table
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.partners.rate_limit import RateLimiter
from sesame_sdk.hub.scoring import read_auth
from sesame_sdk.hub.streams import outbox, stream_auth, streams
from sesame_sdk.hub.streams.service import MAX_POLL_MESSAGES, PollResponse, StreamService
from sesame_sdk.hub.streams.stream_auth import MANAGE_SCOPE, READ_SCOPE, StreamAuth
from sesame_sdk.hub.streams.streams import VERIFICATION_INTERVAL, StatusRequest, StreamRequest
from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.stream_events import Verification

T = TypeVar("T")
_NO_NUL = r"^[^\0]*\Z"  # which no PostgreSQL text holds
_ShortText = Annotated[str, msgspec.Meta(max_length=64, pattern=_NO_NUL)]


@frozen
class MessageError:
    """Why a reader rejects a message (RFC 8936 section 2.3)."""

    err: _ShortText
    description: Annotated[str, msgspec.Meta(max_length=1024, pattern=_NO_NUL)] = ""


@frozen
class PollRequest:
    """A poll (RFC 8936 section 2.2). `ack` and `setErrs` acknowledge and reject earlier messages."""

    maxEvents: Annotated[int, msgspec.Meta(ge=0)] = MAX_POLL_MESSAGES  # noqa: N815 - as the RFC has it
    returnImmediately: bool = False  # noqa: N815
    ack: Annotated[tuple[_ShortText, ...], msgspec.Meta(max_length=1000)] = ()
    setErrs: Annotated[dict[_ShortText, MessageError], msgspec.Meta(max_length=1000)] = field(factory=dict)  # noqa: N815


@frozen
class VerificationRequest:
    """A request for a verification event."""

    stream_id: str
    state: str | None = field(default=None, validator=validators.optional(model_validators.text(512)))


@frozen
class StreamManagement:
    """Streams of a hub, for their readers."""

    streams: StreamService
    auth: StreamAuth
    limits: RateLimiter
    max_streams: int  # of one reader

    def create(self, token: bytes, wish: StreamRequest) -> dict[str, Any]:
        """Create the stream of the token's purpose and context; its configuration."""

        def work(connection: Connection, partner: int, request: AuthenticatedRequest) -> dict[str, Any]:
            key = (partner, request.purpose, request.context)
            policy, limit = self.streams.push_policy, self.max_streams
            streams.create_stream(connection, *key, wish, policy, request.at, limit)
            stream = streams.find_stream(connection, *key)
            assert stream is not None  # noqa: S101 - it was created in this transaction
            return streams.describe_stream(self.streams.issuer, stream)

        return self._manage(token, work)

    def read(self, token: bytes) -> list[dict[str, Any]]:
        """The configuration of the reader's streams for this purpose and context: one or none."""

        def work(connection: Connection, partner: int, request: AuthenticatedRequest) -> list[dict[str, Any]]:
            stream = streams.find_stream(connection, partner, request.purpose, request.context)
            return [] if stream is None else [streams.describe_stream(self.streams.issuer, stream)]

        return self._manage(token, work, READ_SCOPE)

    def update(self, token: bytes, wish: StreamRequest, *, whole: bool) -> dict[str, Any]:
        """Change a stream, or with `whole` replace its configuration; the new configuration."""

        def work(connection: Connection, stream: Row[Any]) -> dict[str, Any]:
            streams.update_stream(connection, stream, wish, self.streams.push_policy, whole=whole)
            return streams.describe_stream(self.streams.issuer, streams.get_stream(connection, stream.name))

        return self._on(token, wish.stream_id, work)

    def delete(self, token: bytes, name: str | None) -> None:
        """Delete a stream."""
        self._on(token, name, streams.delete_stream)

    def status(self, token: bytes, name: str | None) -> dict[str, str]:
        """A stream's status."""
        return self._on(token, name, lambda _, stream: _status(stream), READ_SCOPE)

    def set_status(self, token: bytes, wanted: StatusRequest) -> dict[str, str]:
        """Enable, pause or disable a stream. The reason is repeated in the response, and not stored."""

        def work(connection: Connection, stream: Row[Any]) -> dict[str, str]:
            streams.set_status(connection, stream, wanted.status)
            given = {"reason": wanted.reason} if wanted.reason else {}
            return _status(streams.get_stream(connection, stream.name)) | given

        return self._on(token, wanted.stream_id, work)

    def request_verification(self, token: bytes, asked: VerificationRequest) -> None:
        """Send a verification event; ``too_many`` if one was requested within `VERIFICATION_INTERVAL`."""

        def work(connection: Connection, stream: Row[Any]) -> None:
            at = self.streams.clock()
            now, hint = to_micros(at), f"wait {VERIFICATION_INTERVAL} s"
            if now - VERIFICATION_INTERVAL * 1_000_000 < stream.verification_requested_at <= now:
                text = "requested again too soon"
                raise InvalidInputError(text, field="verification", hint=hint, code="too_many")
            this_one = update(table).where(table.c.id == stream.id)
            connection.execute(this_one.values(verification_requested_at=now))
            event = Verification(asked.state or None)
            self.streams.outbox.enqueue_stream_event(connection, stream, event, at)

        self._on(token, asked.stream_id, work)

    def poll(self, token: bytes, name: str, asked: PollRequest) -> PollResponse:
        """Acknowledge and reject earlier messages, and return pending ones (RFC 8936)."""

        def work(connection: Connection, stream: Row[Any]) -> PollResponse:
            outbox.acknowledge(connection, stream.id, asked.ack)
            errors = {jti: error.err for jti, error in asked.setErrs.items()}
            outbox.dead_letter(connection, stream.id, errors)
            return self.streams.poll_within(connection, stream, asked.maxEvents)

        return self._on(token, name, work)

    def issue_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """An OAuth access token for streams; the response of RFC 6749 section 5.1.

        Raises:
            InvalidInputError: with a code of RFC 6749 section 5.2.
            GuardRefusedError: no reader may read for this purpose.
            RateLimitedError: the reader exceeds its rate limit.
        """
        scopes, client = stream_auth.check_grant_type(form), self.auth.verify_assertion(form)

        def work(connection: Connection) -> AuthenticatedRequest:
            purpose, context = stream_auth.find_terms(connection, client.request.issuer, form)
            request = evolve(client.request, purpose=purpose, context=context)
            read_auth.check_purpose(request, self.streams.guard)
            partner, _ = read_auth.admit_reader(connection, request)
            self.limits.spend(connection, partner, request.issuer, 1, request.at)
            read_auth.consume_token(connection, request, partner)
            return request

        with self.limits.charging_refusals(client.request.issuer, client.request.at):
            self.limits.check(client.request.issuer, client.request.at)
            return self.auth.issue(self.streams.writer.run(work, LockScope.STREAMS), client.kid, scopes)

    def _on(
        self,
        token: bytes,
        name: str | None,
        work: Callable[[Connection, Row[Any]], T],
        scope: str = MANAGE_SCOPE,
    ) -> T:
        """Do `work` on the reader's stream of that name."""

        def inside(connection: Connection, partner: int, request: AuthenticatedRequest) -> T:
            stream = streams.find_stream(connection, partner, request.purpose, request.context)
            if stream is None or stream.name != name:
                raise streams.stream_not_found()
            return work(connection, stream)

        return self._manage(token, inside, scope)

    def _manage(
        self,
        token: bytes,
        work: Callable[[Connection, int, AuthenticatedRequest], T],
        scope: str = MANAGE_SCOPE,
    ) -> T:
        authenticated = self.auth.authenticate(token)
        request = authenticated.request

        def inside(connection: Connection) -> T:
            partner, _ = read_auth.admit_reader(connection, request)
            self.limits.spend(connection, partner, request.issuer, 1, request.at)
            return work(connection, partner, request)

        with self.limits.charging_refusals(request.issuer, request.at):
            self.limits.check(request.issuer, request.at)
            authenticated.require(scope)
            read_auth.check_purpose(request, self.streams.guard)
            return self.streams.writer.run(inside, LockScope.STREAMS)


def _status(stream: Row[Any]) -> dict[str, str]:
    status = {"stream_id": stream.name, "status": stream.status}
    return {**status, "reason": stream.reason} if stream.reason else status
