"""Updates of an order in any order give the same events in the end."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from random import Random
from threading import Barrier

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from sesame_retail import Orders
from sesame_retail.money import SCALE
from sesame_retail.order_state import OrderState, OrderUpdate, apply_update, pending_events
from sesame_retail.order_store import OrderStore

from sesame_sdk import Pseudonymizer, Signal

AT = datetime(2026, 3, 1, tzinfo=UTC)
parts = st.integers(0, 10**9)
PLACED = OrderUpdate("1", "order 1", AT, "ada", is_order=True, stated=100 * SCALE, updated_at=1)
RETURNED = OrderUpdate("1", "return 1", AT, returned=30 * SCALE)
CORRECTED = OrderUpdate("1", "correction 1", AT, added=20 * SCALE)
CANCELLED = OrderUpdate("1", "1 cancelled", AT, cancels=True)


@st.composite
def stories(draw: st.DrawFn) -> list[OrderUpdate]:
    """An order with one or more updates, its returns, corrections, and perhaps its cancellation."""
    story = [
        OrderUpdate("1", f"order {n}", AT, "ada", is_order=True, stated=stated, updated_at=n)
        for n, stated in enumerate(draw(st.lists(parts, min_size=1, max_size=3)))
    ]
    story += [
        OrderUpdate("1", f"back {n}", AT, returned=back)
        for n, back in enumerate(draw(st.lists(parts, max_size=3)))
    ]
    story += [
        OrderUpdate("1", f"more {n}", AT, added=up) for n, up in enumerate(draw(st.lists(parts, max_size=3)))
    ]
    return [*story, CANCELLED] if draw(st.booleans()) else story


def sum_events(story: list[OrderUpdate], pseudonymizer: Pseudonymizer) -> Counter[str]:
    """The sum of each kind's values, of all events; exact."""
    state, sums, ids = OrderState(), Counter[str](), Counter[tuple[str, str]]()
    for update in story:
        events, state = pending_events(apply_update(state, update), update)
        for event in events:
            for signal in Orders().signals(event, pseudonymizer):
                if isinstance(signal, Signal):
                    sums[signal.kind] += round(signal.value * SCALE)
                    ids[signal.kind, signal.id] += 1
    assert set(ids.values()) <= {1}
    return sums


@given(stories(), st.randoms(use_true_random=False))
def test_the_order_of_updates_does_not_change_the_events(
    pseudonymizer: Pseudonymizer, story: list[OrderUpdate], dice: Random
) -> None:
    """What was spent less what came back is the same, to the ten-thousandth, and no id is given twice.

    So is the sum of each kind, where nothing was stated anew.
    """
    shuffled = story.copy()
    dice.shuffle(shuffled)
    first, other = sum_events(story, pseudonymizer), sum_events(shuffled, pseudonymizer)
    spent, back = "retail.order.spend", "retail.order.returned"
    assert first[spent] - first[back] == other[spent] - other[back]
    assert first["retail.order.completed"] == other["retail.order.completed"] == SCALE
    if sum(update.is_order for update in story) == 1:
        assert first == other


def test_a_cancellation_takes_back_what_a_return_left(pseudonymizer: Pseudonymizer) -> None:
    """And what comes after it takes back nothing more."""
    for story in permutations([PLACED, RETURNED, CANCELLED]):
        sums = sum_events(list(story), pseudonymizer)
        assert sums["retail.order.spend"] == sums["retail.order.returned"] == 100 * SCALE
        assert sums["retail.order.completed"] == SCALE


def test_a_return_whose_order_never_came_waits_for_its_customer(pseudonymizer: Pseudonymizer) -> None:
    """An event needs a customer."""
    assert sum_events([RETURNED], pseudonymizer) == {}


def test_what_is_in_another_currency_waits_for_an_order_in_it(
    pseudonymizer: Pseudonymizer, tmp_path: Path
) -> None:
    """Ten euros back are set against no pound; the pounds are taken back in whole."""
    euros = evolve(RETURNED, currency="EUR")
    with closing(OrderStore(tmp_path / "retail.sqlite")) as store:
        page = store.apply_updates([euros, PLACED, CANCELLED])
    assert [(event.total, event.currency) for event in page.orders] == [(100, "GBP"), (-100, "GBP")]
    assert {signal.kind for event in page.orders for signal in Orders().signals(event, pseudonymizer)} == {
        "retail.order.completed",
        "retail.order.spend",
        "retail.customer.tenure",
        "retail.order.returned",
    }


def test_a_correction_is_no_order_more(pseudonymizer: Pseudonymizer) -> None:
    """It adds to what was spent."""
    sums = sum_events([PLACED, CORRECTED], pseudonymizer)
    assert (sums["retail.order.spend"], sums["retail.order.completed"]) == (120 * SCALE, SCALE)


def test_a_store_applies_the_same_update_once(tmp_path: Path) -> None:
    """Before it is saved the same events are pending again; after that, none."""
    for _ in range(2):
        store = OrderStore(tmp_path / "retail.sqlite")
        page = store.apply_updates([PLACED, PLACED, RETURNED])
        assert [event.total for event in page.orders] == [100, -30]
        store.close()
    store = OrderStore(tmp_path / "retail.sqlite")
    store.save(page)
    store.close()
    store = OrderStore(tmp_path / "retail.sqlite")
    assert store.apply_updates([RETURNED, PLACED]).orders == []
    (cancelled,) = store.apply_updates([CANCELLED]).orders
    assert (cancelled.total, cancelled.customer) == (-70, "ada")
    store.close()
    assert (tmp_path / "retail.sqlite").stat().st_mode & 0o077 == 0


def test_several_processes_may_create_one_store_at_once(tmp_path: Path) -> None:
    """As workers do that begin together."""
    gate = Barrier(4, timeout=10)

    def open_all(_: int) -> None:
        for number in range(20):
            gate.wait()
            OrderStore(tmp_path / f"{number}.sqlite").close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_all, range(4))) == [None] * 4
