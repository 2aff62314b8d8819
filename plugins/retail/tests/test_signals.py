"""What one order says of its customer, and what it keeps to itself."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from sesame_retail import Order, Orders, kinds

from sesame_sdk import Pseudonymizer, Signal, Skipped

PLACED = datetime(2011, 3, 31, 23, 59, tzinfo=UTC)
ORDER = Order("536365", "17850", PLACED, 3, Decimal("139.12"), cancelled=False)
amounts = st.decimals(min_value="-99999999.9999", max_value="99999999.9999", places=4)
placed = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def outcomes(order: Order, pseudonymizer: Pseudonymizer) -> list[Signal | Skipped]:
    """Everything that becomes of an order."""
    return list(Orders().signals(order, pseudonymizer))


def test_a_completed_order_says_that_it_was_kept_what_it_was_worth_and_in_which_month(
    pseudonymizer: Pseudonymizer,
) -> None:
    """Three signals about one pseudonym, each in its own unit."""
    done, spend, tenure = outcomes(ORDER, pseudonymizer)
    assert [(one.kind, one.value, one.occurred_at) for one in (done, spend, tenure)] == [
        ("retail.order.completed", 1.0, PLACED),
        ("retail.order.spend", 139.12, PLACED),
        ("retail.customer.tenure", 1.0, datetime(2011, 3, 1, tzinfo=UTC)),
    ]
    assert {one.subject for one in (done, spend, tenure)} == {pseudonymizer.pseudonym("17850")}


def test_a_month_counts_once_whatever_was_ordered_in_it(pseudonymizer: Pseudonymizer) -> None:
    """Tenure of two orders in a month has one id; of another month or customer, another."""

    def tenure(**changed: object) -> str:
        return outcomes(evolve(ORDER, **changed), pseudonymizer)[-1].id

    assert tenure() == tenure(number="2", placed_at=PLACED.replace(day=1))
    assert len({tenure(), tenure(placed_at=PLACED.replace(month=5)), tenure(customer="2")}) == 3


def test_a_cancellation_says_what_was_returned_and_nothing_else(pseudonymizer: Pseudonymizer) -> None:
    """One signal, with a positive amount."""
    back = evolve(ORDER, number="C1", total=Decimal("-27.50"), cancelled=True)
    (returned,) = outcomes(back, pseudonymizer)
    assert (returned.kind, returned.value) == ("retail.order.returned", 27.5)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"customer": None}, "no customer"),
        ({"customer": None, "cancelled": True, "total": Decimal(-5)}, "no customer"),
        ({"cancelled": True}, "cancellation that returns nothing"),
        ({"cancelled": True, "total": Decimal(0)}, "cancellation that returns nothing"),
        ({"total": Decimal(-5)}, "order below zero"),
    ],
    ids=[
        "no customer",
        "a cancellation without a customer",
        "a positive cancellation",
        "a cancellation of exactly nothing",
        "a negative order",
    ],
)
def test_what_is_not_a_customers_own_order_stays_in_the_shop(
    changed: dict[str, object], reason: str, pseudonymizer: Pseudonymizer
) -> None:
    """All lines and the whole amount are skipped, and no signal is made."""
    order = evolve(ORDER, **changed)
    assert outcomes(order, pseudonymizer) == [Skipped(reason, order.lines, order.total)]


def test_an_order_at_no_price_has_no_spend_and_says_so(pseudonymizer: Pseudonymizer) -> None:
    """It was completed all the same; its lines are not counted twice."""
    done, kept, tenure = outcomes(evolve(ORDER, total=Decimal(0)), pseudonymizer)
    assert kept == Skipped("no spend on an order at no price", records=0)
    assert (done.kind, tenure.kind) == (kinds.COMPLETED.name, kinds.TENURE.name)


@given(amounts, placed, st.booleans(), st.sampled_from(["17850", None]))
def test_no_line_and_no_penny_is_lost(
    pseudonymizer: Pseudonymizer, total: Decimal, at: datetime, cancelled: bool, customer: str | None
) -> None:
    """Whatever the order: spend less returns plus what is skipped is its total, exactly."""
    order = Order("1", customer, at, 3, total, cancelled)
    sent, kept, worth = 0, 0, Decimal(0)
    for one in outcomes(order, pseudonymizer):
        if isinstance(one, Skipped):
            kept, worth = kept + one.records, worth + one.amount
        elif one.kind == kinds.SPEND.name:
            worth += Decimal(repr(one.value))
        elif one.kind == kinds.RETURNED.name:
            sent, worth = sent + order.lines, worth - Decimal(repr(one.value))
        elif one.kind == kinds.COMPLETED.name:
            sent += order.lines
    assert (sent + kept, worth) == (3, total)


def test_reading_a_file_again_gives_the_same_ids(
    read: Callable[..., list[Order]], pseudonymizer: Pseudonymizer
) -> None:
    """A second export, and a file that repeats an invoice's line, add no new order."""
    lines = [f"{n},A,B,1,2011-01-0{n} 10:00:00,2,{n % 2},UK" for n in (1, 2, 3)]
    first = [one.id for order in read(*lines) for one in outcomes(order, pseudonymizer)]
    again = [one.id for order in read(*reversed(lines), lines[0]) for one in outcomes(order, pseudonymizer)]
    assert set(first) == set(again)
    assert len(first) == len(again) == 9
