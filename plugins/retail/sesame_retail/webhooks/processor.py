"""Processes verified deliveries of webhooks in batches: reads, stores, and puts signals in the outbox.

A batch costs two commits however many deliveries are in it, one of the store and one of the outbox, so that a
shop on a busy day is not limited by its disk.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from sesame_retail.upload import OrderSignals
from sesame_retail.webhooks import shopify, woocommerce
from sesame_retail.webhooks.payloads import PrivacyRequest, Report, ShopRules, UnreadablePayloadError
from sesame_retail.webhooks.reconciliation import (
    OrderReport,
    OrderState,
    RefundReport,
    apply_report,
    send_difference,
)
from sesame_retail.webhooks.store import Batch, WebhookStore
from sesame_sdk import RetryableError, SignalUploader, Skipped

_log = logging.getLogger("sesame_retail.webhooks.processor")
Headers = Mapping[bytes, bytes]


@frozen
class Platform:
    """The headers of one platform, and the reader of its webhooks."""

    signature: bytes
    topic: bytes
    events: Sequence[bytes]
    read_webhook: Callable[[str, Mapping[str, Any], ShopRules], list[Report]]


PLATFORMS = {
    "/shopify": Platform(shopify.SIGNATURE, shopify.TOPIC, shopify.EVENTS, shopify.read_webhook),
    "/woocommerce": Platform(
        woocommerce.SIGNATURE, woocommerce.TOPIC, woocommerce.EVENTS, woocommerce.read_webhook
    ),
}


@frozen
class Delivery:
    """One webhook whose signature was verified."""

    platform: Platform
    headers: Headers
    body: bytes

    @property
    def topic(self) -> str:
        """What it is about."""
        return self.headers.get(self.platform.topic, b"").decode("latin-1")

    @property
    def keys(self) -> list[str]:
        """What identifies it: the ids of its event and of the delivery."""
        ids = [self.headers.get(name, b"").decode("latin-1")[:100] for name in self.platform.events]
        return [f"delivery {self.topic[:100]} {each}" for each in ids if each]


class WebhookProcessor:
    """Turns deliveries into signals in the outbox. One thread at a time may use it."""

    def __init__(
        self, store: WebhookStore, uploader: SignalUploader, signals: OrderSignals, rules: ShopRules
    ) -> None:
        self._store, self._uploader, self._signals, self._rules = store, uploader, signals, rules

    def process(self, deliveries: Iterable[Delivery]) -> list[Exception | None]:
        """Store deliveries, and put what they come to in the outbox; the error of each, if it has one.

        Raises:
            RetryableError: the outbox is full. What was stored goes there with the next batch.
            SesameError: the store or the outbox failed.
        """
        batch, skipped = Batch(), list[Skipped]()
        errors = [self._add(delivery, batch, skipped) for delivery in deliveries]
        self._store.save(batch, datetime.now(UTC))
        self.flush(skipped)
        return errors

    def flush(self, skipped: Iterable[Skipped] = ()) -> None:
        """Put what is stored and not sent yet in the outbox. Raises as `process` does."""
        orders, until = self._store.unsent_orders()
        if not self._uploader.store([*skipped, *self._signals.from_events(orders)]):
            raise RetryableError("the outbox is full", hint=self._uploader.pending_reason)
        self._store.record_sent(until)

    def _add(self, delivery: Delivery, batch: Batch, skipped: list[Skipped]) -> Exception | None:
        """Add what a delivery changes to a batch: all of it, or nothing if it fails."""
        keys = delivery.keys
        if any(key in batch.deliveries or self._store.has_delivery(key) for key in keys):
            return None
        own = Batch()
        try:
            kept_back = list(self._apply(_read(delivery, self._rules), batch, own))
        except Exception as error:  # noqa: BLE001 - the caller raises it for this delivery alone
            return error
        for one in kept_back:
            _log.info("kept back: %s", one.reason)
        batch.deliveries |= set(keys)
        batch.states |= own.states
        batch.orders += own.orders
        batch.requests += own.requests
        skipped += kept_back
        return None

    def _apply(self, reports: Iterable[Report], batch: Batch, own: Batch) -> Iterable[Skipped]:
        for report in reports:
            if isinstance(report, Skipped):
                yield report
            elif isinstance(report, PrivacyRequest):
                own.requests.append(report)
                _log.warning("%s: answer it, see: sesame retail webhooks requests", report.topic)
            else:
                yield from self._apply_report(report, batch, own)

    def _apply_report(
        self, report: OrderReport | RefundReport, batch: Batch, own: Batch
    ) -> Iterable[Skipped]:
        before = own.states.get(report.order) or batch.states.get(report.order)
        state = apply_report(before or self._store.load_state(report.order), report)
        at = report.changed_at if isinstance(report, OrderReport) else report.at
        orders, own.states[report.order] = send_difference(state, at)
        own.orders += orders
        if state.kept_back:
            yield Skipped(state.kept_back)
        yield from _refunds_kept_back(report, state)


def _refunds_kept_back(report: OrderReport | RefundReport, state: OrderState) -> Iterable[Skipped]:
    if state.latest is not None:
        bases = state.latest.bases
        for refund in report.refunds:
            if refund.currency not in bases:
                yield Skipped("refund in a currency that its order does not state", records=0)


def _read(delivery: Delivery, rules: ShopRules) -> list[Report]:
    if delivery.headers.get(shopify.TEST, b"").lower() == b"true":
        return [Skipped("test order")]
    try:
        payload = json.loads(delivery.body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return [Skipped("unreadable body")]
    if not isinstance(payload, dict):
        return [Skipped("unreadable body")]
    try:
        return delivery.platform.read_webhook(delivery.topic, payload, rules)
    except UnreadablePayloadError as fault:
        return [Skipped(str(fault))]
