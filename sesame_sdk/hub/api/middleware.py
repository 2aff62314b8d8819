"""ASGI middleware: paths below a prefix; HEAD; headers; a log line, a span and a count for each request.

These name the route and never the path, which may contain a pseudonym. The id of a request is in its log
lines and in its response; a client's own id is not taken, since it could be anything.
"""

import secrets
from collections.abc import Callable
from copy import copy
from time import perf_counter
from urllib.parse import urlsplit

from litestar.enums import HttpMethod, ScopeType
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    Message,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)

from sesame_sdk.hub.api.openapi_page import STYLE_HASH
from sesame_sdk.hub.observability import metrics, tracing
from sesame_sdk.hub.observability.log_events import NO_ROUTE
from sesame_sdk.hub.observability.structured_log import REQUEST_ID, log

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
_ENCODED_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
#: While a hub stops, clients are asked to use another connection.
_CLOSE = (b"connection", b"close")
#: Monitoring requests these every few seconds.
_MONITORED = ("/health", "/.well-known")


def instrument(app: ASGIApp, is_stopping: Callable[[], bool]) -> ASGIApp:
    """Wrap an application as this module describes."""

    async def instrumented(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        started, status, disconnected, request_id = perf_counter(), 0, False, secrets.token_hex(8)
        REQUEST_ID.set(request_id)  # uvicorn runs each request in a context of its own

        async def observe() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            nonlocal disconnected
            message = await receive()
            disconnected |= message["type"] == "http.disconnect"
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = 0 if disconnected else message["status"]
                message["headers"] = [
                    *message["headers"],
                    *_ENCODED_HEADERS,
                    *([_CLOSE] if is_stopping() else []),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        with tracing.request_span() as span:
            try:
                await app(scope, observe, send_with_headers)
            finally:
                method, route = scope["method"], scope.get("path_template") or NO_ROUTE
                tracing.describe_request(span, method, route, status)
                _record(method, route, status, perf_counter() - started)

    return instrumented


def route_as_deployed(app: ASGIApp, issuer: str) -> ASGIApp:
    """Serve an application below the path of `issuer` too, and answer HEAD as GET without a body.

    A proxy may strip the path before it forwards a request, or leave it (``--root-path`` of uvicorn tells).
    Metadata is also where the path comes after the well-known part (RFC 8615; SSF 1.0 section 7.2, RFC 8414).
    """
    prefix = urlsplit(issuer).path

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"  # RFC 9110 section 9.3.2
        scope = copy(scope)  # the server goes by its own: it sends no body after HEAD
        if prefix and f"{scope['path']}/".startswith(f"{prefix}/"):
            scope["path"] = scope["path"][len(prefix) :] or "/"
        elif prefix and scope["path"].startswith("/.well-known/"):
            scope["path"] = scope["path"].removesuffix(prefix)
        if is_head:
            scope["method"] = HttpMethod.GET

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        await app(scope, receive, send_head if is_head else send)

    return routed


def _record(method: str, route: str, status: int, seconds: float) -> None:
    duration_ms = round(seconds * 1000, 1)
    if not status:
        log.warning("request_aborted", method=method, route=route, duration_ms=duration_ms)
        return
    metrics.count_request(method, route, status, seconds)
    write = log.warning if status >= 400 else log.debug if route.startswith(_MONITORED) else log.info
    write("request_completed", method=method, route=route, status=status, duration_ms=duration_ms)
