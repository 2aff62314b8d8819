"""A client of any transmitter of the OpenID Shared Signals Framework 1.0, and of its keys.

Rules:
    * all endpoints come from the metadata at the issuer (section 7.2), whose ``issuer`` must be the same
    * every endpoint is https, or on this machine, with the limits of `Transport`; redirects are not followed
    * each request shows the caller's ``Authorization``, and only to endpoints that the metadata names
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

import msgspec
from attrs import field, frozen

from sesame_sdk.delivery.http_errors import HttpResponse, raise_for_stream_status
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.sqlite_store import fork_safe_lock
from sesame_sdk.errors import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.interfaces import Closeable
from sesame_sdk.model import codec, validators
from sesame_sdk.partner.hub_clock import blame_clock
from sesame_sdk.signing.foreign_keys import read_foreign_jwk_set

T = TypeVar("T")
PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
#: Keys are fetched again after an hour, since one may be withdrawn, and for an unknown one once a minute.
_KEYS_SECONDS, _ASK_SECONDS = 3600.0, 60.0
_ACCEPTED = 202
Status = Literal["enabled", "paused", "disabled"]


@frozen
class TransmitterMetadata:
    """Transmitter configuration metadata (section 7.1), as far as it is used."""

    issuer: str
    jwks_uri: str | None = None
    configuration_endpoint: str | None = None
    status_endpoint: str | None = None
    verification_endpoint: str | None = None


@frozen
class Delivery:
    """How events are delivered: `PUSH` to our `endpoint_url`, or `POLL` at the transmitter's."""

    method: str
    endpoint_url: str | None = None


@frozen
class StreamConfiguration:
    """The configuration of a stream (section 8.1.1)."""

    stream_id: str = field(validator=validators.text(256))
    delivery: Delivery
    iss: str
    aud: str | tuple[str, ...]
    events_supported: tuple[str, ...] = ()
    events_requested: tuple[str, ...] = ()
    events_delivered: tuple[str, ...] = ()
    min_verification_interval: int | None = None
    description: str | None = None


@frozen
class StreamStatus:
    """The status of a stream (section 8.1.2)."""

    status: Status
    reason: str | None = field(default=None, repr=False)


class PollResponse(msgspec.Struct, frozen=True):
    """The response to a poll (RFC 8936 section 2.3)."""

    sets: dict[str, str]
    more: bool = msgspec.field(default=False, name="moreAvailable")


class StreamClient(Closeable):
    """Manages streams at a transmitter, and polls them.

    Args:
        issuer: the transmitter's issuer URL.
        authorization: the ``Authorization`` header, or what makes it for each request.
        open_transport: opens the connections to an origin.
        clock: returns the time, in UTC.

    All methods raise:
        InvalidInputError: the transmitter rejects the request, or its response is not valid.
        ConfigurationError: it denies access, lacks the endpoint, or its metadata names another issuer.
        RetryableError: it is unavailable.
    """

    def __init__(
        self,
        issuer: str,
        authorization: str | Callable[[], str],
        *,
        open_transport: Callable[[str], Transport] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.issuer = issuer
        self._authorization = authorization if callable(authorization) else lambda: authorization
        self._open_transport = open_transport or _open_transport
        self._clock = clock
        self._transports: dict[str, Transport] = {}
        self._metadata: TransmitterMetadata | None = None

    @property
    def metadata(self) -> TransmitterMetadata:
        """The transmitter's metadata, read once until `forget_metadata`."""
        if self._metadata is None:
            response = self._send("GET", metadata_url(self.issuer), authorize=False)
            metadata = _decode(response, TransmitterMetadata)
            if metadata.issuer != self.issuer:
                raise ConfigurationError(
                    "is another one in the transmitter's metadata", field="issuer", hint="check its URL"
                )
            self._metadata = metadata
        return self._metadata

    def forget_metadata(self) -> None:
        """Read the metadata again before the next request."""
        self._metadata = None

    def fetch_keys(self) -> bytes:
        """The transmitter's JWK set."""
        return self._send("GET", self._endpoint("jwks_uri"), authorize=False).body

    def list_streams(self) -> list[StreamConfiguration]:
        """All streams that the transmitter has for us."""
        return _decode(self._send("GET", self._endpoint("configuration_endpoint")), list[StreamConfiguration])

    def read(self, stream_id: str) -> StreamConfiguration:
        """The configuration of a stream."""
        return _decode(self._send("GET", self._of("configuration_endpoint", stream_id)), StreamConfiguration)

    def create(
        self,
        *,
        push_to: str | None = None,
        authorization_header: str | None = None,
        **members: Any,  # noqa: ANN401
    ) -> StreamConfiguration:
        """Create a stream.

        Args:
            push_to: our URL for pushes; without it we poll.
            authorization_header: what the transmitter shows there.
            members: ``events_requested``, ``description``.
        """
        content = {"delivery": _delivery(push_to, authorization_header), **members}
        return self._configure("POST", content)

    def update(self, stream_id: str, **members: Any) -> StreamConfiguration:  # noqa: ANN401
        """Change the given members of a stream: ``delivery``, ``events_requested``, ``description``."""
        return self._configure("PATCH", {"stream_id": stream_id, **members})

    def replace(self, stream_id: str, **members: Any) -> StreamConfiguration:  # noqa: ANN401
        """Replace the configuration of a stream: members that are not given get their defaults."""
        return self._configure("PUT", {"stream_id": stream_id, **members})

    def delete(self, stream_id: str) -> None:
        """Delete a stream."""
        self._send("DELETE", self._of("configuration_endpoint", stream_id))

    def status(self, stream_id: str) -> StreamStatus:
        """The status of a stream."""
        return _decode(self._send("GET", self._of("status_endpoint", stream_id)), StreamStatus)

    def set_status(self, stream_id: str, status: Status, reason: str | None = None) -> StreamStatus:
        """Enable, pause or disable a stream; the status that it has then."""
        content = {"stream_id": stream_id, "status": status} | ({"reason": reason} if reason else {})
        response = self._send("POST", self._endpoint("status_endpoint"), content)
        return self.status(stream_id) if response.status == _ACCEPTED else _decode(response, StreamStatus)

    def request_verification(self, stream_id: str, state: str | None = None) -> None:
        """Request a verification event with this `state`."""
        content = {"stream_id": stream_id} | ({"state": state} if state else {})
        self._send("POST", self._endpoint("verification_endpoint"), content)

    def poll(self, url: str, content: Mapping[str, object]) -> PollResponse:
        """Poll at a stream's ``delivery.endpoint_url`` (RFC 8936)."""
        return _decode(self._send("POST", url, content), PollResponse)

    def close(self) -> None:
        """Close every connection."""
        for transport in self._transports.values():
            transport.close()

    def _configure(self, method: str, content: dict[str, Any]) -> StreamConfiguration:
        response = self._send(method, self._endpoint("configuration_endpoint"), content)
        if response.status == _ACCEPTED and "stream_id" in content:  # not carried out yet
            return self.read(content["stream_id"])
        return _decode(response, StreamConfiguration)

    def _endpoint(self, name: str) -> str:
        url: str | None = getattr(self.metadata, name)
        if url is None:
            raise ConfigurationError(f"the transmitter has no {name}", field="metadata")
        return url

    def _of(self, name: str, stream_id: str) -> str:
        url = self._endpoint(name)
        return f"{url}{'&' if '?' in url else '?'}stream_id={quote(stream_id, safe='')}"

    def _send(
        self, method: str, url: str, content: Mapping[str, object] | None = None, *, authorize: bool = True
    ) -> HttpResponse:
        origin, path = _split(url)
        if origin not in self._transports:
            self._transports.setdefault(origin, self._open_transport(origin))
        transport = self._transports[origin]
        body = None if content is None else codec.encode(content)
        with blame_clock(transport, self._clock):
            return transport.request(
                method, path, body, authorization=self._authorization if authorize else None
            )


class TransmitterKeys:
    """Finds the keys of a transmitter of other software; a `signing.jwt.KeyFinder`.

    They are trusted because its metadata names their URL, over TLS (SSF 1.0 section 7.1.1).

    Args:
        issuer: its issuer URL.
        fetch: fetches its JWK set.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self, issuer: str, fetch: Callable[[], bytes], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer, self._fetch, self._clock = issuer, fetch, clock
        self._lock = fork_safe_lock()
        self._keys: dict[str, dict[str, Any]] = {}
        self._next_question = self._expires = 0.0

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:  # noqa: ARG002
        """The key with this ``kid``.

        Raises:
            InvalidInputError: the issuer is another one, or has no such key.
            RetryableError: it is unavailable, or was asked for an unknown key less than a minute ago.
        """
        if issuer != self._issuer:
            raise InvalidInputError("is not the transmitter", field="iss", code="invalid_issuer")
        if kid not in self._keys or self._clock() >= self._expires:
            self._claim_question()
            self._read()
        if kid not in self._keys:
            raise InvalidInputError("is not a key of the transmitter", field="kid", code="invalid_key")
        return self._keys[kid]

    def _claim_question(self) -> None:
        """Let one caller ask the transmitter."""
        with self._lock:
            wait = self._next_question - self._clock()
            if wait > 0:
                text = "is not known, and the transmitter was asked for its keys just now"
                raise RetryableError(text, field="kid", retry_after=wait)
            self._next_question = self._clock() + _ASK_SECONDS

    def load(self) -> None:
        """Fetch the keys, unless that was done. Raises as `find`; `ConfigurationError` if none is usable."""
        if not self._keys:
            self._read()

    def _read(self) -> None:
        try:
            self._keys = read_foreign_jwk_set(self._fetch())
        except InvalidInputError as error:
            raise ConfigurationError(f"does not publish valid keys: {error}", field="transmitter") from error
        self._expires = self._clock() + _KEYS_SECONDS


def metadata_url(issuer: str) -> str:
    """Where the metadata of an issuer is: its path comes after the well-known part (RFC 8615 section 3)."""
    origin, path = _split(issuer)
    if "?" in path:
        raise ConfigurationError("must not have a query", field="issuer")
    return f"{origin}/.well-known/ssf-configuration{path.rstrip('/')}"


def _split(url: str) -> tuple[str, str]:
    """The origin of a URL, and the rest."""
    try:
        parts = urlsplit(url)
        invalid = not parts.hostname or parts.port == 0 or "@" in parts.netloc or parts.fragment
    except ValueError as error:
        raise _no_endpoint() from error
    if invalid or any(char <= " " for char in url):
        raise _no_endpoint()
    return f"{parts.scheme}://{parts.netloc}", parts.path + (f"?{parts.query}" if parts.query else "")


def _no_endpoint() -> ConfigurationError:
    text = "is not the URL of an endpoint"
    return ConfigurationError(text, field="transmitter", hint="check its metadata")


def _delivery(push_to: str | None, authorization_header: str | None) -> dict[str, str]:
    if push_to is None:
        return {"method": POLL}
    header = {"authorization_header": authorization_header} if authorization_header else {}
    return {"method": PUSH, "endpoint_url": push_to, **header}


def _open_transport(origin: str) -> Transport:
    # Other software need not accept compressed requests.
    return Transport(origin, min_gzip_bytes=None, check_status=raise_for_stream_status)


def _decode(response: HttpResponse, kind: type[T]) -> T:
    try:
        return codec.decode(response.body, kind)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"the transmitter's response is not valid: {error}", field="stream", code="invalid_response"
        ) from error
