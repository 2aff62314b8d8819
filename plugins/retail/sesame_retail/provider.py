"""Orders become signals.

Rules:
1. An order without a customer is nobody's: it never leaves the shop.
2. What takes goods back says how much; nothing else is said of it, and it adds no month.
3. An order counts by its number, a month by customer and month: exporting again counts once.
4. What corrects an order adds to what was spent, or to what came back; it is no order more.
5. Every line is accounted for once: in an order's signals, or in a `KeptBack`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from attrs import field, frozen

from sesame_retail import kinds, mapping, reading
from sesame_retail.mapping import Columns, Form, Reading
from sesame_retail.orders import Order, Reject
from sesame_sdk import Identity, KeptBack, Rejected, Signal, SignalKind, SignalProvider


@frozen
class Orders(SignalProvider[Order]):
    """Reads a shop's order lines.

    Args:
        columns: what the file calls its columns.
        cancelled_prefix: what the number of an invoice begins with that takes goods back; empty for none.
        form: how the fields are written.
    """

    name: ClassVar[str] = "retail"
    kinds: ClassVar[tuple[SignalKind, ...]] = kinds.KINDS
    columns: Columns = field(factory=Columns)
    cancelled_prefix: str = "C"
    form: Form = field(factory=Form)

    @classmethod
    def mapped(cls, how: Reading) -> "Orders":
        """The provider for a mapping."""
        return cls(how.columns, how.cancelled_prefix, how.form)

    def read(
        self, path: Path, *, reject: Reject | None = None, watch: reading.Watch | None = None
    ) -> Iterator[Order | KeptBack]:
        """Orders of a CSV, JSON-lines or Parquet file, packed or not.

        A mapping that lies beside the file (``orders.csv.toml`` for ``orders.csv``) says how it is to be
        read, unless this provider was given one.

        Args:
            path: the file.
            reject: told of each line that is not read.
            watch: given the open file, to see how far it was read.

        Raises:
            Rejected: the file cannot be read, or its header lacks a column.
            Misconfigured: the mapping beside it is wrong, or a library is missing.
        """
        return reading.read(path, self.mapping_for(path), reject=reject, watch=watch)

    def mapping_for(self, path: Path) -> Reading:
        """How a file is to be read."""
        own = Reading(self.columns, self.cancelled_prefix, self.form)
        return (mapping.beside(path) or own) if own == Reading() else own

    def signals(self, event: Order, identity: Identity) -> Iterator[Signal | KeptBack]:
        """What one order says of its customer.

        Raises:
            Rejected: it is not made of what an `Order` is made of.
        """
        try:
            yield from _said_of(event, identity)
        except (TypeError, AttributeError, ArithmeticError) as error:
            raise Rejected("is not made of what an order is", field="event") from error


def _said_of(event: Order, identity: Identity) -> Iterator[Signal | KeptBack]:
    key = event.key or event.number
    if event.customer is None:
        yield KeptBack("no customer", event.lines, event.total)
    elif event.cancelled and event.total >= 0:
        yield KeptBack("cancellation that returns nothing", event.lines, event.total)
    elif event.cancelled:
        yield _said(kinds.RETURNED, event.customer, identity, key, event.placed_at, -event.total)
    elif event.corrects and event.total <= 0:
        yield KeptBack("correction that changes nothing", event.lines, event.total)
    elif event.corrects:
        yield _said(kinds.SPEND, event.customer, identity, key, event.placed_at, event.total)
    elif event.total < 0:
        yield KeptBack("order below zero", event.lines, event.total)
    else:
        yield from _completed(event, event.customer, identity)


def _completed(order: Order, customer: str, identity: Identity) -> Iterator[Signal | KeptBack]:
    key = order.key or order.number
    yield _said(kinds.COMPLETED, customer, identity, key, order.placed_at, Decimal(1))
    if order.total:
        yield _said(kinds.SPEND, customer, identity, key, order.placed_at, order.total)
    else:
        # Its lines are in the completed order already: no record is counted twice.
        yield KeptBack("no spend on an order at no price", records=0)
    yield _tenure(identity, customer, order.placed_at.year, order.placed_at.month)


@lru_cache(maxsize=1 << 14)
def _tenure(identity: Identity, customer: str, year: int, month: int) -> Signal:
    """A month with an order; the next order in it says the very same."""
    at = datetime(year, month, 1, tzinfo=UTC)
    return _said(kinds.TENURE, customer, identity, f"{customer} {year:04}-{month:02}", at, Decimal(1))


@lru_cache(maxsize=1 << 14)
def _pseudonym(identity: Identity, customer: str) -> str:
    """A customer comes again and again: a look-up for a hash."""
    return identity.pseudonym(customer)


def _said(
    kind: SignalKind, customer: str, identity: Identity, natural_key: str, at: datetime, value: Decimal
) -> Signal:
    """One signal. A float holds every amount below 10^13 pence-exactly: 15 digits survive the way."""
    return Signal(
        id=identity.signal_id(kind.name, natural_key, at),
        subject=_pseudonym(identity, customer),
        kind=kind.name,
        value=float(value),
        occurred_at=at,
    )
