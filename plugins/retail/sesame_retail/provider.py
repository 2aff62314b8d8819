"""Orders become signals.

Rules:
1. An order without a customer is nobody's: it never leaves the shop.
2. What takes goods back says how much; nothing else is said of it, and it adds no month.
3. An order counts by its number, a month by customer and month: exporting again counts once.
4. What corrects an order adds to what was spent, or to what came back; it is no order more.
5. Amounts in another currency are of another kind; what is skipped of them is told apart too.
6. Every line is accounted for once: in an order's signals, or in a `Skipped`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from attrs import field, frozen

from sesame_retail import kinds
from sesame_retail.files import mapping, order_files
from sesame_retail.files.mapping import ColumnMapping, FileFormat, FileMapping
from sesame_retail.model import Order
from sesame_retail.money import in_currency
from sesame_sdk import InvalidInputError, Pseudonymizer, Signal, SignalKind, SignalProvider, Skipped

_COMPLETED, _TENURE = kinds.COMPLETED.name, kinds.TENURE.name
_SPENT, _GIVEN_BACK = (
    {code: kind.name for code, kind in found.items()} for found in (kinds.SPENT, kinds.RETURNS)
)
_NOTHING = Decimal(0)


@frozen
class Orders(SignalProvider[Order]):
    """Reads a shop's order lines.

    Args:
        columns: what the file calls its columns.
        cancelled_prefix: what the number of an invoice begins with that takes goods back; empty for none.
        file_format: how the fields are written.
    """

    name: ClassVar[str] = "retail"
    kinds: ClassVar[tuple[SignalKind, ...]] = kinds.KINDS
    columns: ColumnMapping = field(factory=ColumnMapping)
    cancelled_prefix: str = "C"
    file_format: FileFormat = field(factory=FileFormat)

    @classmethod
    def from_mapping(cls, how: FileMapping) -> "Orders":
        """The provider for a mapping."""
        return cls(how.columns, how.cancelled_prefix, how.file_format)

    def read(self, path: Path, *, watch: order_files.ReadProgress | None = None) -> Iterator[Order | Skipped]:
        """Orders of a CSV, JSON-lines or Parquet file, packed or not.

        A mapping that lies beside the file (``orders.csv.toml`` for ``orders.csv``) says how it is to be
        read, unless this provider was given one.

        Args:
            path: the file.
            watch: told how far it is.

        Raises:
            InvalidInputError: the file cannot be read, or its header lacks a column.
            Misconfigured: the mapping beside it is wrong, or a library is missing.
        """
        return order_files.read_orders(path, self.mapping_for(path), watch=watch)

    def mapping_for(self, path: Path) -> FileMapping:
        """How a file is to be read."""
        own = FileMapping(self.columns, self.cancelled_prefix, self.file_format)
        return (mapping.find_mapping(path) or own) if own == FileMapping() else own

    def signals(self, event: Order, identity: Pseudonymizer) -> list[Signal | Skipped]:
        """What one order says of its customer.

        Raises:
            InvalidInputError: it is not made of what an `Order` is made of.
        """
        try:
            return _make_signals(event, identity)
        except (TypeError, AttributeError, ArithmeticError, LookupError) as error:
            raise InvalidInputError("is not made of what an order is", field="event") from error


def _make_signals(event: Order, identity: Pseudonymizer) -> list[Signal | Skipped]:
    total = event.total
    if event.customer is None:
        return [_skip("no customer", event)]
    if event.cancelled:
        if total >= _NOTHING:
            return [_skip("cancellation that returns nothing", event)]
        return [_amount(_GIVEN_BACK, event, _pseudonym(identity, event.customer), identity, -total)]
    if event.corrects:
        if total <= _NOTHING:
            return [_skip("correction that changes nothing", event)]
        return [_amount(_SPENT, event, _pseudonym(identity, event.customer), identity, total)]
    if total < _NOTHING:
        return [_skip("order below zero", event)]
    return _completed(event, event.customer, identity)


def _skip(reason: str, event: Order) -> Skipped:
    return Skipped(in_currency(reason, event.currency), event.lines, event.total)


def _completed(order: Order, customer: str, identity: Pseudonymizer) -> list[Signal | Skipped]:
    at, subject = order.placed_at, _pseudonym(identity, customer)
    own_id = identity.signal_id(_COMPLETED, order.key or order.number, at)
    done = Signal(own_id, subject, _COMPLETED, 1.0, at)
    tenure = _tenure(identity, customer, at.year, at.month)
    if order.total:
        return [done, _amount(_SPENT, order, subject, identity, order.total), tenure]
    # Its lines are in the completed order already: no record is counted twice.
    return [done, Skipped("no spend on an order at no price", records=0), tenure]


@lru_cache(maxsize=1 << 14)
def _tenure(identity: Pseudonymizer, customer: str, year: int, month: int) -> Signal:
    """A month with an order; the next order in it says the very same."""
    at = datetime(year, month, 1, tzinfo=UTC)
    own_id = identity.signal_id(_TENURE, f"{customer} {year:04}-{month:02}", at)
    return Signal(own_id, _pseudonym(identity, customer), _TENURE, 1.0, at)


@lru_cache(maxsize=1 << 14)
def _pseudonym(identity: Pseudonymizer, customer: str) -> str:
    """A customer comes again and again: a look-up for a hash."""
    return identity.pseudonym(customer)


def _amount(
    kinds_of: dict[str, str], order: Order, subject: str, identity: Pseudonymizer, amount: Decimal
) -> Signal:
    """One signal. A float holds every amount below 10^13 pence-exactly: 15 digits survive the way."""
    kind, at = kinds_of[order.currency], order.placed_at
    own_id = identity.signal_id(kind, order.key or order.number, at)
    return Signal(own_id, subject, kind, float(amount), at)
