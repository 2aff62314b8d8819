"""Where a request ends, and when its line is cut: what uvicorn and h11 leave to us.

Rules:
    * a request that gives both a length and chunks is refused and its line closed: two readers would find
      two ends (RFC 9112 section 6.1), and what is between them would be a request that nobody sent
    * an answer that does not wait for the whole body closes the line, so that nobody can go on and on
    * the head of a request has a time limit, from its first byte to its last, as its body has
"""

import asyncio
from typing import Any

import h11
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sesame_sdk.model import codec

#: Seconds for a request's head to arrive; what people's browsers and proxies send comes in one piece.
HEAD_SECONDS = 5.0
#: What is still read of a body that was refused, so that its sender hears the answer and not a reset.
_DRAINED, _DRAIN_SECONDS = 65_536, 0.5
_DOUBTFUL = codec.encode(
    {"err": "invalid_request", "description": "the request must give a length or chunks, not both"}
)


class HeadTimeoutProtocol(H11Protocol):
    """HTTP/1.1 that closes lines on which a request's head takes too long."""

    _ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Count from here: the first head is awaited."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Look whether that was the end of a head, or the beginning of one."""
        super().data_received(data)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._ends is None:
            self._ends = self.loop.call_later(HEAD_SECONDS, self.timeout_keep_alive_handler)

    def _stop(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None


def reject_ambiguous_framing(app: ASGIApp) -> ASGIApp:
    """`app` behind the first two of this module's rules."""

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
        self._doubtful = b"transfer-encoding" in names and (
            b"content-length" in names or scope["http_version"] == "1.0"
        )
        self._whole = not names & {b"transfer-encoding", b"content-length"}

    async def run(self) -> None:
        if not self._doubtful:
            await self._app(self._scope, self._receive, self._send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_DOUBTFUL))]
        await self._send({"type": "http.response.start", "status": 400, "headers": headers})
        await self._send_on({"type": "http.response.body", "body": _DOUBTFUL, "more_body": False})

    async def _receive(self) -> Any:  # noqa: ANN401 - any message
        message = await self._receive_next()
        self._whole |= message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not self._doubtful and not self._whole:
                await self._drain()
            if self._doubtful or not self._whole:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        await self._send_on(message)

    async def _drain(self) -> None:
        left = _DRAINED
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._whole and left > 0:
                    left -= len((await self._receive()).get("body", b""))
        except TimeoutError:
            pass  # its sender is slow, and told by the closing of the line
