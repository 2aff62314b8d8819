"""Receives webhooks of Shopify and WooCommerce, as an ASGI application: ``/shopify``, ``/woocommerce``.

Rules:
1. A body is not parsed before its signature is verified, in constant time.
2. A body has at most `MAX_BYTES`, arrives within `BODY_TIMEOUT` seconds, and is not compressed.
3. A webhook gets 200 once its signals are in the outbox. A repeated one changes nothing: deliveries, orders
   and refunds are identified by their ids.
4. A signed webhook without a usable order gets 200 too: a retry would not help. The reason is logged, never
   the body, a name or an amount.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import os
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from attrs import frozen

from sesame_retail.order_state import OrderUpdate
from sesame_retail.order_store import FILE_NAME, OrderStore
from sesame_retail.provider import Orders
from sesame_retail.upload import OrderSignals
from sesame_retail.webhooks import shopify, woocommerce
from sesame_retail.webhooks.payloads import ShopRules, UnreadablePayloadError
from sesame_sdk import (
    Client,
    ConfigurationError,
    PartnerConfig,
    RetryableError,
    SesameError,
    SignalUploader,
    Skipped,
)

MAX_BYTES = 2 << 20
BODY_TIMEOUT = 10.0
_is_trial = re.compile(rb"webhook_id=[0-9]{1,20}").fullmatch
_log = logging.getLogger("sesame_retail.webhooks.app")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]


@frozen
class Platform:
    """The headers of one platform, and the reader of its webhooks."""

    signature: bytes
    topic: bytes
    event: bytes
    read_webhook: Callable[[str, Mapping[str, Any], ShopRules], list[OrderUpdate | Skipped]]


PLATFORMS = {
    "/shopify": Platform(shopify.SIGNATURE, shopify.TOPIC, shopify.EVENT, shopify.read_webhook),
    "/woocommerce": Platform(
        woocommerce.SIGNATURE, woocommerce.TOPIC, woocommerce.EVENT, woocommerce.read_webhook
    ),
}


def has_valid_signature(body: bytes, signature: bytes, secret: bytes) -> bool:
    """Whether a body has its HMAC-SHA256 in base64; compared in constant time."""
    return hmac.compare_digest(base64.b64encode(hmac.digest(secret, body, hashlib.sha256)), signature)


class Webhooks:
    """The ASGI application; run it in one process.

    ``uvicorn --factory sesame_retail.webhooks.app:from_environment``

    Args:
        config_dir: the shop's directory.
        secrets: by path, ``/shopify`` and ``/woocommerce``; a path without one gets 404.
        rules: the shop's rules for its orders.
        body_timeout: seconds for a body to arrive.
    """

    def __init__(
        self,
        config_dir: Path,
        secrets: Mapping[str, bytes],
        *,
        rules: ShopRules | None = None,
        body_timeout: float = BODY_TIMEOUT,
    ) -> None:
        if not secrets or not all(secrets.values()) or not set(secrets) <= set(PLATFORMS):
            raise ConfigurationError(
                f"needs a secret for one or more of {', '.join(PLATFORMS)}", field="secrets"
            )
        shop = PartnerConfig.load(config_dir)
        self._secrets, self._rules, self._patience = dict(secrets), rules or ShopRules(), body_timeout
        self._client, self._store = Client.from_config(shop), OrderStore(shop.path / FILE_NAME)
        self._uploader = SignalUploader(self._client)
        self.summary = self._uploader.summary
        self._signals = OrderSignals(Orders(), shop.pseudonymizer, self.summary)
        self._lock = asyncio.Lock()
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

    async def _handle_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = (await receive())["type"]
            if event == "lifespan.shutdown":
                while self._delivery and not self._delivery.done():
                    self._client.interrupt()  # again, as it may only just have begun
                    await asyncio.wait({self._delivery}, timeout=0.1)
                if self._delivery:
                    await self._delivery  # raises its error
                self._client.close()
                self._store.close()
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return

    async def _handle_request(self, scope: Scope, receive: Receive) -> int:
        path = _path(scope)
        platform, secret = PLATFORMS.get(path), self._secrets.get(path)
        if platform is None or secret is None:
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
        if not has_valid_signature(body, headers.get(platform.signature, b""), secret):
            return 200 if path == "/woocommerce" and _is_trial(body) else 401
        async with self._lock:
            return await asyncio.shield(self._accept(platform, headers, body))

    async def _accept(self, platform: Platform, headers: Headers, body: bytes) -> int:
        try:
            await asyncio.to_thread(self._process, platform, headers, body)
        except SesameError as error:
            _log.warning("a webhook failed and will be retried: %s", type(error).__name__)
            return 503
        if self._delivery is None or self._delivery.done():
            self._delivery = asyncio.create_task(asyncio.to_thread(self._deliver))
        return 200

    def _process(self, platform: Platform, headers: Headers, body: bytes) -> None:
        topic = headers.get(platform.topic, b"").decode("latin-1")
        event = headers.get(platform.event, b"").decode("latin-1")[:100]
        delivery_key = f"delivery {topic[:100]} {event}" if event else ""
        if delivery_key and self._store.has_update(delivery_key):
            return
        items = self._read_updates(platform, topic, headers, body)
        skipped = [item for item in items if isinstance(item, Skipped)]
        for item in skipped:
            _log.info("skipped: %s", item.reason)
        changes = self._store.apply_updates(item for item in items if isinstance(item, OrderUpdate))
        changes.update_keys |= {delivery_key} - {""}
        if not self._uploader.store([*skipped, *self._signals.from_events(changes.orders)]):
            raise RetryableError("the outbox is full", hint=self._uploader.pending_reason)
        self._store.save(changes)

    def _read_updates(
        self, platform: Platform, topic: str, headers: Headers, body: bytes
    ) -> list[OrderUpdate | Skipped]:
        if headers.get(shopify.TEST, b"").lower() == b"true":
            return [Skipped("test order")]
        try:
            payload = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
        except (ValueError, RecursionError):
            return [Skipped("unreadable body")]
        if not isinstance(payload, dict):
            return [Skipped("unreadable body")]
        try:
            return platform.read_webhook(topic, payload, self._rules)
        except UnreadablePayloadError as fault:
            return [Skipped(str(fault))]

    def _deliver(self) -> None:
        self._uploader.deliver()
        if self._uploader.pending_reason:
            _log.warning("signals are pending in the outbox: the last delivery failed")


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


def from_environment() -> Webhooks:
    """The application, by ``SESAME_CONFIG``, ``SESAME_SHOPIFY_SECRET`` and ``SESAME_WOOCOMMERCE_SECRET``."""
    secrets = {path: os.environ.get(f"SESAME_{path[1:].upper()}_SECRET", "").encode() for path in PLATFORMS}
    config_dir = os.environ.get("SESAME_CONFIG")
    if not config_dir:
        raise ConfigurationError("is not set", field="SESAME_CONFIG", hint="set it to the shop's directory")
    return Webhooks(Path(config_dir), {path: secret for path, secret in secrets.items() if secret})
