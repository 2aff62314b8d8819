"""Reads WooCommerce's webhooks: see https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/.

Rules:
1. The body is signed with HMAC-SHA256 under the webhook's secret, in base64, ``X-WC-Webhook-Signature``.
2. An order counts once it is paid. Each webhook has the whole order; the latest date of change wins.
3. A refund counts by its own number, within its order.
4. The test request ``webhook_id=1`` is not signed, and has no order.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sesame_retail.order_state import OrderUpdate
from sesame_retail.webhooks.payloads import (
    ShopRules,
    UnreadablePayloadError,
    convert_amount,
    read_amount,
    read_name,
    read_objects,
    read_text,
    read_timestamp,
)
from sesame_sdk import Skipped

SIGNATURE, TOPIC, EVENT = b"x-wc-webhook-signature", b"x-wc-webhook-topic", b"x-wc-webhook-delivery-id"
_TOPICS = {"order.created", "order.updated", "order.restored"}
_PAID = {"processing", "completed", "refunded"}


def read_webhook(topic: str, payload: Mapping[str, Any], rules: ShopRules) -> list[OrderUpdate | Skipped]:
    """The updates in a webhook with this topic; `UnreadablePayloadError` if it cannot be read."""
    if topic not in _TOPICS:
        return [Skipped("topic without orders")]
    return list(_order(payload, rules))


def _order(payload: Mapping[str, Any], rules: ShopRules) -> Iterator[OrderUpdate | Skipped]:
    number, customer = f"woocommerce {read_name(payload, 'id')}", read_name(payload, "customer_id")
    if customer == "0":  # a guest
        raise UnreadablePayloadError("no customer")
    if customer in rules.staff:
        raise UnreadablePayloadError("staff order")
    status = read_text(payload, "status")
    cancelled = status == "cancelled"
    if status not in _PAID and not (cancelled and payload.get("date_paid_gmt")):
        raise UnreadablePayloadError("order that is not paid")
    stamp = int(read_timestamp(payload, "date_modified_gmt").timestamp())
    currency = payload.get("currency")
    stated, unit = convert_amount(max(read_amount(payload, "total"), 0), currency, rules)
    yield OrderUpdate(
        number,
        f"order {number} {stamp}",
        read_timestamp(payload, "date_created_gmt"),
        customer,
        is_order=True,
        stated=stated,
        updated_at=stamp,
        currency=unit,
    )
    changed = read_timestamp(payload, "date_modified_gmt")
    for refund in read_objects(payload.get("refunds")):
        returned, _ = convert_amount(abs(read_amount(refund, "total")), currency, rules)
        key = f"woocommerce refund {read_name(refund, 'id')}"
        yield OrderUpdate(number, key, changed, returned=returned, lines=0, currency=unit)
    if cancelled:
        yield OrderUpdate(number, f"{number} cancelled", changed, cancels=True, lines=0, currency=unit)
