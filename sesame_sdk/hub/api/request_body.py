"""Reading a request's body: so much, so long, and so much of it again when it is unpacked.

Whoever sends a small gzip that unpacks to gigabytes gets no further than the limit.
"""

import asyncio
import zlib
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException, InternalServerException

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.dependencies import get_memory_budget

#: Tells zlib to expect gzip's own header and check sum.
_GZIP = 16 + zlib.MAX_WBITS


async def read_body(request: Request[Any, Any, Any], *, media_type: str, most: int, seconds: float) -> bytes:
    """The body of a request, unpacked.

    Args:
        request: not read yet.
        media_type: the only one that will do.
        most: bytes, packed and unpacked.
        seconds: for all of it to arrive.

    Raises:
        HTTPException: 408, 413 or 415; 400 if it was cut, and nobody is there to read it.
        InvalidInputError: it is not the gzip that it says it is.
        Retryable: too much is held for others.
    """
    packed = _check_headers(request, media_type, most)
    try:
        async with asyncio.timeout(seconds):
            body = await _arrived(request, most)
    except TimeoutError as error:
        raise HTTPException(f"the body took more than {seconds:g} s", status_code=408) from error
    return inflate(body, most) if packed else body


async def _arrived(request: Request[Any, Any, Any], most: int) -> bytes:
    body = bytearray()
    try:
        with get_memory_budget(request).reserve() as share:
            async for piece in request.stream():
                share.take(len(piece))
                body += piece
                if len(body) > most:
                    raise too_large(most)
            return bytes(body)
    except InternalServerException as error:  # the framework's, for a sender that hung up: no fault of ours
        raise HTTPException("the body was cut", status_code=400) from error
    finally:
        body.clear()  # which the trace of a refusal would keep until that is answered


def inflate(body: bytes, most: int) -> bytes:
    """Unpack gzip, of which there is one member, into at most `most` bytes.

    Raises:
        HTTPException: 413.
        InvalidInputError: it is damaged, cut short, or followed by something else.
    """
    unpacker = zlib.decompressobj(_GZIP)
    try:
        found = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise InvalidInputError(
            "is not gzip", field="body", hint="send it as Content-Encoding says"
        ) from error
    if len(found) > most:
        raise too_large(most)
    if not unpacker.eof or unpacker.unused_data:
        raise InvalidInputError("is not one whole gzip member", field="body")
    return found


def too_large(most: int) -> HTTPException:
    """The error for more bytes than allowed."""
    return HTTPException(f"the body must be at most {most} bytes", status_code=413)


def _check_headers(request: Request[Any, Any, Any], media_type: str, most: int) -> bool:
    """Whether the body is packed; and refuse at once what need not be read."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        raise HTTPException(f"Content-Type must be {media_type}", status_code=415)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise HTTPException("Content-Encoding must be gzip or none", status_code=415)
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:19]) > most:
        raise too_large(most)
    return encoding == "gzip"
