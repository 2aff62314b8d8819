"""Orders become signals.

Rules:
1. An order without a customer is nobody's: it never leaves the shop.
2. What takes goods back says how much; nothing else is said of it, and it adds no month.
3. An order counts by its number, a month by customer and month: exporting again counts once.
4. Every line is accounted for once: in an order's signals, or in a `KeptBack`.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

from attrs import field, frozen

from sesame_retail import kinds, reading
from sesame_retail.orders import Order
from sesame_retail.reading import Columns
from sesame_sdk import Identity, KeptBack, Signal, SignalKind, SignalProvider


@frozen
class Orders(SignalProvider[Order]):
    """Reads a shop's order lines.

    Args:
        columns: what the file calls its columns.
        cancelled_prefix: what the number of an invoice begins with that takes goods back.
    """

    name: ClassVar[str] = "retail"
    kinds: ClassVar[tuple[SignalKind, ...]] = kinds.KINDS
    columns: Columns = field(factory=Columns)
    cancelled_prefix: str = "C"

    def read(self, path: Path) -> Iterator[Order | KeptBack]:
        """Orders of a CSV or JSON-lines file, ``.gz`` or not; a date without a zone is taken as UTC.

        Raises:
            Rejected: the file cannot be read, or its header lacks a column.
        """
        return reading.read(path, self.columns, cancelled_prefix=self.cancelled_prefix)

    def signals(self, event: Order, identity: Identity) -> Iterator[Signal | KeptBack]:
        """What one order says of its customer."""
        if event.customer is None:
            yield KeptBack("no customer", event.lines, event.total)
        elif event.cancelled and event.total >= 0:
            yield KeptBack("cancellation that returns nothing", event.lines, event.total)
        elif event.cancelled:
            yield _said(kinds.RETURNED, event.customer, identity, event.number, event.placed_at, -event.total)
        elif event.total < 0:
            yield KeptBack("order below zero", event.lines, event.total)
        else:
            yield from _completed(event, event.customer, identity)


def _completed(order: Order, customer: str, identity: Identity) -> Iterator[Signal | KeptBack]:
    yield _said(kinds.COMPLETED, customer, identity, order.number, order.placed_at, Decimal(1))
    if order.total:
        yield _said(kinds.SPEND, customer, identity, order.number, order.placed_at, order.total)
    else:
        # Its lines are in the completed order already: no record is counted twice.
        yield KeptBack("no spend on an order at no price", records=0)
    month = order.placed_at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    yield _said(kinds.TENURE, customer, identity, f"{customer} {month:%Y-%m}", month, Decimal(1))


def _said(
    kind: SignalKind, customer: str, identity: Identity, natural_key: str, at: datetime, value: Decimal
) -> Signal:
    """One signal. A float holds every amount below 10^13 pence-exactly: 15 digits survive the way."""
    return Signal(
        id=identity.signal_id(kind.name, natural_key, at),
        subject=identity.pseudonym(customer),
        kind=kind.name,
        value=float(value),
        occurred_at=at,
    )
