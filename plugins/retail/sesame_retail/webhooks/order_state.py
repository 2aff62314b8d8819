"""How one order stands when news of it comes piece by piece, in any order.

Rules:
1. Spent is the most that the order ever came to, and what was added later; taken back is what was
   returned, what it came to less since, and all the rest if it was cancelled. So both are the same in
   whatever order the news came.
2. What was told cannot be taken back, so each piece of news tells what brings the two to where they stand.
   Only where an order is stated anew, lower and then higher, may more of both be told; never of their
   difference.
3. Nothing is told before the customer is known.
"""

from datetime import datetime

from attrs import evolve, frozen

from sesame_retail.model import Order
from sesame_retail.money import UNIT, to_decimal


@frozen
class OrderUpdate:
    """Something that happened to an order. Amounts are ten-thousandths of one currency.

    Attributes:
        order: its number.
        key: what this piece of news is known by; the same piece has the same key.
        at: when; UTC.
        customer: None where it does not say.
        is_order: it is the order itself.
        stated: what the order comes to, by this piece of news.
        updated_at: of two that state it, the one with the greater is the later.
        added: how much more the order came to.
        returned: how much came back.
        cancels: nothing is left of the order.
        lines: how many of the shop's own records it is.
        currency: of its amounts. What is in another than its order waits for an order in that.
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
        """What it is set against: its order, in its currency."""
        return self.order if self.currency == UNIT else f"{self.order} {self.currency}"


@frozen
class OrderState:
    """All that is known of an order, and what was told of it."""

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
        """All that was ever spent on it."""
        return self.max_stated + self.added

    @property
    def total_returned(self) -> int:
        """All of that which was taken back."""
        back = self.returned + self.max_stated - self.latest
        return max(back, self.spent) if self.cancelled and self.placed else back


def apply_update(standing: OrderState, news: OrderUpdate) -> OrderState:
    """How an order stands once a piece of news is known."""
    known = evolve(
        standing,
        customer=standing.customer or news.customer,
        placed=standing.placed or news.is_order,
        cancelled=standing.cancelled or news.cancels,
        added=standing.added + news.added,
        returned=standing.returned + news.returned,
    )
    if not news.is_order:
        return known
    latest, stamp = max((standing.stamp, standing.latest), (news.updated_at, news.stated))[::-1]
    return evolve(known, max_stated=max(standing.max_stated, news.stated), latest=latest, stamp=stamp)


def pending_events(standing: OrderState, news: OrderUpdate) -> tuple[list[Order], OrderState]:
    """What is to be told now, and how the order stands once it is."""
    if standing.customer is None:
        return [], standing
    events = []
    net = standing.spent - standing.total_returned
    spent = max(standing.spent_sent, standing.spent, standing.returned_sent + net)
    back = spent - net
    if standing.placed and not standing.placed_sent:
        events.append(_order(standing, news, spent - standing.spent_sent, key=news.order))
    elif spent > standing.spent_sent:
        events.append(_order(standing, news, spent - standing.spent_sent, corrects=True))
    if back > standing.returned_sent:
        events.append(_order(standing, news, standing.returned_sent - back, cancelled=True))
    return events, evolve(standing, spent_sent=spent, returned_sent=back, placed_sent=standing.placed)


def _order(
    standing: OrderState,
    news: OrderUpdate,
    worth: int,
    *,
    key: str = "",
    corrects: bool = False,
    cancelled: bool = False,
) -> Order:
    return Order(
        news.order,
        standing.customer,
        news.at,
        news.lines,
        to_decimal(worth),
        cancelled,
        corrects,
        key or news.key,
        news.currency,
    )
