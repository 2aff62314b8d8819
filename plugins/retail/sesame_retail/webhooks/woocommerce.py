"""Reads WooCommerce's webhooks: see https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/.

Rules:
1. The body is signed with HMAC-SHA256 under the webhook's secret, in base64, ``X-WC-Webhook-Signature``.
2. An order is paid if it has a ``date_paid_gmt``: with cash on delivery it is "processing" before. Each
   webhook has the whole order; the latest date of change stands.
3. An order that is neither processing nor completed is worth nothing: refunded, cancelled, failed, on hold
   after a charge-back.
4. A refund counts by its own number, within its order.
5. The test request ``webhook_id=1`` is not signed, and has no order.
"""

from collections.abc import Mapping
from typing import Any

from sesame_retail.webhooks.payloads import (
    Report,
    ShopRules,
    convert_amount,
    read_amount,
    read_name,
    read_objects,
    read_text,
    read_timestamp,
)
from sesame_retail.webhooks.reconciliation import OrderReport, Refund
from sesame_sdk import Skipped

SIGNATURE, TOPIC = b"x-wc-webhook-signature", b"x-wc-webhook-topic"
EVENTS = (b"x-wc-webhook-delivery-id",)
_TOPICS = {"order.created", "order.updated", "order.restored"}
_COUNTED = {"processing", "completed"}


def read_webhook(topic: str, payload: Mapping[str, Any], rules: ShopRules) -> list[Report]:
    """The reports in a webhook with this topic; `UnreadablePayloadError` if it cannot be read."""
    return [_order(payload, rules)] if topic in _TOPICS else [Skipped("topic without orders")]


def _order(payload: Mapping[str, Any], rules: ShopRules) -> OrderReport:
    customer, code = read_name(payload, "customer_id"), read_text(payload, "currency")
    stated = max(read_amount(payload, "total"), 0)
    total, unit = convert_amount(stated, code, rules)
    is_paid = bool(read_text(payload, "date_paid_gmt"))
    return OrderReport(
        order=f"woocommerce {read_name(payload, 'id')}",
        customer=None if customer == "0" else customer,  # 0 is a guest
        placed_at=read_timestamp(payload, "date_created_gmt"),
        changed_at=read_timestamp(payload, "date_modified_gmt"),
        is_paid=is_paid,
        counts=is_paid and read_text(payload, "status") in _COUNTED,
        total=total,
        currency=unit,
        bases={code: stated},
        refunds=tuple(_refunds(payload, code)),
        excluded="staff order" if customer in rules.staff else "",
    )


def _refunds(payload: Mapping[str, Any], code: str) -> list[Refund]:
    return [
        Refund(f"woocommerce refund {read_name(refund, 'id')}", abs(read_amount(refund, "total")), code)
        for refund in read_objects(payload.get("refunds"))
    ]
