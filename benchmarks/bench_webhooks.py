"""Webhooks of a shop a second, beside a bare ASGI application that verifies the same signature and no more.

Both are served by uvicorn in one process. Ours parses each order, compares it with what was sent, and has the
state and the signed signals on disk before it answers. The hub is away, so nothing is delivered meanwhile.
Requests come over open connections, as many as a platform has on a busy day; in turns, so that a busy second
falls on both.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from sesame_retail.webhooks.app import Receive, Scope, Send, Webhooks, has_valid_signature

from benchmarks.table import BenchmarkResult
from sesame_sdk import PartnerConfig
from tests.ports import free_port

SECRET = b"a secret of the benchmark"
WEBHOOKS, ROUNDS, CONNECTIONS = 4000, 4, 32


def rows(webhooks: int = WEBHOOKS) -> list[BenchmarkResult]:
    """One row."""
    with TemporaryDirectory() as folder:
        PartnerConfig.create(Path(folder) / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9")
        with _serving("ours", folder) as ours, _serving("bare", folder) as bare:
            numbers, seconds = count(1), {ours: 0.0, bare: 0.0}
            for _ in range(ROUNDS):
                requests = [_request(next(numbers)) for _ in range(webhooks // ROUNDS)]
                for port in (ours, bare):
                    seconds[port] += asyncio.run(_send_all(port, requests))
        name = "webhooks, signature checked, state and signals on disk"
        baseline = "a bare ASGI application that verifies the HMAC"
        rates = (webhooks / seconds[ours], webhooks / seconds[bare])
        return [BenchmarkResult(name, *rates, baseline, "webhooks/s", 0.3, "higher")]


def _request(number: int) -> bytes:
    """A paid order of its own, as Shopify sends it, with lines that are not read."""
    order = {
        "id": number,
        "customer": {"id": number % 997, "email": "john@example.com", "tags": ""},
        "created_at": "2026-05-01T10:00:00-05:00",
        "updated_at": "2026-05-01T10:00:01-05:00",
        "financial_status": "paid",
        "currency": "GBP",
        "total_price": f"{number % 300}.98",
        "line_items": [{"id": line, "title": "IPod Nano - 8GB", "price": "199.00"} for line in range(10)],
        "refunds": [],
    }
    body = json.dumps(order).encode()
    signature = base64.b64encode(hmac.digest(SECRET, body, hashlib.sha256)).decode()
    head = (
        "POST /shopify HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
        f"X-Shopify-Topic: orders/paid\r\nX-Shopify-Event-Id: {number}\r\n"
        f"X-Shopify-Hmac-Sha256: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _send_all(port: int, requests: Sequence[bytes]) -> float:
    """Seconds until all are answered."""
    waiting = iter(requests)
    began = time.perf_counter()
    await asyncio.gather(*(_send(port, waiting) for _ in range(CONNECTIONS)))
    return time.perf_counter() - began


async def _send(port: int, waiting: Iterator[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in waiting:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head, head
        assert b"content-length: 0" in head, head
    writer.close()


@contextmanager
def _serving(what: str, folder: str) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.bench_webhooks", what, folder, str(port)]
    process = subprocess.Popen(command)
    try:
        while process.poll() is None:
            with suppress(OSError):
                asyncio.run(_connect(port))
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


async def _connect(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def _bare(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", scope["type"] == "http"
    while more:
        event = await receive()
        body, more = body + event.get("body", b""), event.get("more_body", False)
    signature = dict(scope["headers"]).get(b"x-shopify-hmac-sha256", b"")
    status = 200 if has_valid_signature(body, signature, SECRET) else 401
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def _serve(what: str, folder: str, port: int) -> None:
    ours = what == "ours"
    application = Webhooks(Path(folder) / "shop", {"/shopify": SECRET}) if ours else _bare
    lifespan = "on" if ours else "off"
    uvicorn.run(application, port=port, log_level="critical", lifespan=lifespan)  # type: ignore[arg-type]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        for row in rows():
            print(f"{row.name}: {row.ours:,.0f} {row.unit}; {row.limit:,.0f}; ratio {row.ratio:.2f}")
