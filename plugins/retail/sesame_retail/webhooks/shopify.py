"""Reads Shopify's webhooks: see https://shopify.dev/docs/api/webhooks.

Rules:
1. The body is signed with HMAC-SHA256 under the app's secret, in base64, ``X-Shopify-Hmac-Sha256``.
2. An order counts once it is paid. Each webhook has the whole order; the latest ``updated_at`` stands.
3. The amount of an order is ``total_price_set.shop_money``, in the shop's currency. A refund is what its
   completed transactions paid back, in the shop's currency or in the buyer's: then the share of the order.
4. ``current_total_price`` is not read: it falls as soon as an item is removed, before money goes back.
5. Items, addresses and names are not read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sesame_retail.webhooks.payloads import (
    PrivacyRequest,
    Report,
    ShopRules,
    UnreadablePayloadError,
    convert_amount,
    read_amount,
    read_name,
    read_object,
    read_objects,
    read_text,
    read_timestamp,
)
from sesame_retail.webhooks.reconciliation import OrderReport, Refund, RefundReport
from sesame_sdk import Skipped

SIGNATURE, TOPIC, TEST = b"x-shopify-hmac-sha256", b"x-shopify-topic", b"x-shopify-test"
#: Headers that identify an event, and a delivery of it.
EVENTS = (b"x-shopify-event-id", b"x-shopify-webhook-id")
#: Without an answer to these, Shopify rejects an app of its store.
PRIVACY_TOPICS = {"customers/data_request", "customers/redact", "shop/redact"}
_ORDERS = {
    *("orders/create", "orders/paid", "orders/updated", "orders/edited", "orders/cancelled"),
    *("orders/fulfilled", "orders/partially_fulfilled"),
}
_PAID = {"paid", "partially_refunded", "refunded"}


def read_webhook(topic: str, payload: Mapping[str, Any], rules: ShopRules) -> list[Report]:
    """The reports in a webhook with this topic; `UnreadablePayloadError` if it cannot be read."""
    if topic in PRIVACY_TOPICS:
        return [_privacy_request(topic, payload)]
    if topic == "orders/edited" and "order_edit" in payload:
        return [Skipped("edit without its order")]  # orders/updated has the order
    if topic in _ORDERS:
        return list(_order(payload, rules))
    if topic == "refunds/create":
        refund, skipped = _refund(payload)
        order, at = f"shopify {read_name(payload, 'order_id')}", read_timestamp(payload, "created_at")
        return [RefundReport(order, at, (refund,)) if refund else skipped]
    return [Skipped("topic without orders")]


def _order(payload: Mapping[str, Any], rules: ShopRules) -> Iterator[Report]:
    customer, refunds = read_object(payload, "customer"), []
    for each in read_objects(payload.get("refunds")):
        refund, skipped = _refund(each)
        if refund:
            refunds.append(refund)
        else:
            yield skipped
    status, cancelled = read_text(payload, "financial_status"), bool(payload.get("cancelled_at"))
    stated, code, bases = _total(payload)
    total, unit = convert_amount(stated, code, rules)
    yield OrderReport(
        order=f"shopify {read_name(payload, 'id')}",
        customer=None if customer.get("id") is None else read_name(customer, "id"),
        placed_at=read_timestamp(payload, "created_at"),
        changed_at=read_timestamp(payload, "updated_at"),
        is_paid=status in _PAID,
        counts=status in {"paid", "partially_refunded", "partially_paid"} and not cancelled,
        total=total,
        currency=unit,
        owed=_owed(payload, status, stated, total),
        bases=bases,
        refunds=tuple(refunds),
        excluded=_exclusion(payload, customer, rules),
    )


def _total(payload: Mapping[str, Any]) -> tuple[int, str, dict[str, int]]:
    """The amount, its currency, and the amount in each currency that the order states."""
    amounts = read_object(payload, "total_price_set")
    shop, presented = read_object(amounts, "shop_money"), read_object(amounts, "presentment_money")
    code = read_text(shop, "currency_code") or read_text(payload, "currency")
    stated = read_amount(shop, "amount") if shop else read_amount(payload, "total_price")
    bases = {}
    if presented:
        bases[read_text(presented, "currency_code")] = max(read_amount(presented, "amount"), 0)
    return max(stated, 0), code, bases | {code: max(stated, 0)}


def _owed(payload: Mapping[str, Any], status: str, stated: int, total: int) -> int:
    """The part that is not paid; all of it if that is not stated."""
    if status != "partially_paid":
        return 0
    if not stated or payload.get("total_outstanding") is None:
        return total
    return total * min(max(read_amount(payload, "total_outstanding"), 0), stated) // stated


def _exclusion(payload: Mapping[str, Any], customer: Mapping[str, Any], rules: ShopRules) -> str:
    if payload.get("test") is True:
        return "test order"
    tags = read_text(customer, "tags").lower().split(",")
    number = "" if customer.get("id") is None else read_name(customer, "id")
    return "staff order" if rules.staff & {number, *(tag.strip() for tag in tags)} else ""


def _refund(refund: Mapping[str, Any]) -> tuple[Refund | None, Skipped]:
    """What a refund paid back so far, or why it is nothing."""
    amounts: dict[str, int] = {}
    for transaction in read_objects(refund.get("transactions")):
        if transaction.get("kind") != "refund" or transaction.get("status") != "success":
            continue
        if transaction.get("test") is True:
            return None, Skipped("test order", records=0)
        shop = read_object(read_object(transaction, "amount_set"), "shop_money")
        part = abs(read_amount(shop or transaction, "amount"))
        code = read_text(shop, "currency_code") or read_text(transaction, "currency")
        amounts[code] = amounts.get(code, 0) + part
    if len(amounts) > 1:
        raise UnreadablePayloadError("refund in several currencies")
    for code, amount in amounts.items():
        if amount:
            return Refund(f"shopify refund {read_name(refund, 'id')}", amount, code), Skipped("")
    return None, Skipped("refund of nothing", records=0)


def _privacy_request(topic: str, payload: Mapping[str, Any]) -> PrivacyRequest:
    customer = read_object(payload, "customer")
    named = "orders_requested" if topic == "customers/data_request" else "orders_to_redact"
    orders = payload.get(named) or []
    if not isinstance(orders, list) or not all(isinstance(order, str) for order in orders):
        raise UnreadablePayloadError(f"unreadable {named}")
    number = None if customer.get("id") is None else read_name(customer, "id")
    return PrivacyRequest(
        topic, number, tuple(f"shopify {read_name({'id': order}, 'id')}" for order in orders)
    )
