"""The state of one order whose updates arrive in any order.

Rules:
1. Spent is the largest amount that was ever stated, plus later additions. Returned is the sum of returns,
   plus later reductions, plus the rest if the order is cancelled. Neither depends on the updates' order.
2. Sent signals cannot be withdrawn, so each update sends the differences to what was sent. Only if an order
   is stated lower and then higher may more of both be sent; their difference is always right.
3. Nothing is sent before the customer is known.
"""

from datetime import datetime

from attrs import evolve, frozen

from sesame_retail.model import Order
from sesame_retail.money import UNIT, to_decimal


@frozen
class OrderUpdate:
    """A change of an order. Amounts are in millionths of one currency.

    Attributes:
        key: identifies the update.
        is_order: whether it is the order itself.
        stated: the amount of the order.
        updated_at: the later of two statements has the greater one.
        added: an addition to the amount.
        cancels: whether it cancels the rest of the order.
        lines: the number of the shop's own records.
        currency: of its amounts. An order in another currency is another account.
    """

    order: str
    key: str
    at: datetime
    customer: str | None = None
    is_order: bool = False
    stated: int = 0
    updated_at: int = 0
    added: int = 0
    returned: int = 0
    cancels: bool = False
    lines: int = 1
    currency: str = UNIT

    @property
    def account(self) -> str:
        """The key of the state that it changes: its order, in its currency."""
        return self.order if self.currency == UNIT else f"{self.order} {self.currency}"


@frozen
class OrderState:
    """What is known of an order, and what was sent of it."""

    customer: str | None = None
    placed: bool = False
    cancelled: bool = False
    max_stated: int = 0
    latest: int = 0
    stamp: int = -1
    added: int = 0
    returned: int = 0
    spent_sent: int = 0
    returned_sent: int = 0
    placed_sent: bool = False

    @property
    def spent(self) -> int:
        """The amount ever spent on it."""
        return self.max_stated + self.added

    @property
    def total_returned(self) -> int:
        """The part of it that was returned."""
        returned = self.returned + self.max_stated - self.latest
        return max(returned, self.spent) if self.cancelled and self.placed else returned


def apply_update(state: OrderState, update: OrderUpdate) -> OrderState:
    """The state of an order after an update."""
    changed = evolve(
        state,
        customer=state.customer or update.customer,
        placed=state.placed or update.is_order,
        cancelled=state.cancelled or update.cancels,
        added=state.added + update.added,
        returned=state.returned + update.returned,
    )
    if not update.is_order:
        return changed
    latest, stamp = max((state.stamp, state.latest), (update.updated_at, update.stated))[::-1]
    return evolve(changed, max_stated=max(state.max_stated, update.stated), latest=latest, stamp=stamp)


def pending_events(state: OrderState, update: OrderUpdate) -> tuple[list[Order], OrderState]:
    """The orders to send after an update, and the state once they are sent."""
    if state.customer is None:
        return [], state
    events = []
    net = state.spent - state.total_returned
    spent = max(state.spent_sent, state.spent, state.returned_sent + net)
    returned = spent - net
    if state.placed and not state.placed_sent:
        events.append(_order(state, update, spent - state.spent_sent, key=update.order))
    elif spent > state.spent_sent:
        events.append(_order(state, update, spent - state.spent_sent, corrects=True))
    if returned > state.returned_sent:
        events.append(_order(state, update, state.returned_sent - returned, cancelled=True))
    return events, evolve(state, spent_sent=spent, returned_sent=returned, placed_sent=state.placed)


def _order(
    state: OrderState,
    update: OrderUpdate,
    amount: int,
    *,
    key: str = "",
    corrects: bool = False,
    cancelled: bool = False,
) -> Order:
    total, key, unit = to_decimal(amount), key or update.key, update.currency
    return Order(update.order, state.customer, update.at, update.lines, total, cancelled, corrects, key, unit)
