"""Reads Shopify's webhooks: see https://shopify.dev/docs/api/webhooks.

Rules:
1. The body is signed with HMAC-SHA256 under the app's secret, in base64, ``X-Shopify-Hmac-Sha256``.
2. An order counts once it is paid. Each webhook has the whole order; the latest ``updated_at`` wins.
3. A refund counts by its own number, alone or within its order.
4. Items, addresses and names are not read.
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

SIGNATURE, TOPIC, EVENT, TEST = (
    b"x-shopify-hmac-sha256",
    b"x-shopify-topic",
    b"x-shopify-event-id",
    b"x-shopify-test",
)
_ORDERS = {"orders/create", "orders/paid", "orders/updated", "orders/cancelled", "orders/fulfilled"}
_PAID = {"paid", "partially_refunded", "refunded"}


def read_webhook(topic: str, payload: Mapping[str, Any], rules: ShopRules) -> list[OrderUpdate | Skipped]:
    """The updates in a webhook with this topic; `UnreadablePayloadError` if it cannot be read."""
    if topic in _ORDERS:
        return list(_order(payload, rules))
    if topic == "refunds/create":
        return list(_refund(payload, f"shopify {read_name(payload, 'order_id')}", rules))
    return [Skipped("topic without orders")]


def _order(payload: Mapping[str, Any], rules: ShopRules) -> Iterator[OrderUpdate | Skipped]:
    number, customer = f"shopify {read_name(payload, 'id')}", payload.get("customer")
    if payload.get("test") is True:
        raise UnreadablePayloadError("test order")
    if not isinstance(customer, dict) or customer.get("id") is None:
        raise UnreadablePayloadError("no customer")
    if _is_staff(customer, rules):
        raise UnreadablePayloadError("staff order")
    if read_text(payload, "financial_status") not in _PAID:
        raise UnreadablePayloadError("order that is not paid")
    stamp = int(read_timestamp(payload, "updated_at").timestamp())
    stated, unit = convert_amount(max(read_amount(payload, "total_price"), 0), payload.get("currency"), rules)
    yield OrderUpdate(
        number,
        f"order {number} {stamp}",
        read_timestamp(payload, "created_at"),
        read_name(customer, "id"),
        is_order=True,
        stated=stated,
        updated_at=stamp,
        currency=unit,
    )
    for refund in read_objects(payload.get("refunds")):
        yield from _refund(refund, number, rules)
    if payload.get("cancelled_at"):
        yield OrderUpdate(
            number,
            f"{number} cancelled",
            read_timestamp(payload, "cancelled_at"),
            cancels=True,
            lines=0,
            currency=unit,
        )


def _is_staff(customer: Mapping[str, Any], rules: ShopRules) -> bool:
    tags = read_text(customer, "tags").lower().split(",")
    return bool(rules.staff & {read_name(customer, "id"), *(tag.strip() for tag in tags)})


def _refund(refund: Mapping[str, Any], order: str, rules: ShopRules) -> Iterator[OrderUpdate | Skipped]:
    number, returned, units = read_name(refund, "id"), 0, set()
    for transaction in read_objects(refund.get("transactions")):
        if transaction.get("kind") != "refund" or transaction.get("status") != "success":
            continue
        if transaction.get("test") is True:
            raise UnreadablePayloadError("test order")
        part, unit = convert_amount(
            abs(read_amount(transaction, "amount")), transaction.get("currency"), rules
        )
        returned += part
        units.add(unit)
    if len(units) > 1:
        raise UnreadablePayloadError("refund in several currencies")
    if not returned:
        yield Skipped("refund of nothing", records=0)
        return
    yield OrderUpdate(
        order,
        f"shopify refund {number}",
        read_timestamp(refund, "created_at"),
        returned=returned,
        lines=0,
        currency=units.pop(),
    )
