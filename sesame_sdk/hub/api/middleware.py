"""Around the whole application: headers on every answer; a log line, a span and a count for each request.

These name the route and never the path, which may hold a pseudonym. The id of a request stands in its log
lines and in the answer.
"""

from collections.abc import Callable
from time import perf_counter

from litestar.enums import ScopeType
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
from sesame_sdk.hub.observability import metrics, safe_values, tracing
from sesame_sdk.hub.observability.log_events import Answered, Cut
from sesame_sdk.hub.observability.structured_log import REQUEST, log

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
_ENCODED = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
#: A hub that stops asks whoever is connected to come again by another connection.
_LAST = (b"connection", b"close")


def instrument(app: ASGIApp, stopping: Callable[[], bool]) -> ASGIApp:
    """`app` with headers and all that is told of requests; `stopping` says whether the hub does."""

    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        began, status, left, request = perf_counter(), 0, False, safe_values.new_id()
        REQUEST.set(request)  # uvicorn runs each request in a context of its own

        async def watched() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            nonlocal left
            message = await receive()
            left |= message["type"] == "http.disconnect"
            return message

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = 0 if left else message["status"]  # nobody is there to be answered
                last = [_LAST] if stopping() else []
                message["headers"] = [
                    *message["headers"],
                    *_ENCODED,
                    *last,
                    (b"x-request-id", request.encode()),
                ]
            await send(message)

        with tracing.request_span() as span:
            try:
                await app(scope, watched, with_headers)
            finally:
                seconds = perf_counter() - began
                method, route = safe_values.method(scope), safe_values.route(scope)
                tracing.describe_request(span, method, route, status)
                _tell(method, route, status, seconds)

    return around


def _tell(method: safe_values.Safe, route: safe_values.Safe, status: int, seconds: float) -> None:
    ms = round(seconds * 1000, 1)
    if status:
        metrics.count_request(method, route, status, seconds)
        log(Answered(method, route, status, ms))
    else:
        log(Cut(method, route, ms))
