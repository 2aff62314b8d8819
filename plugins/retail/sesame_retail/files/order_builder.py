"""Builds orders from the invoices of a file, once all of it was read.

Rules:
1. A return has the returned amount, a correction a change of the order's amount; each makes a signal of its
   event_key, so it may come before or after its order, or in another file.
2. A cancellation returns the rest of its order: its amount less earlier returns. That is known only if the
   order is in the same file; otherwise the cancellation is skipped.
3. An exchange is a return and a purchase under one number; it is not another order.
4. An invoice has one currency. It is not set off against an order in another.
"""

from collections import defaultdict
from collections.abc import Iterator

from attrs import evolve

from sesame_retail.files.mapping import FileMapping, RecordType
from sesame_retail.files.order_lines import SEVERAL, InvoiceKey, InvoiceTotal, OrderLines
from sesame_retail.model import Order
from sesame_retail.money import UNIT, in_currency, to_decimal
from sesame_sdk import Skipped


class OrderBuilder:
    """Builds orders from the invoices of a file."""

    def __init__(self, lines: OrderLines, reading: FileMapping) -> None:
        self._lines = lines
        self._reading = reading
        self._currencies = reading.file_format.currencies
        self._plain = self._currencies.default == UNIT

    def events(self) -> Iterator[Order | Skipped]:
        """Orders and skipped invoices, in the order of the file."""
        left, prefix = self._remaining_amounts(), self._reading.cancelled_prefix
        zone = self._reading.file_format.time_zone
        for key, entry in self._lines.invoices():
            if key[1] == "order" and self._plain and not (entry.fault or entry.currency or entry.returned):
                number, total = key[0], to_decimal(entry.total)
                cancelled = prefix != "" and number.startswith(prefix)  # a call less for each order
                yield Order(
                    number, entry.customer, entry.placed_at, entry.lines, total, cancelled, time_zone=zone
                )
                continue
            for event in self._events(key, entry, left):
                yield evolve(event, time_zone=zone) if isinstance(event, Order) else event

    def _events(
        self, key: InvoiceKey, entry: InvoiceTotal, left: dict[tuple[str, str | None], int]
    ) -> Iterator[Order | Skipped]:
        reason = entry.fault
        if entry.currency == SEVERAL:
            yield Skipped(reason, entry.lines)  # its sum is meaningless
            return
        amount, unit = self._convert(entry), self._currencies.sent_currency(entry.currency)
        if amount is None or unit is None:
            reason = f"{reason or 'another currency'}: {entry.currency}"
            yield Skipped(reason, entry.lines, to_decimal(entry.total))
        elif reason:
            yield Skipped(in_currency(reason, unit), entry.lines, to_decimal(amount))
        elif key[1] == RecordType.CANCEL:
            yield self._cancelled(key, entry, unit, left)
        else:
            for order in self._build(key, entry, amount):
                yield order if unit == UNIT else evolve(order, currency=unit)

    def _convert(self, entry: InvoiceTotal) -> int | None:
        return self._currencies.convert(entry.total, entry.currency)

    def _build(self, key: InvoiceKey, entry: InvoiceTotal, amount: int) -> Iterator[Order]:
        number, record_type, date = key
        event_key = f"{number} {date} {record_type}"
        match record_type:
            case RecordType.RETURN:
                yield _order(number, entry, -abs(amount), cancelled=True, key=event_key)
            case RecordType.CORRECTION:
                yield _order(number, entry, amount, corrects=True, cancelled=amount < 0, key=event_key)
            case RecordType.EXCHANGE:
                yield from self._exchanged(key, entry, amount)
            case _:
                yield _order(number, entry, amount, cancelled=self._reading.is_return(number))
                if entry.returned:
                    back = self._currencies.convert(entry.returned, entry.currency) or 0
                    yield _order(number, entry, -back, cancelled=True, lines=0)

    def _exchanged(self, key: InvoiceKey, entry: InvoiceTotal, amount: int) -> Iterator[Order]:
        positive = self._currencies.convert(entry.positive, entry.currency) or 0
        event_key = f"{key[0]} {key[2]} {key[1]}"
        if positive:
            yield _order(key[0], entry, positive, corrects=True, key=event_key)
        if positive != amount or not positive:
            lines = 0 if positive else entry.lines  # the other half counts its lines
            yield _order(key[0], entry, amount - positive, cancelled=True, key=event_key, lines=lines)

    def _remaining_amounts(self) -> dict[tuple[str, str | None], int]:
        """The rest of each cancelled order that is in the file."""
        if not self._lines.has_record_type(RecordType.CANCEL):
            return {}
        unit = self._currencies.sent_currency
        cancelled = {
            (entry.order or key[0], unit(entry.currency))
            for key, entry in self._lines.invoices()
            if key[1] == RecordType.CANCEL and not entry.fault
        }
        amounts: defaultdict[tuple[str, str | None], int] = defaultdict(int)
        placed = set()
        for (number, record_type, _), entry in self._lines.invoices():
            order, amount = (entry.order or number, unit(entry.currency)), self._convert(entry)
            if record_type == RecordType.CANCEL or amount is None or entry.fault:
                continue
            if order in cancelled:
                amounts[order] += -abs(amount) if record_type == RecordType.RETURN else amount
                if record_type == RecordType.ORDER:
                    placed.add(order)
        return {order: max(amount, 0) for order, amount in amounts.items() if order in placed}

    def _cancelled(
        self, key: InvoiceKey, entry: InvoiceTotal, unit: str, left: dict[tuple[str, str | None], int]
    ) -> Order | Skipped:
        number = entry.order or key[0]
        if (number, unit) not in left:
            reason = in_currency("cancellation of an order that is not in the file", unit)
            return Skipped(reason, entry.lines, to_decimal(self._convert(entry) or 0))
        # Nothing is left for a second cancellation of the same order.
        remains, left[number, unit] = left[number, unit], 0
        if not remains:
            return Skipped("cancellation of an order with nothing left", entry.lines)
        order = _order(number, entry, -remains, cancelled=True, key=f"{number} cancelled")
        return evolve(order, currency=unit)


def _order(
    number: str,
    entry: InvoiceTotal,
    amount: int,
    *,
    cancelled: bool = False,
    corrects: bool = False,
    key: str = "",
    lines: int | None = None,
) -> Order:
    count, total = entry.lines if lines is None else lines, to_decimal(amount)
    return Order(number, entry.customer, entry.placed_at, count, total, cancelled, corrects, key)
