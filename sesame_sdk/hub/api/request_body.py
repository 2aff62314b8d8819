"""Reads a request body within limits of size, time and memory, and decompresses only what is needed.

Rules:
    * the memory of a body that arrives is its sender's share, see `admission`
    * nobody's body is stored before its sender is known: of a message without a bearer token that is the key
      in the header of its own token, which is in the first bytes
    * of a stranger's message only the first `FIRST_BYTES` are decompressed and kept. The rest is read and
      dropped, so that the client gets the response and not a reset, but for `DROP_SECONDS` only
    * a message is decompressed up to the end of its token, and further only once its signature is verified
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define, field
from litestar import Request
from litestar.exceptions import HTTPException, InternalServerException

from sesame_sdk.constants import MAX_TOKEN_BYTES
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.admission import STRANGERS, Reservation, busy
from sesame_sdk.hub.api.dependencies import get_admission
from sesame_sdk.signing.jws import MAX_HEADER_BYTES

#: Makes zlib expect gzip's header and checksum.
_GZIP = 16 + zlib.MAX_WBITS
#: A small envelope is not larger.
FIRST_BYTES = 16_384
DROP_SECONDS = 2.0
_CHUNK = 65_536
#: The end of a gzip member is its length modulo 2^32 (RFC 1952 section 2.3.1).
_LENGTH_BYTES = 4

AnyRequest = Request[Any, Any, Any]
#: The issuer of the partner with the key in this header of a token, or None.
FindSender = Callable[[bytes], Awaitable[str | None]]


@define
class Body:
    """A body as it was sent, decompressed only as far as it is asked for.

    Attributes:
        data: as sent; of a stranger's message the first part.
        max_bytes: decompressed.
        sender: issuer of the partner, or `STRANGERS`.
        complete: whether `data` is all of it.
    """

    data: bytes
    compressed: bool
    max_bytes: int
    sender: str = STRANGERS
    complete: bool = True
    _decompressor: Any = field(factory=lambda: zlib.decompressobj(_GZIP), init=False)
    _rest: bytes | None = field(default=None, init=False)
    _size: int = field(default=0, init=False)

    def first(self) -> tuple[bytes, bool]:
        """The first `FIRST_BYTES`, and whether this is all of it."""
        part = self._next(FIRST_BYTES + 1)
        if not self.complete or len(part) > FIRST_BYTES:
            return part, False
        return part + self.rest(), True

    def token(self) -> bytes:
        """The message up to the end of its token, or a little further."""
        parts, size = [self._next()], 0
        while b"~" not in parts[-1] and parts[-1] and (size := size + len(parts[-1])) <= MAX_TOKEN_BYTES:
            parts.append(self._next())
        return b"".join(parts)

    def rest(self) -> bytes:
        """What follows what was read already.

        Raises:
            HTTPException: 413.
            InvalidInputError: it is damaged, truncated, or followed by other data.
        """
        parts = []
        while part := self._next():
            parts.append(part)
        if self.compressed and (not self._decompressor.eof or self._decompressor.unused_data):
            raise InvalidInputError("is not one complete gzip member", field="body")
        return b"".join(parts)

    def _next(self, size: int = _CHUNK) -> bytes:
        """The next part; empty at the end."""
        data = self.data if self._rest is None else self._rest
        if not self.compressed:
            part, self._rest = data[:size], data[size:]
            return part
        part = _inflate(self._decompressor, data, size)
        self._rest = self._decompressor.unconsumed_tail
        self._size += len(part)
        if self._size > self.max_bytes:
            raise too_large(self.max_bytes)
        return part


async def read_body(
    request: AnyRequest, *, media_type: str, max_bytes: int, timeout_seconds: float, sender: str
) -> bytes:
    """Read and decompress the body of a request whose sender is known.

    Args:
        request: not read yet.
        media_type: the only one that is accepted.
        max_bytes: as sent, and decompressed.
        timeout_seconds: for all of it to arrive.
        sender: whose share of memory it uses.

    Raises:
        HTTPException: 408, 413 or 415; 400 if the client disconnected.
        InvalidInputError: it is not valid gzip.
        RetryableError: other bodies use up the memory.
    """
    compressed = _check_headers(request, media_type, max_bytes)
    arriving = _Arriving(compressed, max_bytes, timeout_seconds, sender=sender)
    return (await arriving.receive(request)).rest()


async def read_message(
    request: AnyRequest, find: FindSender, *, media_type: str, max_bytes: int, timeout_seconds: float
) -> Body:
    """Read the body of a request whose sender is in its token; errors as of `read_body`.

    A stranger's message may be incomplete: it cannot be accepted.
    """
    compressed = _check_headers(request, media_type, max_bytes)
    return await _Arriving(compressed, max_bytes, timeout_seconds, find=find).receive(request)


@define(eq=False)
class _Arriving:
    """A body that arrives."""

    compressed: bool
    max_bytes: int
    timeout_seconds: float
    find: FindSender | None = None
    sender: str = STRANGERS
    _body: bytearray = field(factory=bytearray, init=False)
    _size: int = field(default=0, init=False)
    _end: bytes = field(default=b"", init=False)
    _is_stranger: bool = field(default=False, init=False)
    _drops: bool = field(default=False, init=False)

    async def receive(self, request: AnyRequest) -> Body:
        """All of it, or the first part if it is a stranger's."""
        try:
            with get_admission(request).memory.reserve(self.sender) as reservation:
                await self._receive_in_time(request, reservation)
            self._check_stated_length()
            return Body(
                bytes(self._body), self.compressed, self.max_bytes, self.sender, complete=not self._drops
            )
        except InternalServerException as error:  # Litestar's, when the client disconnected
            raise HTTPException("the body is incomplete", status_code=400) from error
        finally:
            self._body.clear()  # which the traceback of an error would keep alive

    async def _receive_in_time(self, request: AnyRequest, reservation: Reservation) -> None:
        try:
            async with asyncio.timeout(self.timeout_seconds) as deadline:
                reservation.deadline = deadline
                async for chunk in request.stream():
                    await self._take(chunk, reservation, deadline)
                reservation.deadline = None
        except TimeoutError as error:
            if reservation.evicted:
                raise busy() from error
            if not self._drops:
                text = f"the body took more than {self.timeout_seconds:g} s to arrive"
                raise HTTPException(text, status_code=408) from error

    async def _take(self, chunk: bytes, reservation: Reservation, deadline: asyncio.Timeout) -> None:
        self._size += len(chunk)
        self._end = (self._end + chunk)[-_LENGTH_BYTES:]
        if self._size > self.max_bytes:
            raise too_large(self.max_bytes)
        if self._drops:
            return
        reservation.add(len(chunk))
        self._body += chunk
        if self.find is not None:
            await self._look_for_sender(self.find, reservation)
        if self._is_stranger and self._size > FIRST_BYTES:
            self._drops = True
            del self._body[FIRST_BYTES:]
            reservation.shrink(len(self._body))
            deadline.reschedule(asyncio.get_running_loop().time() + DROP_SECONDS)

    async def _look_for_sender(self, find: FindSender, reservation: Reservation) -> None:
        header, found, _ = self._first(MAX_HEADER_BYTES + 1).partition(b".")
        if not found and len(header) <= MAX_HEADER_BYTES and len(self._body) <= FIRST_BYTES:
            return  # it has not arrived yet
        self.find, sender = None, await find(header) if found else None
        if sender is None:
            self._is_stranger = True
        else:
            self.sender = sender
            reservation.move_to(sender)

    def _first(self, size: int) -> bytes:
        if not self.compressed:
            return bytes(self._body[:size])
        return _inflate(zlib.decompressobj(_GZIP), bytes(self._body[:FIRST_BYTES]), size)

    def _check_stated_length(self) -> None:
        """Reject a compressed body that says itself that it is too long: a stranger's is not decompressed."""
        if (
            self.sender == STRANGERS
            and self.compressed
            and int.from_bytes(self._end, "little") > self.max_bytes
        ):
            raise too_large(self.max_bytes)


def _inflate(decompressor: Any, data: bytes, size: int = _CHUNK) -> bytes:  # noqa: ANN401 - zlib names no type
    try:
        return bytes(decompressor.decompress(data, size))
    except zlib.error as error:
        raise InvalidInputError(
            "is not gzip", field="body", hint="send it as Content-Encoding says"
        ) from error


def too_large(max_bytes: int) -> HTTPException:
    """The error for a body above the limit."""
    return HTTPException(f"the body must be at most {max_bytes} bytes", status_code=413)


def _check_headers(request: AnyRequest, media_type: str, max_bytes: int) -> bool:
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
