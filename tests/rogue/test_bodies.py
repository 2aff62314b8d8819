"""Bodies that are too large, packed in bad faith, or slow; requests that two readers would cut otherwise.

A megabyte here is 1,048,576 bytes.
"""

import gzip
import os
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from sesame_sdk.hub.server.app import MAX_BODIES
from tests.rogue.deployment import BODY_SECONDS, SET, Deployment

_MEGABYTE = 1 << 20
_LARGE = 10 * _MEGABYTE
_AT_ONCE = 100


def _zeros(megabytes: int) -> bytes:
    """So many megabytes of zeros, gzipped in a stream."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    return b"".join([*(packer.compress(bytes(_MEGABYTE)) for _ in range(megabytes)), packer.flush()])


#: A thousandfold, and a hundred thousandfold when its inside is unpacked too.
BOMB = _zeros(256)
NESTED = gzip.compress(BOMB, mtime=0)


def _pieces(size: int) -> Iterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(0, size, 65_536):
        yield bytes(65_536)


def _post(
    deployment: Deployment, body: object, encoding: str | None = None, media_type: str = SET
) -> requests.Response:
    headers = {"Content-Type": media_type} | ({"Content-Encoding": encoding} if encoding else {})
    return requests.post(f"{deployment.url}/v1/events", data=body, headers=headers, timeout=30)


Body = Callable[[Deployment], object]
WAYS: dict[str, tuple[int, str | None, Body]] = {
    "ten megabytes": (413, None, lambda _: bytes(_LARGE)),
    "one byte too much": (413, None, lambda _: bytes(2 * _MEGABYTE + 1)),
    "nothing at all": (400, None, lambda _: b""),
    "zeros": (400, None, lambda _: bytes(1000)),
    "a bomb of gzip": (413, "gzip", lambda _: BOMB),
    "a bomb of gzip in gzip": (400, "gzip", lambda _: NESTED),
    "a bomb of gzip in gzip, labelled so": (415, "gzip, gzip", lambda _: NESTED),
    "a bomb of many members": (400, "gzip", lambda _: gzip.compress(bytes(_MEGABYTE)) * 64),
    "two members": (400, "gzip", lambda s: gzip.compress(s.shop.seal(s.order())) + gzip.compress(b"x")),
    "gzip and something behind it": (400, "gzip", lambda s: gzip.compress(s.shop.seal(s.order())) + b"x"),
    "gzip cut short": (400, "gzip", lambda s: gzip.compress(s.shop.seal(s.order()))[:-1]),
    "gzip with a wrong check sum": (
        400,
        "gzip",
        lambda s: gzip.compress(s.shop.seal(s.order()))[:-8] + bytes(8),
    ),
    "what is not gzip": (400, "gzip", lambda s: s.shop.seal(s.order())),
    "zlib for gzip": (400, "gzip", lambda s: zlib.compress(s.shop.seal(s.order()))),
    "gzip without a label": (400, None, lambda s: gzip.compress(s.shop.seal(s.order()))),
    "deflate": (415, "deflate", lambda s: zlib.compress(s.shop.seal(s.order()))),
    "br": (415, "br", lambda _: b"x"),
    "zstd": (415, "zstd", lambda _: b"x"),
    "an unknown encoding": (415, "x-nothing", lambda _: b"x"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_body_that_is_wrong_is_refused_and_nothing_is_kept(deployment: Deployment, way: str) -> None:
    """One form for every refusal, and no row is another one than before."""
    status, encoding, make = WAYS[way]
    body = make(deployment)
    with deployment.unchanged():
        answer = _post(deployment, body, encoding)
    assert (answer.status_code, answer.json()["err"]) == (status, "invalid_request")
    assert answer.json().keys() == {"err", "description"}


def test_ten_megabytes_that_do_not_say_so_are_cut(deployment: Deployment) -> None:
    """A chunked body has no length to look at: it is read up to the limit, and no further."""
    with deployment.unchanged():
        answer = _hurried(deployment, _pieces(_LARGE))
    assert answer == 413


def _hurried(deployment: Deployment, body: object, encoding: str | None = None) -> int:
    """The status of a post whose sender may find the way shut before it has sent all."""
    try:
        return _post(deployment, body, encoding).status_code
    except (
        requests.ConnectionError
    ):  # closed while we were still sending: the answer may be lost (RFC 9112 9.6)
        return 413


def test_the_memory_of_the_hub_stays_bounded_under_a_hundred_at_once(deployment: Deployment) -> None:
    """Ten megabytes with and without a length, and bombs: it holds 32 bodies of its limit, and some air."""
    status = Path(f"/proc/{deployment.process}/status")
    Path(f"/proc/{deployment.process}/clear_refs").write_text("5")  # the peak is counted from here on
    before = _kilobytes(status, "VmRSS")
    bodies = [
        (_zeros_of_ten, None),
        (lambda: _pieces(_LARGE), None),
        (lambda: BOMB, "gzip"),
        (lambda: NESTED, "gzip"),
    ]
    with deployment.unchanged(), ThreadPoolExecutor(_AT_ONCE) as pool:
        for make, encoding in bodies:
            answers = list(
                pool.map(lambda _, m=make, e=encoding: _hurried(deployment, m(), e), range(_AT_ONCE))  # type: ignore[misc]
            )
            assert set(answers) <= {400, 408, 413, 503}
    grown = (_kilobytes(status, "VmHWM") - before) / 1024
    # Twice the limit: a growing buffer has a copy for a short time, and freed memory is not returned.
    limit = 2 * MAX_BODIES * deployment.hub.settings.max_body_bytes / _MEGABYTE
    assert grown < limit, f"grew by {grown:.1f} MB"


def _zeros_of_ten() -> bytes:
    return bytes(_LARGE)


def _kilobytes(status: Path, name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
    assert match, name
    return int(match[1])


def _raw(deployment: Deployment, *pieces: bytes, pause: float = 0.0, seconds: float = 20.0) -> bytes:
    """What comes back for bytes as they are; stops sending when the hub has answered or hung up."""
    where = urlsplit(deployment.url)
    got = b""
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=seconds) as line:
        for piece in pieces:
            try:
                line.sendall(piece)
            except OSError:
                break
            if pause:
                line.settimeout(pause)
                try:
                    got += line.recv(65_536)
                except TimeoutError:
                    continue
                except OSError:
                    return got
                if got:
                    break
        line.settimeout(seconds)
        try:
            while part := line.recv(65_536):
                got += part
        except OSError:
            pass
    return got


def _statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answers)]


def _head(deployment: Deployment, *more: str) -> bytes:
    lines = [
        "POST /v1/events HTTP/1.1",
        f"Host: {urlsplit(deployment.url).netloc}",
        f"Content-Type: {SET}",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_body_that_drips_is_cut_by_the_time_limit(deployment: Deployment) -> None:
    """A byte every tenth of a second: 408 when the time for all of it is over, and the line is closed."""
    began = time.monotonic()
    with deployment.unchanged():
        answer = _raw(deployment, _head(deployment, "Content-Length: 1000"), *[b"x"] * 600, pause=0.1)
    assert _statuses(answer) == [408]
    assert time.monotonic() - began > BODY_SECONDS
    assert b"connection: close" in answer.lower()


def test_a_head_that_drips_is_cut_too(deployment: Deployment) -> None:
    """The lines before the body have a time limit of their own, and no answer is owed for half a request."""
    head = _head(deployment, "X-Slow: " + "x" * 1000)
    with deployment.unchanged():
        answer = _raw(deployment, *(head[at : at + 1] for at in range(len(head))), pause=0.1)
    assert answer == b""


def test_a_silent_connection_is_closed(deployment: Deployment) -> None:
    """Also the second time, after an answer."""
    assert _raw(deployment) == b""
    asked = f"GET /healthz HTTP/1.1\r\nHost: {urlsplit(deployment.url).netloc}\r\n\r\n".encode()
    assert _statuses(_raw(deployment, asked)) == [200]


SMUGGLED: dict[str, tuple[str, ...]] = {
    "a length and chunks": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "chunks and a length": ("Transfer-Encoding: chunked", "Content-Length: 5"),
    "two lengths": ("Content-Length: 5", "Content-Length: 6"),
    "two lengths in one line": ("Content-Length: 5, 6",),
    "a length with a sign": ("Content-Length: +5",),
    "a length that is none": ("Content-Length: five",),
    "chunks under another name": ("Transfer-Encoding: xchunked",),
    "chunks and then something else": ("Transfer-Encoding: chunked, identity",),
    "chunks twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "chunks in HTTP/1.0": ("Transfer-Encoding: chunked", "Connection: keep-alive"),
    "a name with a blank behind it": ("Transfer-Encoding : chunked", "Content-Length: 5"),
}


@pytest.mark.parametrize("way", SMUGGLED)
def test_a_request_whose_end_is_doubtful_is_refused_and_its_line_closed(
    deployment: Deployment, way: str
) -> None:
    """What stands behind it is never read as a request of its own (RFC 9112 sections 6.1, 6.3 and 11.2)."""
    hidden = f"GET /healthz HTTP/1.1\r\nHost: {urlsplit(deployment.url).netloc}\r\n\r\n".encode()
    with deployment.unchanged():
        head = _head(deployment, *SMUGGLED[way])
        if "HTTP/1.0" in way:
            head = head.replace(b"HTTP/1.1", b"HTTP/1.0")
        answer = _raw(deployment, head + b"0\r\n\r\n" + hidden)
    statuses = _statuses(answer)
    assert len(statuses) == 1, answer
    assert 400 <= statuses[0] < 502
    assert b'"status":"ok"' not in answer


def test_a_head_that_is_too_long_is_refused(deployment: Deployment) -> None:
    """Headers have a limit, and there is no answer with a trace in it."""
    answer = _raw(deployment, _head(deployment, *(f"X-{number}: {'x' * 1000}" for number in range(200))))
    assert _statuses(answer) in ([400], [431], [])
    assert os.linesep.encode() + b"Traceback" not in answer
