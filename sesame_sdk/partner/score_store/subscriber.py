"""Keeping a score book fresh: makes the stream at the hub, and polls it (RFC 8936) or has it pushed.

Rules:
    * a book and a stream belong together: where the hub has none for us, or another than the book
      follows, both begin anew, so that nobody stays in the book who left unheard
    * what a poll brought is on disk before the next poll acknowledges it
    * a hub that is away is asked again, after longer and longer waits; meanwhile the book goes stale
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
from sesame_sdk.partner.key_pinning import JWKS_PATH, PinnedKeys
from sesame_sdk.partner.score_reads import sign_read_token
from sesame_sdk.partner.score_store.inbox import Inbox, InboxResult
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.signing.jwt import KeyFinder

T = TypeVar("T")
STREAM_PATH, POLL_PATH = "/v1/ssf/stream", "/v1/ssf/poll/"
PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
#: Messages asked for at a time.
MAX_EVENTS = 16
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 30.0
#: Seconds after which we see whether the hub still has the stream that it pushes.
_LOOK_AGAIN = 60.0


@frozen
class _Delivery:
    method: str
    endpoint_url: str = ""


@frozen
class _Stream:
    stream_id: str
    delivery: _Delivery


class _Answer(msgspec.Struct, frozen=True):
    """A poll's answer (RFC 8936 section 2.3)."""

    sets: dict[str, str]
    more: bool = msgspec.field(default=False, name="moreAvailable")


class StreamSubscriber(Closeable):
    """Follows one stream into one book. `StreamSubscriber.from_config` makes one of a partner's folder.

    Args:
        store: kept fresh.
        signer: our key.
        keys: knows the hub's keys.
        transport: the way to the hub.
        clock: tells the time, in UTC.
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
        self._signer = signer
        self._transport = transport
        self._clock = clock
        self._settled = InboxResult((), {})
        self._owned: list[Callable[[], None]] = []

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
        """Follow into the book at `path`, as the partner whose folder this is.

        Args:
            config: the partner's folder.
            path: of the book.
            purpose: IRI of why we read; one that we registered.
            context: whose policy makes the scores.
            settings: for `ScoreStore`.
        """
        book = ScoreStore(
            path, hub=config.hub, reader=config.issuer, purpose=purpose, context=context, **settings
        )
        transport, pins = Transport(config.hub), Outbox(config.outbox)
        keys = PinnedKeys(config.hub, lambda: transport.get(JWKS_PATH).body, pins)
        made = cls(book, signer=config.signer, keys=keys, transport=transport)
        made._owned = [transport.close, pins.close, book.close]
        return made

    def ensure_stream(self, *, push_to: str | None = None, bearer: str | None = None) -> str:
        """See that the hub has a stream for us that the book follows; its id.

        Args:
            push_to: where the hub shall push, at our issuer's own host; without it we poll.
            bearer: what it shall show there, the same each time; the inbox asks for it from now on.

        Raises:
            InvalidInputError: we may not read this, or not be pushed to there.
            RetryableError, ConfigurationError: see `Transport.post`.
        """
        self.inbox.bearer = bearer
        wanted = _Delivery(PUSH, push_to) if push_to else _Delivery(POLL)
        for stream in self._streams():
            same = stream.delivery.method == wanted.method and wanted.endpoint_url in (
                "",
                stream.delivery.endpoint_url,
            )
            if same and stream.stream_id == self.store.state.stream:
                return stream.stream_id
            self._transport.delete(f"{STREAM_PATH}?stream_id={stream.stream_id}", bearer=self._bearer)
        told: dict[str, str] = {"method": wanted.method}
        if push_to:
            told |= {"endpoint_url": push_to} | (
                {"authorization_header": f"Bearer {bearer}"} if bearer else {}
            )
        made = _read(self._ask(STREAM_PATH, {"delivery": told}), _Stream)
        self.store.begin_stream(made.stream_id)
        return made.stream_id

    def poll(self, *, wait: bool = True) -> bool:
        """Take what there is, and acknowledge it with the next poll. Whether more is there already.

        Args:
            wait: for something to come, as long as the hub lets us.

        Raises:
            InvalidInputError: the hub refused.
            RetryableError, ConfigurationError: see `Transport.post`; the stream may be gone: `ensure_stream`.
        """
        asked = {
            "maxEvents": MAX_EVENTS,
            "returnImmediately": not wait,
            "ack": self._settled.accepted,
            "setErrs": {
                jti: {"err": error.code, "description": str(error)[:400]}
                for jti, error in self._settled.rejected.items()
            },
        }
        found = _read(self._ask(POLL_PATH + self.store.state.stream, asked), _Answer)
        tokens = {jti: token.encode("ascii", "replace") for jti, token in found.sets.items()}
        self._settled = self.inbox.receive_all(tokens)
        return found.more or bool(tokens)

    def run(
        self,
        stop: Event,
        *,
        push_to: str | None = None,
        bearer: str | None = None,
        on_error: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Keep the book fresh until `stop` is set: poll, or see again and again that the hub pushes.

        Args:
            stop: looked at between requests.
            push_to: where the hub shall push; see `attach`. Without it we poll.
            bearer: what it shall show there.
            on_error: hears in words why we wait.

        Raises:
            InvalidInputError, ConfigurationError: on the first `ensure_stream`; later ones are retried.
        """
        failures, attached, ever = 0, False, False
        while not stop.is_set():
            try:
                attached = ever = attached or bool(self.ensure_stream(push_to=push_to, bearer=bearer))
                if push_to is None:
                    self.poll()
                else:
                    attached = stop.wait(_LOOK_AGAIN)
                failures = 0
            except (RetryableError, InvalidInputError, ConfigurationError) as error:
                if not failures and not ever and not isinstance(error, RetryableError):
                    raise
                failures, attached = failures + 1, False
                on_error(str(error))
                stop.wait(min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(failures, 10)))

    def close(self) -> None:
        """Close what `at` opened."""
        for close in self._owned:
            close()

    def _streams(self) -> list[_Stream]:
        answer = self._transport.get(STREAM_PATH, bearer=self._bearer)
        return _read(answer.body, list[_Stream])

    def _ask(self, path: str, asked: Mapping[str, object]) -> bytes:
        return self._transport.post(
            path, encode(asked), content_type=JSON_MEDIA_TYPE, accept=JSON_MEDIA_TYPE, bearer=self._bearer
        ).body

    def _bearer(self) -> bytes:
        return sign_read_token(
            self._signer,
            issuer=self.store.reader,
            audience=self.store.hub,
            purpose=self.store.purpose,
            context=self.store.context,
            now=self._clock(),
        )


def _read(body: bytes, kind: type[T]) -> T:
    try:
        found: T = codec.decoder(kind).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"the hub's answer is not understood: {error}", field="stream", code="invalid_answer"
        ) from error
    return found
