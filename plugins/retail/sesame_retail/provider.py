"""Turns orders into signals.

Rules:
1. An order without a customer is skipped: it never leaves the shop.
2. A return makes one signal, its amount; it adds no month of tenure.
3. An order is identified by its number, a month by customer and month: exporting again counts once.
4. A correction adds to the spend or to the returns of its order; it is not another order.
5. Amounts in another currency are of another kind, and are skipped under another reason.
6. Every line is counted once: in an order's signals, or in a `Skipped`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from attrs import field, frozen

from sesame_retail import kinds
from sesame_retail.files import mapping
from sesame_retail.files.mapping import ColumnMapping, FileFormat, FileMapping
from sesame_retail.model import Order
from sesame_retail.money import in_currency
from sesame_sdk import InvalidInputError, Pseudonymizer, Signal, SignalKind, SignalProvider, Skipped

if TYPE_CHECKING:
    from sesame_retail.files.order_files import ReadProgress

_COMPLETED, _TENURE = kinds.COMPLETED.name, kinds.TENURE.name
_SPENT, _RETURNED = (
    {code: kind.name for code, kind in by_currency.items()} for by_currency in (kinds.SPENT, kinds.RETURNS)
)
_ZERO = Decimal(0)
#: How many lines in a hundred may be unreadable: with more, the mapping is wrong rather than the lines.
MAX_REJECTS = 1.0


@frozen
class Orders(SignalProvider[Order]):
    """The provider ``retail``: reads a shop's order lines.

    Args:
        columns: the names of the file's columns.
        cancelled_prefix: the prefix of the numbers of returns; empty for none.
        file_format: how the file is written.
        max_rejects: how many lines in a hundred may be unreadable; None for any number.
    """

    name: ClassVar[str] = "retail"
    kinds: ClassVar[tuple[SignalKind, ...]] = kinds.KINDS
    columns: ColumnMapping = field(factory=ColumnMapping)
    cancelled_prefix: str = "C"
    file_format: FileFormat = field(factory=FileFormat)
    max_rejects: float | None = None

    @classmethod
    def from_mapping(cls, file_mapping: FileMapping, *, max_rejects: float | None = None) -> "Orders":
        """A provider that reads files by a mapping."""
        return cls(file_mapping.columns, file_mapping.cancelled_prefix, file_mapping.file_format, max_rejects)

    def read(self, path: Path, *, watch: "ReadProgress | None" = None) -> Iterator[Order | Skipped]:
        """Orders of a CSV, JSON-lines or Parquet file, compressed or not.

        A mapping beside the file (``orders.csv.toml`` for ``orders.csv``) is used, unless this provider has
        its own.

        Raises:
            InvalidInputError: the file cannot be read, its header lacks a column or has it twice, or too
                many lines cannot be read.
            ConfigurationError: the mapping beside it is wrong, or a library is missing.
        """
        from sesame_retail.files import order_files  # DuckDB takes a while to import

        return order_files.read_orders(
            path, self.mapping_for(path), watch=watch, max_rejects=self.max_rejects
        )

    def mapping_for(self, path: Path) -> FileMapping:
        """The mapping for a file: this provider's own, or the one beside the file."""
        own = FileMapping(self.columns, self.cancelled_prefix, self.file_format)
        return (mapping.find_mapping(path) or own) if own == FileMapping() else own

    def signals(self, event: Order, pseudonymizer: Pseudonymizer) -> list[Signal | Skipped]:
        """The signals of one order; `InvalidInputError` if an attribute has a wrong type."""
        try:
            return _make_signals(event, pseudonymizer)
        except InvalidInputError:
            raise
        except (TypeError, AttributeError, ArithmeticError, LookupError, ValueError) as error:
            raise InvalidInputError("is not a valid order", field="event") from error


def _make_signals(event: Order, pseudonymizer: Pseudonymizer) -> list[Signal | Skipped]:
    total = event.total
    if event.customer is None:
        return [_skip("no customer", event)]
    if event.cancelled:
        if total >= _ZERO:
            return [_skip("cancellation that returns nothing", event)]
        return [_amount(_RETURNED, event, _pseudonym(pseudonymizer, event.customer), pseudonymizer, -total)]
    if event.corrects:
        if total <= _ZERO:
            return [_skip("correction that changes nothing", event)]
        return [_amount(_SPENT, event, _pseudonym(pseudonymizer, event.customer), pseudonymizer, total)]
    if total < _ZERO:
        return [_skip("order below zero", event)]
    return _completed(event, event.customer, pseudonymizer)


def _skip(reason: str, event: Order) -> Skipped:
    return Skipped(in_currency(reason, event.currency), event.lines, event.total)


def _completed(order: Order, customer: str, pseudonymizer: Pseudonymizer) -> list[Signal | Skipped]:
    at, subject = order.placed_at, _pseudonym(pseudonymizer, customer)
    signal_id = pseudonymizer.signal_id(_COMPLETED, order.key or order.number, at)
    done = Signal(signal_id, subject, _COMPLETED, 1.0, at)
    local = at if order.time_zone == "UTC" else at.astimezone(ZoneInfo(order.time_zone))
    tenure = _tenure(pseudonymizer, customer, local.year, local.month, order.time_zone)
    if order.total:
        return [done, _amount(_SPENT, order, subject, pseudonymizer, order.total), tenure]
    # The completed order counts its lines already.
    return [done, Skipped("no spend on an order at no price", records=0), tenure]


@lru_cache(maxsize=1 << 14)
def _tenure(pseudonymizer: Pseudonymizer, customer: str, year: int, month: int, zone: str) -> Signal:
    """The signal for a month of the shop's calendar with an order; every order of it makes the same one."""
    at = datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    signal_id = pseudonymizer.signal_id(_TENURE, f"{customer} {year:04}-{month:02}", at)
    return Signal(signal_id, _pseudonym(pseudonymizer, customer), _TENURE, 1.0, at)


@lru_cache(maxsize=1 << 14)
def _pseudonym(pseudonymizer: Pseudonymizer, customer: str) -> str:
    """A cache: a look-up for a hash."""
    return pseudonymizer.pseudonym(customer)


def _amount(
    kinds_of: dict[str, str], order: Order, subject: str, pseudonymizer: Pseudonymizer, amount: Decimal
) -> Signal:
    """One signal. A float holds every amount below 10^13 exactly to the penny: it keeps 15 digits."""
    kind, at = kinds_of[order.currency], order.placed_at
    signal_id = pseudonymizer.signal_id(kind, order.key or order.number, at)
    return Signal(signal_id, subject, kind, float(amount), at)
