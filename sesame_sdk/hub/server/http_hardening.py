"""Closes gaps that uvicorn and h11 leave: where a request ends, and when its connection is closed.

Rules:
    * a request with both a length and chunks is rejected, and its connection closed: two parsers would find
      two ends (RFC 9112 section 6.1), and could read a smuggled request between them
    * a response before the end of the body closes the connection, so that no client can send for ever
    * the head of a request has a time limit, from its first byte to its last, as its body has
    * above `MAX_CONNECTIONS` a new connection closes another one: the one that waits for a request for the
      longest time, else one whose body stands still. If all are served, requests get 503 with Retry-After,
      but not those for `/health`: `RESERVED_CONNECTIONS` more are accepted for them
    * little is read from a connection at a time, so that many that send much do not hold up the others
    * what is no HTTP gets a code like every other refusal
"""

import asyncio
from typing import Any

import h11
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from sesame_sdk.hub.observability import metrics
from sesame_sdk.model import codec

#: Seconds for a request's head to arrive; browsers and proxies send it at once.
HEAD_SECONDS = 5.0
#: Each connection may hold a body of `Settings.max_body_bytes` while it arrives.
MAX_CONNECTIONS, RESERVED_CONNECTIONS = 256, 64
#: Seconds without a byte after which a body stands still.
_STALLED_SECONDS = 1.0
#: In the state of a request: whether there are too many connections.
_CROWDED = "crowded"
_HEALTH = "/health"
#: The stage of a connection whose request is in progress.
_SERVED = 2
#: How much of a rejected body is still read, so that the client gets the response and not a reset.
_MAX_DRAINED_BYTES, _DRAIN_SECONDS = 65_536, 0.5
#: Read from a connection at a time: the event loop reads from all that have data before it goes on with a
#: request.
_READ_BYTES = 65_536
_AMBIGUOUS_FRAMING = codec.encode(
    {"err": "invalid_request", "description": "the request must give a length or chunks, not both"}
)
_NOT_HTTP = codec.encode({"err": "invalid_request", "description": "is not a valid HTTP/1.1 request"})
_TOO_MANY_CONNECTIONS = codec.encode(
    {"err": "unavailable", "description": "too many connections (send again later)"}
)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 that bounds the time of a request's head, and the number of connections."""

    _timer: asyncio.TimerHandle | None = None
    _received_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Start the time limit of the first head."""
        super().connection_made(transport)
        if hasattr(transport, "max_size"):  # asyncio's own transports: 256 kB by default
            transport.max_size = _READ_BYTES
        self._received_at = self.loop.time()
        self._await_head()
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Start or stop the time limit."""
        self._received_at = self.loop.time()
        self.app_state[_CROWDED] = len(self.connections) > MAX_CONNECTIONS
        super().data_received(data)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time limits. After a reset uvicorn's own would keep this object until it is over."""
        self._stop()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Answer what is not HTTP."""
        metrics.count_refusal("invalid_request")
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(_NOT_HTTP))),
            ("connection", "close"),
        ]
        try:
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=_NOT_HTTP),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event))
        except h11.LocalProtocolError:  # a response to this request has begun
            self.transport.abort()
        self.transport.close()

    def _make_room(self) -> None:
        """Close the connection that is needed least, if there is one."""
        now = self.loop.time()
        idle = [(one.stage(now), one._received_at, id(one), one) for one in self._others()]
        stage, _, _, least = min(idle, default=(None, 0.0, 0, self))
        if stage is not None and stage < _SERVED:
            least.transport.abort()
        elif len(self.connections) > MAX_CONNECTIONS + RESERVED_CONNECTIONS:
            self.transport.abort()

    def _others(self) -> list["BoundedProtocol"]:
        return [one for one in self.connections if isinstance(one, BoundedProtocol) and one is not self]

    def stage(self, now: float) -> int:
        """0 if it waits for a request, 1 if it waits for a body that stands still, else `_SERVED`."""
        if self.transport.is_closing():
            return _SERVED
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return 0
        return 1 if cycle.more_body and now - self._received_at >= _STALLED_SECONDS else _SERVED

    def _await_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def reject_ambiguous_framing(app: ASGIApp) -> ASGIApp:
    """Wrap an application with the first two rules of this module."""

    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            await _Exchange(app, scope, receive, send).run()
        else:
            await app(scope, receive, send)

    return around


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, scope: Any, receive: Receive, send: Send) -> None:  # noqa: ANN401
        self._app = app
        self._scope: HTTPScope = scope
        self._receive_next = receive
        self._send_on = send
        names = {name for name, _ in scope["headers"]}
        self._is_ambiguous = b"transfer-encoding" in names and (
            b"content-length" in names or scope["http_version"] == "1.0"
        )
        self._body_complete = not names & {b"transfer-encoding", b"content-length"}

    async def run(self) -> None:
        if self._is_ambiguous:
            await self._refuse(400, _AMBIGUOUS_FRAMING)
        elif self._scope.get("state", {}).get(_CROWDED) and not self._scope["path"].startswith(_HEALTH):
            metrics.count_refusal("unavailable")
            await self._refuse(503, _TOO_MANY_CONNECTIONS, (b"retry-after", b"1"), (b"connection", b"close"))
        else:
            await self._app(self._scope, self._receive, self._send)

    async def _refuse(self, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *more]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send_on({"type": "http.response.body", "body": body, "more_body": False})

    async def _receive(self) -> Any:  # noqa: ANN401 - any message
        message = await self._receive_next()
        self._body_complete |= message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not self._is_ambiguous and not self._body_complete:
                await self._drain()
            if self._is_ambiguous or not self._body_complete:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        await self._send_on(message)

    async def _drain(self) -> None:
        left = _MAX_DRAINED_BYTES
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._body_complete and left > 0:
                    left -= len((await self._receive()).get("body", b""))
        except TimeoutError:
            pass  # the client is slow; the connection is closed
