"""Reads a request body within size and time limits, also after decompression."""

import asyncio
import zlib
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException, InternalServerException

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.dependencies import get_memory_budget

#: Makes zlib expect gzip's header and checksum.
_GZIP = 16 + zlib.MAX_WBITS


async def read_body(
    request: Request[Any, Any, Any], *, media_type: str, max_bytes: int, timeout_seconds: float
) -> bytes:
    """Read and decompress the body of a request.

    Args:
        request: not read yet.
        media_type: the only one that is accepted.
        max_bytes: as sent, and decompressed.
        timeout_seconds: for all of it to arrive.

    Raises:
        HTTPException: 408, 413 or 415; 400 if the client disconnected.
        InvalidInputError: it is not valid gzip.
        RetryableError: other bodies use up the memory.
    """
    compressed = _check_headers(request, media_type, max_bytes)
    try:
        async with asyncio.timeout(timeout_seconds):
            body = await _receive(request, max_bytes)
    except TimeoutError as error:
        raise HTTPException(
            f"the body took more than {timeout_seconds:g} s to arrive", status_code=408
        ) from error
    return inflate(body, max_bytes) if compressed else body


async def _receive(request: Request[Any, Any, Any], max_bytes: int) -> bytes:
    body = bytearray()
    try:
        with get_memory_budget(request).reserve() as reservation:
            async for chunk in request.stream():
                reservation.add(len(chunk))
                body += chunk
                if len(body) > max_bytes:
                    raise too_large(max_bytes)
            return bytes(body)
    except InternalServerException as error:  # Litestar's, when the client disconnected
        raise HTTPException("the body is incomplete", status_code=400) from error
    finally:
        body.clear()  # which the traceback of an error would keep alive


def inflate(body: bytes, max_bytes: int) -> bytes:
    """Decompress one gzip member into at most `max_bytes` bytes.

    Raises:
        HTTPException: 413.
        InvalidInputError: it is damaged, truncated, or followed by other data.
    """
    decompressor = zlib.decompressobj(_GZIP)
    try:
        text = decompressor.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise InvalidInputError(
            "is not gzip", field="body", hint="send it as Content-Encoding says"
        ) from error
    if len(text) > max_bytes:
        raise too_large(max_bytes)
    if not decompressor.eof or decompressor.unused_data:
        raise InvalidInputError("is not one complete gzip member", field="body")
    return text


def too_large(max_bytes: int) -> HTTPException:
    """The error for a body above the limit."""
    return HTTPException(f"the body must be at most {max_bytes} bytes", status_code=413)


def _check_headers(request: Request[Any, Any, Any], media_type: str, max_bytes: int) -> bool:
    """Whether the body is compressed; raises for what need not be read at all."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        raise HTTPException(f"Content-Type must be {media_type}", status_code=415)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise HTTPException("Content-Encoding must be gzip or none", status_code=415)
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:19]) > max_bytes:
        raise too_large(max_bytes)
    return encoding == "gzip"
