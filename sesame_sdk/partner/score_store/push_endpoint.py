"""Receives pushed Security Event Tokens (RFC 8935): a plain ASGI application.

It can be mounted in any ASGI framework, or served alone. It accepts one method and one media type, within
limits of size and time.

| response | meaning |
| --- | --- |
| 202 | the token is on disk |
| 400, 401 with err and description | rejected |
| 405, 408, 413, 415 | not a push, too slow, too large, not a token |
| 503 | retry later |
"""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sesame_sdk.constants import JSON_MEDIA_TYPE, MAX_TOKEN_BYTES, SET_MEDIA_TYPE
from sesame_sdk.errors import InvalidInputError, RetryableError, SesameError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
_TIMEOUT_SECONDS = 30.0


class _HttpError(Exception):
    def __init__(self, status: int, err: str, description: str) -> None:
        super().__init__(description)
        self.status, self.body = status, {"err": err, "description": description}


def push_endpoint(receive_token: Callable[[bytes], None], *, bearer: Callable[[], str | None]) -> Application:
    """Create an application that passes each token to `receive_token`, in a thread.

    Args:
        receive_token: returns when the token is on disk; raises `InvalidInputError` or `RetryableError`.
        bearer: returns the required bearer token, if there is one.
    """

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _handle_lifespan(receive, send)
        elif scope["type"] == "http":
            await _respond(send, *await _process(scope, receive))

    async def _process(scope: Message, receive: Receive) -> tuple[int, dict[str, str] | None]:
        try:
            headers = _check_headers(scope, bearer())
            await asyncio.to_thread(receive_token, await _read_body(receive, headers))
        except _HttpError as error:
            return error.status, error.body
        except InvalidInputError as error:
            return 400, {"err": error.code, "description": str(error)}
        except SesameError as error:
            kind = "unavailable" if isinstance(error, RetryableError) else "internal_error"
            return 503, {"err": kind, "description": "retry later"}
        return 202, None

    return application


def _check_headers(scope: Message, bearer: str | None) -> dict[bytes, bytes]:
    headers = {name.lower(): value for name, value in scope["headers"]}
    if scope["method"] != "POST":
        raise _HttpError(405, "invalid_request", "must be a POST")
    given = headers.get(b"authorization", b"")
    if bearer is not None and not hmac.compare_digest(given, f"Bearer {bearer}".encode()):
        raise _HttpError(401, "authentication_failed", "the bearer token is missing or wrong")
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != SET_MEDIA_TYPE.encode():
        raise _HttpError(415, "invalid_request", f"Content-Type must be {SET_MEDIA_TYPE}")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise _HttpError(415, "invalid_request", "must not have a Content-Encoding")
    return headers


async def _read_body(receive: Receive, headers: dict[bytes, bytes]) -> bytes:
    length = headers.get(b"content-length", b"0")[:19]
    if length.isdigit() and int(length) > MAX_TOKEN_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _HttpError(400, "invalid_request", "the body is incomplete")
                body += message.get("body", b"")
                if len(body) > MAX_TOKEN_BYTES:
                    raise _too_large()
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise _HttpError(408, "invalid_request", f"the body took more than {_TIMEOUT_SECONDS:g} s") from None


def _too_large() -> _HttpError:
    return _HttpError(413, "invalid_request", f"the body must be at most {MAX_TOKEN_BYTES} bytes")


async def _respond(send: Send, status: int, content: dict[str, str] | None) -> None:
    body = b"" if content is None else json.dumps(content).encode()
    headers = [
        (b"content-type", b"text/plain" if content is None else JSON_MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"content-language", b"en"),  # of the description (RFC 8935 section 2.3)
    ]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _handle_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
