"""Keeps a score store up to date: creates the stream at the hub, and polls it (RFC 8936) or has it pushed.

Rules:
    * store and stream belong together: if the hub has no stream for us, or another than the store's, both
      start anew, so that no subject stays in the store whose removal was missed
    * polled messages are on disk before the next poll acknowledges them
    * requests to an unavailable hub are retried after increasing waits; meanwhile the store becomes stale
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Self

from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.interfaces import Closeable
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.key_pinning import PinnedKeys
from sesame_sdk.partner.score_reads import sign_stream_token
from sesame_sdk.partner.score_store.inbox import ForeignTransmitter, Inbox, InboxResult, OtherEvent
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.partner.score_store.stream_client import (
    POLL,
    PUSH,
    Status,
    StreamClient,
    StreamConfiguration,
    StreamStatus,
    TransmitterKeys,
)

#: Messages of one poll.
MAX_EVENTS = 16
_MIN_WAIT, _MAX_WAIT = 0.2, 30.0
#: Seconds between checks that the hub still has the stream that it pushes.
_CHECK_SECONDS = 60.0
_STATE_BYTES = 18


class StreamSubscriber(Closeable):
    """Subscribes a score store to its stream. `from_config` and `from_transmitter` create both.

    Args:
        store: the score store.
        client: manages streams at the hub.
        keys: finds the hub's keys.
        foreign: the transmitter, if it is no hub of this kind. Then the streams that it has for us may be of
            other software of ours, and are left alone.
        events_requested: the types of events; None for all that the hub has.
        on_other_event: see `Inbox`.
        clock: returns the time, in UTC.
    """

    def __init__(
        self,
        store: ScoreStore,
        client: StreamClient,
        keys: PinnedKeys | TransmitterKeys,
        *,
        foreign: ForeignTransmitter | None = None,
        events_requested: tuple[str, ...] | None = None,
        on_other_event: Callable[[OtherEvent], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store, self.client = store, client
        self.inbox = Inbox(store, keys, foreign=foreign, on_other_event=on_other_event, clock=clock)
        self._keys, self._foreign = keys, foreign
        self._members = {} if events_requested is None else {"events_requested": events_requested}
        self._poll_url = ""
        self._received = InboxResult((), {})
        self._closers: list[Callable[[], None]] = [client.close, store.close]

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

        def authorization() -> str:
            token = sign_stream_token(
                config.signer,
                issuer=config.issuer,
                audience=config.hub,
                purpose=purpose,
                context=context,
                now=datetime.now(UTC),
            )
            return f"Bearer {token.decode()}"

        store = ScoreStore(
            path, hub=config.hub, reader=config.issuer, purpose=purpose, context=context, **settings
        )
        client, pins = StreamClient(config.hub, authorization), Outbox(config.outbox)
        subscriber = cls(store, client, PinnedKeys(config.hub, client.fetch_keys, pins))
        subscriber._closers.append(pins.close)
        return subscriber

    @classmethod
    def from_transmitter(
        cls,
        issuer: str,
        path: Path,
        *,
        audience: str,
        authorization: str | Callable[[], str],
        purpose: str,
        context: str,
        events_requested: tuple[str, ...] | None = None,
        on_other_event: Callable[[OtherEvent], None] = lambda _: None,
        **settings: Any,  # noqa: ANN401
    ) -> Self:
        """Create a subscriber to a transmitter of other software, and its store.

        Args:
            issuer: the transmitter's issuer URL.
            path: of the score store.
            audience: by which the transmitter names us in ``aud``.
            authorization: the ``Authorization`` header, such as ``Bearer`` and an access token, or what makes
                it for each request.
            purpose: IRI of the purpose of scores, if it sends any.
            context: of these scores.
            events_requested: the types of events; None for the transmitter's default.
            on_other_event: receives events of other types than ours.
            settings: for `ScoreStore`.
        """
        store = ScoreStore(path, hub=issuer, reader=audience, purpose=purpose, context=context, **settings)
        client = StreamClient(issuer, authorization)
        return cls(
            store,
            client,
            TransmitterKeys(issuer, client.fetch_keys),
            foreign=ForeignTransmitter(issuer, audience),
            events_requested=events_requested,
            on_other_event=on_other_event,
        )

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
        self._keys.load()
        for stream in self.client.list_streams():
            is_ours = stream.stream_id == self.store.state.stream
            if is_ours and _is_delivered_to(stream, push_to):
                return self._attach(stream)
            if is_ours or self._foreign is None:
                self.client.delete(stream.stream_id)
        header = f"Bearer {bearer}" if bearer else None
        stream = self.client.create(push_to=push_to, authorization_header=header, **self._members)
        self.store.begin_stream(stream.stream_id)
        return self._attach(stream)

    def set_status(self, status: Status, reason: str | None = None) -> StreamStatus:
        """Enable, pause or disable the stream; raises as `StreamClient`."""
        changed = self.client.set_status(self.store.state.stream, status, reason)
        self.store.set_status(changed.status)
        return changed

    def request_verification(self) -> str:
        """Request a verification event; the state for `ScoreStore.is_verified`. Raises as `StreamClient`."""
        state = secrets.token_urlsafe(_STATE_BYTES)
        self.store.expect_verification(state)
        self.client.request_verification(self.store.state.stream, state)
        return state

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
        if not self._poll_url:
            self._attach(self.client.read(self.store.state.stream))
        response = self.client.poll(self._poll_url, request)
        tokens = {jti: token.encode("ascii", "replace") for jti, token in response.sets.items()}
        self._received = self.inbox.receive_all(tokens)
        if self._received.postponed is not None:
            raise self._received.postponed
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
                self.client.forget_metadata()
                on_error(str(error))
                stop.wait(min(_MAX_WAIT, _MIN_WAIT * 2.0 ** min(failures, 10)))

    def close(self) -> None:
        """Close what `from_config` opened."""
        for close in self._closers:
            close()

    def _attach(self, stream: StreamConfiguration) -> str:
        """Use this stream, and note its status; its id."""
        audiences = (stream.aud,) if isinstance(stream.aud, str) else stream.aud
        if stream.iss != self.inbox.issuer or self.inbox.audience not in audiences:
            raise ConfigurationError(
                "of the stream are not the transmitter and us",
                field="iss, aud",
                hint="compare them with the issuer and the audience that are configured",
            )
        self._poll_url = (stream.delivery.endpoint_url or "") if stream.delivery.method == POLL else ""
        if self.client.metadata.status_endpoint:
            self.store.set_status(self.client.status(stream.stream_id).status)
        return stream.stream_id


def _is_delivered_to(stream: StreamConfiguration, push_to: str | None) -> bool:
    if push_to is None:
        return stream.delivery.method == POLL
    return (stream.delivery.method, stream.delivery.endpoint_url) == (PUSH, push_to)
