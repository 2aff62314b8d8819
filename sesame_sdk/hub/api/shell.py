"""Around the whole application: headers that every answer carries, and one log line for each request.

The line names the route and never the path, which may hold a pseudonym.
"""

import json
import logging
from time import perf_counter

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from sesame_sdk.hub.api.page import STYLE_HASH

log = logging.getLogger("sesame_sdk.hub.access")

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


def shell(app: ASGIApp) -> ASGIApp:
    """`app` with headers and log."""

    async def around(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_ENCODED]
            await send(message)

        try:
            await app(scope, receive, with_headers)
        finally:
            _log(scope, status, perf_counter() - started)

    return around


def _log(scope: Scope, status: int, seconds: float) -> None:
    line = {
        "method": scope["method"],  # type: ignore[typeddict-item] # an http scope has one
        "route": scope.get("path_template") or "(none)",
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    log.info(json.dumps(line))
