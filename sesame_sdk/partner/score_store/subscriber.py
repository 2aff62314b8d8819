"""Keeps a score store up to date: creates the stream at the hub, and polls it (RFC 8936) or has it pushed.

Rules:
    * store and stream belong together: if the hub has no stream for us, or another than the store's, both
      start anew, so that no subject stays in the store whose removal was missed
    * polled messages are on disk before the next poll acknowledges them
    * requests to an unavailable hub are retried after increasing waits; meanwhile the store becomes stale
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Self, TypeVar

import msgspec
from attrs import frozen

from sesame_sdk.constants import JSON_MEDIA_TYPE
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.interfaces import Closeable, Signer
from sesame_sdk.model import codec
from sesame_sdk.model.codec import encode
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.hub_clock import blame_clock
from sesame_sdk.partner.key_pinning import JWKS_PATH, PinnedKeys
from sesame_sdk.partner.score_reads import sign_stream_token
from sesame_sdk.partner.score_store.inbox import Inbox, InboxResult
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.signing.jwt import KeyFinder

T = TypeVar("T")
STREAM_PATH, POLL_PATH = "/v1/ssf/stream", "/v1/ssf/poll/"
PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
#: Messages of one poll.
MAX_EVENTS = 16
_MIN_WAIT, _MAX_WAIT = 0.2, 30.0
#: Seconds between checks that the hub still has the stream that it pushes.
_CHECK_SECONDS = 60.0


@frozen
class _Delivery:
    method: str
    endpoint_url: str = ""


@frozen
class _Stream:
    stream_id: str
    delivery: _Delivery


class _PollResponse(msgspec.Struct, frozen=True):
    """The response to a poll (RFC 8936 section 2.3)."""

    sets: dict[str, str]
    more: bool = msgspec.field(default=False, name="moreAvailable")


class StreamSubscriber(Closeable):
    """Subscribes a score store to its stream. `StreamSubscriber.from_config` creates both.

    Args:
        store: the score store.
        signer: our key.
        keys: finds the hub's keys.
        transport: to the hub.
        clock: returns the time, in UTC.
    """

    def __init__(
        self,
        store: ScoreStore,
        *,
        signer: Signer,
        keys: KeyFinder,
        transport: Transport,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self.inbox = Inbox(store, keys, clock=clock)
        self._signer, self._keys = signer, keys
        self._transport = transport
        self._clock = clock
        self._received = InboxResult((), {})
        self._closers: list[Callable[[], None]] = []

    @classmethod
    def from_config(
        cls,
        config: PartnerConfig,
        path: Path,
        *,
        purpose: str,
        context: str,
        **settings: Any,  # noqa: ANN401
    ) -> Self:
        """Create a subscriber and its score store for a partner.

        Args:
            config: the partner's configuration.
            path: of the score store.
            purpose: IRI of a purpose that we registered.
            context: of the scores.
            settings: for `ScoreStore`.
        """
        store = ScoreStore(
            path, hub=config.hub, reader=config.issuer, purpose=purpose, context=context, **settings
        )
        transport, pins = Transport(config.hub), Outbox(config.outbox)
        keys = PinnedKeys(config.hub, lambda: transport.get(JWKS_PATH).body, pins)
        subscriber = cls(store, signer=config.signer, keys=keys, transport=transport)
        subscriber._closers = [transport.close, pins.close, store.close]
        return subscriber

    def ensure_stream(self, *, push_to: str | None = None, bearer: str | None = None) -> str:
        """Ensure that the hub has a stream for this store, and return its id.

        Args:
            push_to: URL at our issuer's host to which the hub pushes; without it we poll.
            bearer: bearer token of the pushes; the inbox requires it from now on.

        Raises:
            InvalidInputError: the hub denies the read, or the push URL.
            RetryableError, ConfigurationError: see `Transport.post`.
        """
        self.inbox.bearer = bearer
        if isinstance(self._keys, PinnedKeys):
            self._keys.load()
        wanted = _Delivery(PUSH, push_to) if push_to else _Delivery(POLL)
        for stream in self._streams():
            same = stream.delivery.method == wanted.method and wanted.endpoint_url in (
                "",
                stream.delivery.endpoint_url,
            )
            if same and stream.stream_id == self.store.state.stream:
                return stream.stream_id
            self._transport.delete(f"{STREAM_PATH}?stream_id={stream.stream_id}", bearer=self._bearer)
        delivery: dict[str, str] = {"method": wanted.method}
        if push_to:
            delivery |= {"endpoint_url": push_to} | (
                {"authorization_header": f"Bearer {bearer}"} if bearer else {}
            )
        stream = _decode(self._request(STREAM_PATH, {"delivery": delivery}), _Stream)
        self.store.begin_stream(stream.stream_id)
        return stream.stream_id

    def poll(self, *, wait: bool = True) -> bool:
        """Receive messages, and acknowledge them with the next poll. Returns whether there may be more.

        Args:
            wait: for messages, as long as the hub allows.

        Raises:
            InvalidInputError: the hub rejected the request.
            RetryableError, ConfigurationError: see `Transport.post`; the stream may be gone: `ensure_stream`.
        """
        request = {
            "maxEvents": MAX_EVENTS,
            "returnImmediately": not wait,
            "ack": self._received.accepted,
            "setErrs": {
                jti: {"err": error.code, "description": str(error)[:400]}
                for jti, error in self._received.rejected.items()
            },
        }
        response = _decode(self._request(POLL_PATH + self.store.state.stream, request), _PollResponse)
        tokens = {jti: token.encode("ascii", "replace") for jti, token in response.sets.items()}
        self._received = self.inbox.receive_all(tokens)
        return response.more or bool(tokens)

    def run(
        self,
        stop: Event,
        *,
        push_to: str | None = None,
        bearer: str | None = None,
        on_error: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Keep the store up to date until `stop` is set: poll, or check that the hub pushes.

        Args:
            stop: checked between requests.
            push_to: see `ensure_stream`. Without it we poll.
            bearer: bearer token of the pushes.
            on_error: called with the error before a wait.

        Raises:
            InvalidInputError, ConfigurationError: on the first `ensure_stream`; later ones are retried.
        """
        failures, attached, was_attached = 0, False, False
        while not stop.is_set():
            try:
                attached = was_attached = attached or bool(self.ensure_stream(push_to=push_to, bearer=bearer))
                if push_to is None:
                    self.poll()
                else:
                    attached = stop.wait(_CHECK_SECONDS)
                failures = 0
            except (RetryableError, InvalidInputError, ConfigurationError) as error:
                if not failures and not was_attached and not isinstance(error, RetryableError):
                    raise
                failures, attached = failures + 1, False
                on_error(str(error))
                stop.wait(min(_MAX_WAIT, _MIN_WAIT * 2.0 ** min(failures, 10)))

    def close(self) -> None:
        """Close what `from_config` opened."""
        for close in self._closers:
            close()

    def _streams(self) -> list[_Stream]:
        with blame_clock(self._transport, self._clock):
            response = self._transport.get(STREAM_PATH, bearer=self._bearer)
        return _decode(response.body, list[_Stream])

    def _request(self, path: str, content: Mapping[str, object]) -> bytes:
        with blame_clock(self._transport, self._clock):
            return self._transport.post(
                path,
                encode(content),
                content_type=JSON_MEDIA_TYPE,
                accept=JSON_MEDIA_TYPE,
                bearer=self._bearer,
            ).body

    def _bearer(self) -> bytes:
        return sign_stream_token(
            self._signer,
            issuer=self.store.reader,
            audience=self.store.hub,
            purpose=self.store.purpose,
            context=self.store.context,
            now=self._clock(),
        )


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        decoded: T = codec.decoder(kind).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"the hub's response is not valid: {error}", field="stream", code="invalid_response"
        ) from error
    return decoded
