"""Shopify's webhooks: see https://shopify.dev/docs/api/webhooks.

Rules:
1. The body is signed with HMAC-SHA256 under the app's secret, in base64, ``X-Shopify-Hmac-Sha256``.
2. An order counts once it is paid. Each of its webhooks tells it whole; the latest ``updated_at`` holds.
3. A refund counts by its own number, told by itself or within its order.
4. Items, addresses and names are not looked at.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sesame_retail.webhooks.order_state import OrderUpdate
from sesame_retail.webhooks.payloads import (
    Rules,
    Unclear,
    amount,
    converted,
    mappings,
    moment,
    name,
    readable,
)
from sesame_sdk import Skipped

SIGNATURE, TOPIC, EVENT, TEST = (
    b"x-shopify-hmac-sha256",
    b"x-shopify-topic",
    b"x-shopify-event-id",
    b"x-shopify-test",
)
_ORDERS = {"orders/create", "orders/paid", "orders/updated", "orders/cancelled", "orders/fulfilled"}
_PAID = {"paid", "partially_refunded", "refunded"}


def news(topic: str, payload: Mapping[str, Any], rules: Rules) -> list[OrderUpdate | Skipped]:
    """What a webhook says. Pure.

    Args:
        topic: as in ``X-Shopify-Topic``.
        payload: its body.
        rules: the shop's own.
    """
    if topic in _ORDERS:
        return readable(_order(payload, rules))
    if topic == "refunds/create":
        return readable(_refunded(payload, rules))
    return [Skipped("topic that says nothing of an order")]


def _refunded(payload: Mapping[str, Any], rules: Rules) -> Iterator[OrderUpdate | Skipped]:
    yield from _refund(payload, f"shopify {name(payload, 'order_id')}", rules)


def _order(payload: Mapping[str, Any], rules: Rules) -> Iterator[OrderUpdate | Skipped]:
    number, customer = f"shopify {name(payload, 'id')}", payload.get("customer")
    if payload.get("test") is True:
        raise Unclear("test order")
    if not isinstance(customer, dict) or customer.get("id") is None:
        raise Unclear("no customer")
    if _is_staff(customer, rules):
        raise Unclear("staff order")
    if payload.get("financial_status") not in _PAID:
        raise Unclear("order that is not paid")
    stamp = int(moment(payload, "updated_at").timestamp())
    stated, unit = converted(max(amount(payload, "total_price"), 0), payload.get("currency"), rules)
    yield OrderUpdate(
        number,
        f"order {number} {stamp}",
        moment(payload, "created_at"),
        name(customer, "id"),
        places=True,
        stated=stated,
        stamp=stamp,
        currency=unit,
    )
    for refund in mappings(payload.get("refunds")):
        yield from _refund(refund, number, rules)
    if payload.get("cancelled_at"):
        yield OrderUpdate(
            number,
            f"{number} cancelled",
            moment(payload, "cancelled_at"),
            cancels=True,
            lines=0,
            currency=unit,
        )


def _is_staff(customer: Mapping[str, Any], rules: Rules) -> bool:
    tags = str(customer.get("tags") or "").lower().split(",")
    return bool(rules.staff & {str(customer["id"]), *(tag.strip() for tag in tags)})


def _refund(refund: Mapping[str, Any], order: str, rules: Rules) -> Iterator[OrderUpdate | Skipped]:
    number, back, units = name(refund, "id"), 0, set()
    for transaction in mappings(refund.get("transactions")):
        if transaction.get("kind") != "refund" or transaction.get("status") != "success":
            continue
        if transaction.get("test") is True:
            raise Unclear("test order")
        part, unit = converted(abs(amount(transaction, "amount")), transaction.get("currency"), rules)
        back += part
        units.add(unit)
    if len(units) > 1:
        raise Unclear("refund in several currencies")
    if not back:
        yield Skipped("refund of nothing", records=0)
        return
    yield OrderUpdate(
        order,
        f"shopify refund {number}",
        moment(refund, "created_at"),
        back=back,
        lines=0,
        currency=units.pop(),
    )
