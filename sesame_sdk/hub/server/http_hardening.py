"""Closes gaps that uvicorn and h11 leave: where a request ends, and when its connection is closed.

Rules:
    * a request with both a length and chunks is rejected, and its connection closed: two parsers would find
      two ends (RFC 9112 section 6.1), and could read a smuggled request between them
    * a response before the end of the body closes the connection, so that no client can send for ever
    * the head of a request has a time limit, from its first byte to its last, as its body has
"""

import asyncio
from typing import Any

import h11
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sesame_sdk.model import codec

#: Seconds for a request's head to arrive; browsers and proxies send it at once.
HEAD_SECONDS = 5.0
#: How much of a rejected body is still read, so that the client gets the response and not a reset.
_MAX_DRAINED_BYTES, _DRAIN_SECONDS = 65_536, 0.5
_AMBIGUOUS_FRAMING = codec.encode(
    {"err": "invalid_request", "description": "the request must give a length or chunks, not both"}
)


class HeadTimeoutProtocol(H11Protocol):
    """HTTP/1.1 that closes connections on which a request's head takes too long."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Start the time limit of the first head."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Start or stop the time limit."""
        super().data_received(data)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time limit."""
        self._stop()
        super().connection_lost(exc)

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
        if not self._is_ambiguous:
            await self._app(self._scope, self._receive, self._send)
            return
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(_AMBIGUOUS_FRAMING)),
        ]
        await self._send({"type": "http.response.start", "status": 400, "headers": headers})
        await self._send_on({"type": "http.response.body", "body": _AMBIGUOUS_FRAMING, "more_body": False})

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
