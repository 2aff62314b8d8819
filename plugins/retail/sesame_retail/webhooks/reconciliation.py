"""Compares what was sent for an order with what the order is now worth, and sends the difference.

| the platform says | paid | the order is worth |
| --- | --- | --- |
| pending, authorized, on hold, failed, cancelled, and it was never paid | no | nothing is sent |
| paid | yes | its total less its refunds |
| paid in part, after it was paid and edited up | yes | its total less what is owed, less its refunds |
| refunded in part | yes | its total less its refunds |
| refunded, voided, cancelled, failed, on hold after a charge-back | before | 0 |
| a test order, an order of staff, if it was sent before | - | 0 |

Rules:
1. A report replaces an earlier one of the same order, by the platform's time of change. Of two in one second,
   the one further on stands: unpaid, paid, ended.
2. Refunds are added up by their own ids, whichever report brings them. A refund's amount only grows, since a
   pending part completes later.
3. The first time that an order was paid, its whole total is sent as spent, and what it is not worth any more
   as returned. From then on the difference is sent: as spent if it is positive, else as returned.
4. A difference is a further signal, numbered within its order. It is not a correction of the first one: what
   came back is a fact of its own, with its own time, and messages of an outbox may overtake each other, which
   does not change a sum.
5. Nothing is sent before the customer is known. An order that was sent keeps its customer, also when a later
   report has none because the platform redacted it.

So what was sent, spent less returned, is what the latest report says that the order is worth, whichever
reports were repeated, lost, or came in another order.
"""

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, field, frozen

from sesame_retail.model import Order
from sesame_retail.money import UNIT, to_decimal


@frozen
class Refund:
    """What was paid back so far under one id: an amount in millionths of a currency."""

    refund: str
    amount: int
    currency: str


@frozen
class RefundReport:
    """Refunds of an order that come without it."""

    order: str
    at: datetime
    refunds: tuple[Refund, ...]


@frozen
class OrderReport:
    """What a platform says of an order. Amounts are in millionths.

    Attributes:
        customer: None for a guest, or once the platform redacted it.
        changed_at: the platform's time of the change.
        is_paid: whether it is or was paid.
        counts: whether it is worth its total less refunds; otherwise nothing.
        total: in the currency in which it is sent.
        owed: the part of the total that is not paid.
        bases: the total in each currency that the platform states, for refunds in these.
        excluded: why it does not count though it is paid, such as a test order; empty if it does.
    """

    order: str
    customer: str | None
    placed_at: datetime
    changed_at: datetime
    is_paid: bool
    counts: bool
    total: int
    currency: str = UNIT
    owed: int = 0
    bases: Mapping[str, int] = field(factory=dict)
    refunds: tuple[Refund, ...] = ()
    excluded: str = ""

    @property
    def precedence(self) -> tuple[datetime, bool, bool, int, int, bool]:
        """The report of an order with the greatest one stands."""
        return self.changed_at, self.is_paid, not self.counts, -self.owed, self.total, bool(self.excluded)


@frozen
class Sent:
    """What was sent for an order: amounts in millionths, and the number of differences."""

    spent: int = 0
    returned: int = 0
    differences: int = 0


@frozen
class OrderState:
    """What is known of an order, and what was sent for it, if anything.

    Attributes:
        latest: the report that stands; None if only refunds came.
        customer: the first that was known.
        was_paid: whether any report says so.
        refunds: by their ids.
    """

    latest: OrderReport | None = None
    customer: str | None = None
    was_paid: bool = False
    refunds: Mapping[str, Refund] = field(factory=dict)
    sent: Sent | None = None

    @property
    def worth(self) -> int:
        """What the order is now worth."""
        latest = self.latest
        if latest is None or not self.was_paid or not latest.counts or latest.excluded:
            return 0
        return max(0, latest.total - latest.owed - self.refunded)

    @property
    def refunded(self) -> int:
        """The sum of refunds in the order's currency; one in a currency that the order lacks is 0."""
        return sum(self._convert(refund) for refund in self.refunds.values())

    def _convert(self, refund: Refund) -> int:
        latest = self.latest
        basis = latest.bases.get(refund.currency) if latest else None
        if latest is None or not basis:
            return 0
        # The share of the order that came back, exact in the order's own currency; a half is rounded up.
        return (2 * latest.total * refund.amount + basis) // (2 * basis)

    @property
    def kept_back(self) -> str:
        """Why nothing is sent; empty if something was or can be."""
        latest = self.latest
        if latest is None or self.sent is not None:
            return ""
        if latest.excluded:
            return latest.excluded
        if self.customer is None:
            return "no customer"
        return "" if self.was_paid else "order that is not paid"


def apply_report(state: OrderState, report: OrderReport | RefundReport) -> OrderState:
    """The state of an order after a report; the same in whatever order its reports come."""
    refunds = dict(state.refunds)
    for refund in report.refunds:
        known = refunds.get(refund.refund)
        if known is None or (refund.amount, refund.currency) > (known.amount, known.currency):
            refunds[refund.refund] = refund
    state = evolve(state, refunds=refunds)
    if isinstance(report, RefundReport):
        return state
    is_later = state.latest is None or report.precedence > state.latest.precedence
    return evolve(
        state,
        latest=report if is_later else state.latest,
        customer=state.customer or report.customer,
        was_paid=state.was_paid or (report.is_paid and not report.excluded),
    )


def send_difference(state: OrderState, at: datetime) -> tuple[list[Order], OrderState]:
    """What to send for an order after a report of this time, and the state once it is sent."""
    latest = state.latest
    if latest is None or state.customer is None or not state.was_paid:
        return [], state
    if state.sent is None:
        if latest.excluded:
            return [], state
        return _send_first(state, latest, at)
    difference = state.worth - (state.sent.spent - state.sent.returned)
    if not difference:
        return [], state
    number = state.sent.differences + 1
    sent = evolve(
        state.sent,
        spent=state.sent.spent + max(difference, 0),
        returned=state.sent.returned + max(-difference, 0),
        differences=number,
    )
    return [_difference(state, latest, at, difference, number)], evolve(state, sent=sent)


def _send_first(state: OrderState, latest: OrderReport, at: datetime) -> tuple[list[Order], OrderState]:
    returned = latest.total - state.worth
    total = to_decimal(latest.total)
    order = Order(
        number=latest.order,
        customer=state.customer,
        placed_at=latest.placed_at,
        lines=1,
        total=total,
        cancelled=False,
        currency=latest.currency,
    )
    if not returned:
        return [order], evolve(state, sent=Sent(latest.total))
    events = [order, _difference(state, latest, at, -returned, 1)]
    return events, evolve(state, sent=Sent(latest.total, returned, 1))


def _difference(state: OrderState, latest: OrderReport, at: datetime, amount: int, number: int) -> Order:
    return Order(
        number=latest.order,
        customer=state.customer,
        placed_at=at,
        lines=0,
        total=to_decimal(amount),
        cancelled=amount < 0,
        corrects=amount > 0,
        key=f"{latest.order} difference {number}",
        currency=latest.currency,
    )
