"""Receives webhooks of Shopify and WooCommerce, as an ASGI application: ``/shopify``, ``/woocommerce``.

Rules:
1. A body is not parsed before its signature is verified, in constant time, by one of the secrets.
2. A body has at most `MAX_BYTES`, arrives within `BODY_TIMEOUT` seconds, and is not compressed.
3. A webhook gets 200 once its signals are in the outbox. A repeated one changes nothing.
4. A signed webhook without a usable order gets 200 too: a retry would not help. The reason is logged and
   counted in `Webhooks.summary`, never the body, a name or an amount.
5. A refused signature is counted in `Webhooks.refused`, and logged at most once in `LOG_SECONDS`.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from sesame_retail.provider import Orders
from sesame_retail.upload import OrderSignals
from sesame_retail.webhooks.payloads import ShopRules
from sesame_retail.webhooks.processor import PLATFORMS, Delivery, Headers, WebhookProcessor
from sesame_retail.webhooks.store import FILE_NAME, WebhookStore
from sesame_sdk import Client, ConfigurationError, PartnerConfig, SesameError, SignalUploader

MAX_BYTES = 2 << 20
BODY_TIMEOUT = 10.0
#: Seconds between two log lines on refused signatures.
LOG_SECONDS = 60.0
#: Webhooks that are stored together.
MAX_BATCH = 200
_is_trial = re.compile(rb"webhook_id=[0-9]{1,20}").fullmatch
_log = logging.getLogger("sesame_retail.webhooks.app")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
#: One secret, or several while the platform changes from one to the other.
Secrets = bytes | str | Iterable[bytes | str]


def has_valid_signature(body: bytes, signature: bytes, secret: bytes) -> bool:
    """Whether a body has its HMAC-SHA256 in base64; compared in constant time."""
    return hmac.compare_digest(base64.b64encode(hmac.digest(secret, body, hashlib.sha256)), signature)


@define
class _Waiting:
    """Deliveries that wait for the next batch, each with the future of its status."""

    deliveries: list[tuple[Delivery, "asyncio.Future[int]"]] = field(factory=list)

    def take(self) -> list[tuple[Delivery, "asyncio.Future[int]"]]:
        """The next batch."""
        batch, self.deliveries = self.deliveries[:MAX_BATCH], self.deliveries[MAX_BATCH:]
        return batch


class Webhooks:
    """The ASGI application; run it in one process.

    ``uvicorn --factory sesame_retail.webhooks.app:from_environment``

    Args:
        config_dir: the shop's directory.
        secrets: by path, ``/shopify`` and ``/woocommerce``, one or several; white space around a secret is
            not part of it. A path without one gets 404.
        rules: the shop's rules for its orders.
        body_timeout: seconds for a body to arrive.

    Attributes:
        summary: what was made of webhooks, and what was kept back, by reason.
        refused: signatures that were refused, by path.
    """

    def __init__(
        self,
        config_dir: Path,
        secrets: Mapping[str, Secrets],
        *,
        rules: ShopRules | None = None,
        body_timeout: float = BODY_TIMEOUT,
    ) -> None:
        self._secrets, self._patience = _check_secrets(secrets), body_timeout
        shop = PartnerConfig.load(config_dir)
        self._client, self._store = Client.from_config(shop), WebhookStore(shop.path / FILE_NAME)
        self._uploader = SignalUploader(self._client)
        self.summary = self._uploader.summary
        self.refused = Counter[str]()
        signals = OrderSignals(Orders(), shop.pseudonymizer, self.summary)
        self._processor = WebhookProcessor(self._store, self._uploader, signals, rules or ShopRules())
        self._waiting, self._log_refusal_at = _Waiting(), 0.0
        self._working: asyncio.Task[None] | None = None
        self._delivery: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the start and stop of the server."""
        if scope["type"] == "lifespan":
            await self._handle_lifespan(receive, send)
        elif scope["type"] == "http":
            status = await self._handle_request(scope, receive)
            headers = [(b"content-length", b"0")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[None]:
        """Close at the end, for a framework that does not tell mounted applications about its own end."""
        try:
            yield
        finally:
            await self.close()

    def beside(self, other: AsgiApp, path: str = "/hooks") -> AsgiApp:
        """An application that serves webhooks below a path, and all else by `other`, such as Django's."""
        prefix = path.rstrip("/")

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await self(scope, receive, send)
            elif scope["type"] == "http" and str(scope["path"]).startswith(f"{prefix}/"):
                await self({**scope, "root_path": f"{scope.get('root_path', '')}{prefix}"}, receive, send)
            else:
                await other(scope, receive, send)

        return serve

    async def close(self) -> None:
        """Finish what is being stored, interrupt the delivery of signals, and close the files."""
        if self._working:
            await asyncio.wait({self._working})
        while self._delivery and not self._delivery.done():
            self._client.interrupt()  # again, as it may only just have begun
            await asyncio.wait({self._delivery}, timeout=0.1)
        for reason, total in sorted(self.summary.skipped.items()):
            _log.info("kept back since the start: %d, %s", total.items, reason)
        self._client.close()
        self._store.close()
        if self._delivery:
            await self._delivery  # raises its error

    async def _handle_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = (await receive())["type"]
            if event == "lifespan.shutdown":
                await self.close()
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return

    async def _handle_request(self, scope: Scope, receive: Receive) -> int:
        path = _path(scope)
        platform, secrets = PLATFORMS.get(path), self._secrets.get(path)
        if platform is None or secrets is None:
            return 404
        if scope["method"] != "POST":
            return 405
        headers = dict(scope["headers"])
        if headers.get(b"content-encoding", b"identity") != b"identity":
            return 415
        try:
            async with asyncio.timeout(self._patience):
                body = await _body(headers, receive)
        except TimeoutError:
            return 408
        if body is None:
            return 413
        signature = headers.get(platform.signature, b"")
        matches = [has_valid_signature(body, signature, secret) for secret in secrets]
        if not any(matches):
            if path == "/woocommerce" and _is_trial(body):
                return 200
            self._refuse(path, signature)
            return 401
        return await self._accept(Delivery(platform, headers, body))

    def _refuse(self, path: str, signature: bytes) -> None:
        self.refused[path] += 1
        if time.monotonic() >= self._log_refusal_at:
            self._log_refusal_at = time.monotonic() + LOG_SECONDS
            reason = "it is not of this secret" if signature else "there is none"
            _log.warning("refused a signature at %s: %s (%d so far)", path, reason, self.refused[path])

    async def _accept(self, delivery: Delivery) -> int:
        """Wait until a delivery is stored. If the request is cancelled meanwhile, it is stored too."""
        status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.deliveries.append((delivery, status))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await status

    async def _work(self) -> None:
        while batch := self._waiting.take():
            statuses: list[int | Exception]
            try:
                errors = await asyncio.to_thread(self._processor.process, [one for one, _ in batch])
                statuses = [error or 200 for error in errors]
            except SesameError as error:
                _log.warning("webhooks failed and will be retried: %s", type(error).__name__)
                statuses = [503] * len(batch)
            except Exception as error:  # noqa: BLE001 - each request raises it
                statuses = [error] * len(batch)
            for (_, future), status in zip(batch, statuses, strict=True):
                _resolve(future, status)
            if self._delivery is None or self._delivery.done():
                self._delivery = asyncio.create_task(asyncio.to_thread(self._deliver))

    def _deliver(self) -> None:
        self._uploader.deliver()
        if self._uploader.pending_reason:
            _log.warning("signals are pending in the outbox: the last delivery failed")


def _resolve(future: "asyncio.Future[int]", status: int | Exception) -> None:
    if future.done():  # its request was cancelled
        return
    if isinstance(status, Exception):
        future.set_exception(status)
    else:
        future.set_result(status)


def _check_secrets(secrets: Mapping[str, Secrets]) -> dict[str, list[bytes]]:
    """The secrets of each path without white space around them. `ConfigurationError`: one is missing."""
    checked = {}
    for path, given in secrets.items():
        each = [given] if isinstance(given, bytes | str) else list(given)
        checked[path] = [one.encode().strip() if isinstance(one, str) else one.strip() for one in each]
    if (
        not checked
        or not set(checked) <= set(PLATFORMS)
        or not all(ok and all(ok) for ok in checked.values())
    ):
        raise ConfigurationError(f"needs a secret for one or more of {', '.join(PLATFORMS)}", field="secrets")
    return checked


def _path(scope: Scope) -> str:
    """The path below the one where this application is mounted.

    By ASGI the path contains `root_path`, but servers and frameworks differ: it may be left out, or be there
    twice, when a proxy does not strip what ``--root-path`` adds.
    """
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    while root and path.startswith(f"{root}/"):
        path = path[len(root) :]
    return path


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """The whole body; None if it is too long."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length[:12]) > MAX_BYTES:
        return None
    parts, size = [], 0
    while True:
        event = await receive()
        part = event.get("body", b"")
        size += len(part)
        if size > MAX_BYTES:
            return None
        parts.append(part)
        if not event.get("more_body"):
            return b"".join(parts)


def secret_variable(path: str) -> str:
    """The name of the environment variable with the secrets of a path."""
    return f"SESAME_{path[1:].upper()}_SECRET"


def secrets_from_environment() -> dict[str, list[str]]:
    """The secrets of each path that has any, separated by white space in their variable."""
    found = {path: os.environ.get(secret_variable(path), "").split() for path in PLATFORMS}
    return {path: secrets for path, secrets in found.items() if secrets}


def from_environment() -> Webhooks:
    """The application, by ``SESAME_CONFIG``, ``SESAME_SHOPIFY_SECRET`` and ``SESAME_WOOCOMMERCE_SECRET``."""
    config_dir = os.environ.get("SESAME_CONFIG")
    if not config_dir:
        raise ConfigurationError("is not set", field="SESAME_CONFIG", hint="set it to the shop's directory")
    return Webhooks(Path(config_dir), secrets_from_environment())
