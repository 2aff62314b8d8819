"""The real file of a real shop, to the penny: what would be sent plus what is skipped is all of it."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sesame_retail import Order, Orders, kinds

from sesame_sdk import Pseudonymizer, Signal, Skipped


@pytest.fixture(scope="module")
def orders(online_retail: Path) -> list[Order | Skipped]:
    """Everything in the file."""
    return list(Orders().read(online_retail / "online_retail.csv.gz"))


def outcomes(
    orders: list[Order | Skipped], pseudonymizer: Pseudonymizer
) -> Iterator[tuple[Order, Signal | Skipped]]:
    """What becomes of each order."""
    provider = Orders()
    for order in orders:
        assert isinstance(order, Order), "every line of this file can be read"
        for one in provider.signals(order, pseudonymizer):
            yield order, one


def test_the_file_reconciles_with_its_facts(
    online_retail: Path, orders: list[Order | Skipped], pseudonymizer: Pseudonymizer
) -> None:
    """Lines, invoices, cancellations, customers and revenue; each line is accounted for once."""
    facts = json.loads((online_retail / "facts.json").read_text(), parse_float=Decimal)
    lines: Counter[str] = Counter()
    invoices: Counter[str] = Counter()
    worth: Counter[str] = Counter()
    subjects, kept_back = set(), Counter()
    for order, one in outcomes(orders, pseudonymizer):
        if isinstance(one, Skipped):
            kept_back[one.reason] += one.records
            worth["skipped"] += one.amount
            invoices["skipped"] += one.records > 0
            continue
        subjects.add(one.subject)
        if one.kind in (kinds.COMPLETED.name, kinds.RETURNED.name):
            lines[one.kind] += order.lines
            invoices[one.kind] += 1
        if one.kind in (kinds.SPEND.name, kinds.RETURNED.name):
            worth[one.kind] += Decimal(repr(one.value))
    cancelled = [order for order in orders if order.cancelled]
    assert lines.total() + kept_back.total() == facts["rows"]
    assert kept_back["no customer"] == facts["missing_customer"]
    assert invoices.total() == len(orders) == facts["invoices"]
    assert (len(cancelled), sum(order.lines for order in cancelled)) == (
        facts["cancel_invoices"],
        facts["cancel_rows"],
    )
    assert len(subjects) == facts["customers"]
    revenue = worth[kinds.SPEND.name] - worth[kinds.RETURNED.name] + worth["skipped"]
    assert revenue == sum(order.total for order in orders)
    assert revenue.quantize(Decimal("0.01")) == facts["net_revenue"]


def test_ids_are_one_to_an_order_and_one_to_a_customer_and_month(
    orders: list[Order | Skipped], pseudonymizer: Pseudonymizer
) -> None:
    """Nothing is counted twice, and nothing hides behind another's id."""
    ids = Counter((one.kind, one.id) for _, one in outcomes(orders, pseudonymizer) if isinstance(one, Signal))
    twice = {kind for (kind, _), times in ids.items() if times > 1}
    months = {(order.customer, order.placed_at.strftime("%Y-%m")) for order in orders if _counts(order)}
    assert twice == {kinds.TENURE.name}
    assert sum(kind == kinds.TENURE.name for kind, _ in ids) == len(months)


def _counts(order: Order | Skipped) -> bool:
    return isinstance(order, Order) and order.customer is not None and not order.cancelled
