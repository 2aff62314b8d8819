"""What was sent for an order is what the order is worth, whichever webhooks were repeated, lost or late."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st
from sesame_retail.model import Order
from sesame_retail.money import SCALE
from sesame_retail.provider import Orders
from sesame_retail.webhooks import shopify, woocommerce
from sesame_retail.webhooks.payloads import ShopRules
from sesame_retail.webhooks.reconciliation import (
    OrderReport,
    OrderState,
    Refund,
    RefundReport,
    apply_report,
    send_difference,
)

from sesame_sdk import Pseudonymizer, Signal

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
PSEUDONYMIZER = Pseudonymizer(bytes(32))
RULES = ShopRules()


def sum_sent(orders: Sequence[Order]) -> Decimal:
    """Spent less returned, in the signals of orders; no natural key is there twice."""
    made = [
        one for order in orders for one in Orders().signals(order, PSEUDONYMIZER) if isinstance(one, Signal)
    ]
    amounts = [one for one in made if ".spend" in one.kind or ".returned" in one.kind]
    assert len({one.id for one in amounts}) == len(amounts)
    return sum(
        (Decimal(str(one.value)) * (1 if ".spend" in one.kind else -1) for one in amounts), start=Decimal(0)
    )


def follow(platform: Any, webhooks: Sequence[tuple[str, dict[str, Any]]]) -> tuple[Decimal, OrderState]:
    """What was sent after some webhooks of one order, and its state."""
    state, sent = OrderState(), list[Order]()
    for topic, payload in webhooks:
        for report in platform.read_webhook(topic, payload, RULES):
            if isinstance(report, OrderReport | RefundReport):
                at = report.changed_at if isinstance(report, OrderReport) else report.at
                orders, state = send_difference(apply_report(state, report), at)
                sent += orders
    return sum_sent(sent), state


def shopify_order(minutes: int, **changed: Any) -> tuple[str, dict[str, Any]]:
    """An order of 100.00 GBP that the buyer paid in euros, as a webhook, some minutes after it was placed."""
    at = START + timedelta(minutes=minutes)
    order = {
        "id": "7",
        "customer": {"id": "1"},
        "created_at": START.isoformat(),
        "updated_at": at.isoformat(),
        "financial_status": "paid",
        "currency": "GBP",
        "total_price": "100.00",
        "total_price_set": {
            "shop_money": {"amount": "100.00", "currency_code": "GBP"},
            "presentment_money": {"amount": "116.00", "currency_code": "EUR"},
        },
        "refunds": [],
    }
    return "orders/updated", order | changed


def shopify_refund(amount: str, currency: str = "EUR", status: str = "success", number: str = "70") -> Any:
    """A refund within an order."""
    transaction = {"kind": "refund", "status": status, "amount": amount, "currency": currency}
    return {"id": number, "order_id": "7", "created_at": START.isoformat(), "transactions": [transaction]}


def woo_order(minutes: int, status: str, *, paid: bool = True, **changed: Any) -> tuple[str, dict[str, Any]]:
    """An order of 250.00 GBP."""
    at = START + timedelta(minutes=minutes)
    order = {
        "id": "8",
        "customer_id": "1",
        "status": status,
        "currency": "GBP",
        "total": "250.00",
        "date_created_gmt": "2026-05-01T12:00:00",
        "date_modified_gmt": f"{at:%Y-%m-%dT%H:%M:%S}",
        "date_paid_gmt": "2026-05-01T12:00:30" if paid else None,
        "refunds": [],
    }
    return "order.updated", order | changed


SHOPIFY = {
    "paid": ([shopify_order(0)], "100"),
    "not paid yet": ([shopify_order(0, financial_status="pending")], "0"),
    "authorized, then voided": (
        [shopify_order(0, financial_status="authorized"), shopify_order(1, financial_status="voided")],
        "0",
    ),
    "wholly refunded in the buyer's currency, three webhooks": (
        [
            shopify_order(0),
            ("refunds/create", shopify_refund("116.00")),
            shopify_order(1, financial_status="refunded", refunds=[shopify_refund("116.00")]),
        ],
        "0",
    ),
    "the refund alone": ([shopify_order(0), ("refunds/create", shopify_refund("116.00"))], "0"),
    "a part refunded in the buyer's currency": (
        [shopify_order(0), ("refunds/create", shopify_refund("29.00"))],
        "75",
    ),
    "a part refunded in the shop's currency": (
        [shopify_order(0), ("refunds/create", shopify_refund("30.00", "GBP"))],
        "70",
    ),
    "a refund in parts": (
        [
            shopify_order(0),
            ("refunds/create", shopify_refund("29.00")),
            ("refunds/create", shopify_refund("58.00", number="71")),
        ],
        "25",
    ),
    "a refund that is completed later": (
        [
            shopify_order(0),
            ("refunds/create", shopify_refund("58.00", status="pending")),
            shopify_order(2, financial_status="partially_refunded", refunds=[shopify_refund("58.00")]),
        ],
        "50",
    ),
    "a refund of which a further part is completed later": (
        [
            shopify_order(0),
            ("refunds/create", shopify_refund("29.00")),
            shopify_order(2, financial_status="partially_refunded", refunds=[shopify_refund("58.00")]),
        ],
        "50",
    ),
    "edited down": (
        [shopify_order(0), shopify_order(1, total_price="80.00", total_price_set=None)],
        "80",
    ),
    "edited up, and the rest is owed, then paid": (
        [
            shopify_order(0),
            shopify_order(
                1,
                total_price="130.00",
                total_price_set=None,
                financial_status="partially_paid",
                total_outstanding="30.00",
            ),
            shopify_order(2, total_price="130.00", total_price_set=None),
        ],
        "130",
    ),
    "edited up, and the rest is owed": (
        [
            shopify_order(0),
            shopify_order(
                1,
                total_price="130.00",
                total_price_set=None,
                financial_status="partially_paid",
                total_outstanding="30.00",
            ),
        ],
        "100",
    ),
    "edited down and up": (
        [
            shopify_order(0),
            shopify_order(1, total_price="80.00", total_price_set=None),
            shopify_order(2, total_price="90.00", total_price_set=None),
        ],
        "90",
    ),
    "cancelled": ([shopify_order(0), shopify_order(1, cancelled_at=START.isoformat())], "0"),
    "a charge-back makes it pending": ([shopify_order(0), shopify_order(1, financial_status="pending")], "0"),
    "the customer is redacted before the refund": (
        [shopify_order(0), shopify_order(1, customer=None, financial_status="refunded")],
        "0",
    ),
    "the customer turns out to be staff": (
        [shopify_order(0), shopify_order(1, customer={"id": "1", "tags": "Staff"})],
        "0",
    ),
    "two webhooks in one second": ([shopify_order(0), shopify_order(0, financial_status="pending")], "100"),
}
WOO = {
    "cash on delivery, not paid yet": ([woo_order(0, "processing", paid=False)], "0"),
    "cash on delivery, then cancelled": (
        [woo_order(0, "processing", paid=False), woo_order(1, "cancelled", paid=False)],
        "0",
    ),
    "cash on delivery, then paid": (
        [woo_order(0, "processing", paid=False), woo_order(1, "completed")],
        "250",
    ),
    "direct debit, paid, then failed": ([woo_order(0, "processing"), woo_order(1, "failed")], "0"),
    "on hold after a charge-back": ([woo_order(0, "completed"), woo_order(1, "on-hold")], "0"),
    "on hold, and won": (
        [woo_order(0, "completed"), woo_order(1, "on-hold"), woo_order(2, "completed")],
        "250",
    ),
    "refunded in part": (
        [woo_order(0, "processing"), woo_order(1, "processing", refunds=[{"id": "9", "total": "-30.00"}])],
        "220",
    ),
    "refunded": ([woo_order(0, "processing"), woo_order(1, "refunded")], "0"),
    "the customer is redacted": (
        [woo_order(0, "processing"), woo_order(1, "cancelled", customer_id="0")],
        "0",
    ),
}
EVERY = [
    pytest.param(platform, webhooks, Decimal(worth), id=f"{platform.__name__.rpartition('.')[2]}: {name}")
    for platform, cases in ((shopify, SHOPIFY), (woocommerce, WOO))
    for name, (webhooks, worth) in cases.items()
]


@pytest.mark.parametrize(("platform", "webhooks", "worth"), EVERY)
def test_what_was_sent_is_what_the_order_is_worth(
    platform: Any, webhooks: Sequence[tuple[str, dict[str, Any]]], worth: Decimal
) -> None:
    """In the order in which things happened, backwards, each twice, and if all but the last were lost."""
    in_turn, state = follow(platform, webhooks)
    assert in_turn == worth
    assert Decimal(state.worth) / SCALE == worth
    for other in (webhooks[::-1], [each for each in webhooks for _ in range(2)], [*webhooks, *webhooks]):
        assert follow(platform, other)[0] == worth


@pytest.mark.parametrize(
    ("platform", "webhooks"),
    [
        pytest.param(woocommerce, WOO["cash on delivery, then cancelled"][0], id="cash on delivery"),
        pytest.param(shopify, SHOPIFY["authorized, then voided"][0], id="voided"),
    ],
)
def test_nothing_is_sent_for_an_order_that_was_never_paid(
    platform: Any, webhooks: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    """Neither an order nor its return, in either order of its webhooks; it is kept back with a reason."""
    for each in (webhooks, webhooks[::-1]):
        _, state = follow(platform, each)
        assert (state.sent, state.kept_back) == (None, "order that is not paid")


def test_the_shares_of_a_refund_add_up() -> None:
    """Three refunds of a third in another currency leave at most a millionth each."""
    bases = {"GBP": 100 * SCALE, "EUR": 116 * SCALE + 1}
    report = OrderReport("a", "1", START, START, is_paid=True, counts=True, total=100 * SCALE, bases=bases)
    state = apply_report(OrderState(), report)
    for number in range(3):
        refund = Refund(str(number), 38_666_667, "EUR")
        state = apply_report(state, RefundReport("a", START, (refund,)))
    assert abs(state.worth) <= 3


@define
class Life:
    """An order as its shop sees it; each step is a webhook of the whole order."""

    total: int
    paid: bool = False
    ended: bool = False
    refunds: tuple[int, ...] = ()

    @property
    def worth(self) -> int:
        """What the shop keeps, in pence."""
        return 0 if self.ended or not self.paid else max(0, self.total - sum(self.refunds))

    def webhook(self, platform: Any, minutes: int) -> tuple[str, dict[str, Any]]:
        """The webhook after a step."""
        if platform is woocommerce:
            refunds: Any = [{"id": str(at), "total": f"-{pence(one)}"} for at, one in enumerate(self.refunds)]
            status = "failed" if self.ended else "processing" if self.paid else "on-hold"
            return woo_order(minutes, status, paid=self.paid, total=pence(self.total), refunds=refunds)
        refunds = [shopify_refund(pence(one), "GBP", number=str(at)) for at, one in enumerate(self.refunds)]
        status = ("voided", "refunded")[self.paid] if self.ended else ("pending", "paid")[self.paid]
        total = {"total_price": pence(self.total), "total_price_set": None}
        return shopify_order(minutes, financial_status=status, refunds=refunds, **total)


def pence(amount: int) -> str:
    """As a platform writes it."""
    return f"{amount // 100}.{amount % 100:02}"


STEPS = st.one_of(
    st.tuples(st.just("pay"), st.just(0)),
    st.tuples(st.just("refund"), st.integers(1, 5000)),
    st.tuples(st.just("edit"), st.integers(1, 20_000)),
    st.tuples(st.just("end"), st.just(0)),
    st.tuples(st.just("revive"), st.just(0)),
)


@given(
    platform=st.sampled_from([shopify, woocommerce]),
    total=st.integers(1, 20_000),
    steps=st.lists(STEPS, max_size=8),
    data=st.data(),
)
def test_shuffled_repeated_and_lost_webhooks_come_to_the_orders_worth(
    platform: Any, total: int, steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Of an order with any life: all that is needed is that its latest webhook arrives at some time."""
    life = Life(total)
    webhooks = [life.webhook(platform, 0)]
    for minutes, (name, amount) in enumerate(steps, start=1):
        life.paid |= name == "pay"
        life.total = amount if name == "edit" else life.total
        life.refunds += (amount,) if name == "refund" and life.paid else ()
        life.ended = name == "end" or (life.ended and name != "revive")
        webhooks.append(life.webhook(platform, minutes))
    kept = data.draw(st.lists(st.sampled_from(range(len(webhooks))), max_size=12))
    arrived = data.draw(st.permutations([*kept, len(webhooks) - 1]))
    sent, _ = follow(platform, [webhooks[at] for at in arrived])
    assert sent == Decimal(life.worth) / 100
