"""Push delivery of Security Event Tokens (RFC 8935), the receiving end: a plain ASGI application.

It can be mounted in any ASGI framework, or served by itself. It knows one method, one media type, and
bounds on how much and how long.

| answer | means |
| --- | --- |
| 202 | it is on disk |
| 400, 401 with err and description | it will never be taken |
| 405, 408, 413, 415 | not a push, too slow, too large, not a token |
| 503 | come back |
"""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sesame_sdk.constants import MAX_TOKEN_BYTES, SET_MEDIA_TYPE
from sesame_sdk.errors import InvalidInputError, RetryableError, SesameError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
_SECONDS = 30.0


class _Answer(Exception):
    def __init__(self, status: int, err: str, description: str) -> None:
        super().__init__(description)
        self.status, self.body = status, {"err": err, "description": description}


def receiver(take: Callable[[bytes], None], *, bearer: Callable[[], str | None]) -> Application:
    """An application that gives each token to `take`, in a thread.

    Args:
        take: returns when the token is on disk; raises `InvalidInputError` or `RetryableError`.
        bearer: the bearer token that a push must show at this moment, if there is one.
    """

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await _answer(send, *await _taken(scope, receive))

    async def _taken(scope: Message, receive: Receive) -> tuple[int, dict[str, str] | None]:
        try:
            headers = _checked(scope, bearer())
            await asyncio.to_thread(take, await _body(receive, headers))
        except _Answer as answer:
            return answer.status, answer.body
        except InvalidInputError as error:
            return 400, {"err": error.code, "description": str(error)}
        except SesameError as error:
            kind = "unavailable" if isinstance(error, RetryableError) else "internal_error"
            return 503, {"err": kind, "description": "come back later"}
        return 202, None

    return application


def _checked(scope: Message, bearer: str | None) -> dict[bytes, bytes]:
    headers = {name.lower(): value for name, value in scope["headers"]}
    if scope["method"] != "POST":
        raise _Answer(405, "invalid_request", "must be a POST")
    shown = headers.get(b"authorization", b"")
    if bearer is not None and not hmac.compare_digest(shown, f"Bearer {bearer}".encode()):
        raise _Answer(401, "authentication_failed", "the bearer token is missing or wrong")
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != SET_MEDIA_TYPE.encode():
        raise _Answer(415, "invalid_request", f"Content-Type must be {SET_MEDIA_TYPE.encode().decode()}")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise _Answer(415, "invalid_request", "must not be packed")
    return headers


async def _body(receive: Receive, headers: dict[bytes, bytes]) -> bytes:
    length = headers.get(b"content-length", b"0")[:19]
    if length.isdigit() and int(length) > MAX_TOKEN_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Answer(400, "invalid_request", "cut short")
                body += message.get("body", b"")
                if len(body) > MAX_TOKEN_BYTES:
                    raise _too_large()
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise _Answer(408, "invalid_request", f"the body took more than {_SECONDS:g} s") from None


def _too_large() -> _Answer:
    return _Answer(413, "invalid_request", f"the body must be at most {MAX_TOKEN_BYTES} bytes")


async def _answer(send: Send, status: int, said: dict[str, str] | None) -> None:
    body = b"" if said is None else json.dumps(said).encode()
    headers = [
        (b"content-type", b"text/plain" if said is None else b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
