"""What a file's entries come to, once all of it was read.

Rules:
1. A return says how much came back, a correction how much more or less an order was; each counts by
   itself, so that it does not matter whether it comes before its order or after, or in another file.
2. A cancellation takes back what is left of its order: what was bought less what came back. That is only
   known where the order is in the same file; otherwise it is kept back, and says so.
3. An exchange is a return and a purchase on one number; it is no order of its own.
4. Amounts are turned into one currency here, an invoice at a time; one that has no rate is kept back.
"""

from collections import defaultdict
from collections.abc import Iterator

from sesame_retail.entries import Entries, Entry, Key
from sesame_retail.mapping import Deed, Reading
from sesame_retail.money import as_decimal
from sesame_retail.orders import Order
from sesame_sdk import KeptBack


class Outcome:
    """Gives orders of entries.

    Args:
        entries: all that a file held.
        reading: how the shop writes.
    """

    def __init__(self, entries: Entries, reading: Reading) -> None:
        self._entries = entries
        self._prefix = reading.cancelled_prefix
        self._currencies = reading.form.currencies
        self._converts = self._currencies.rate("") != 1

    def events(self) -> Iterator[Order | KeptBack]:
        """Orders, and what is kept back, in the order of the file."""
        left, prefix = self._left(), self._prefix
        for key, entry in self._entries.all():
            if key[1] == Deed.ORDER and not (entry.fault or entry.currency or self._converts):
                number, total = key[0], as_decimal(entry.total)
                takes_back = prefix != "" and number.startswith(prefix)
                yield Order(number, entry.customer, entry.placed_at, entry.lines, total, takes_back)
                continue
            worth = self._worth(entry)
            if entry.fault or worth is None:
                known = worth is not None
                amount = as_decimal(worth if worth is not None else 0)
                yield KeptBack(
                    entry.fault if known or entry.fault else "another currency", entry.lines, amount
                )
            elif key[1] == Deed.CANCEL:
                yield self._cancelled(key, entry, left)
            else:
                yield from self._told(key, entry, worth)

    def _takes_back(self, number: str) -> bool:
        return bool(self._prefix) and number.startswith(self._prefix)

    def _worth(self, entry: Entry) -> int | None:
        return self._currencies.convert(entry.total, entry.currency)

    def _told(self, key: Key, entry: Entry, worth: int) -> Iterator[Order]:
        number, deed, date = key
        own = f"{number} {date} {deed}"
        match deed:
            case Deed.RETURN:
                yield _order(number, entry, -abs(worth), cancelled=True, key=own)
            case Deed.CORRECTION:
                yield _order(number, entry, worth, corrects=True, cancelled=worth < 0, key=own)
            case Deed.EXCHANGE:
                yield from self._exchanged(key, entry, worth)
            case _:
                yield _order(number, entry, worth, cancelled=self._takes_back(number))

    def _exchanged(self, key: Key, entry: Entry, worth: int) -> Iterator[Order]:
        up = self._currencies.convert(entry.up, entry.currency) or 0
        name = f"{key[0]} {key[2]} {key[1]}"
        if up:
            yield _order(key[0], entry, up, corrects=True, key=name)
        if up != worth or not up:
            lines = 0 if up else entry.lines  # its lines are in the other half
            yield _order(key[0], entry, worth - up, cancelled=True, key=name, lines=lines)

    def _left(self) -> dict[str, int]:
        """What is left of each order that was cancelled, if anything is known of it."""
        cancelled = {
            entry.refers or key[0]
            for key, entry in self._entries.all()
            if key[1] == Deed.CANCEL and not entry.fault
        }
        if not cancelled:
            return {}
        found: defaultdict[str, int] = defaultdict(int)
        placed = set()
        for (number, deed, _), entry in self._entries.all():
            order, worth = entry.refers or number, self._worth(entry)
            if order in cancelled and deed != Deed.CANCEL and worth is not None and not entry.fault:
                found[order] += -abs(worth) if deed == Deed.RETURN else worth
                if deed == Deed.ORDER:
                    placed.add(order)
        return {order: max(worth, 0) for order, worth in found.items() if order in placed}

    def _cancelled(self, key: Key, entry: Entry, left: dict[str, int]) -> Order | KeptBack:
        number = entry.refers or key[0]
        if number not in left:
            return KeptBack("cancellation of an order that is not here", entry.lines, as_decimal(entry.total))
        # A second cancellation of the same order finds nothing left.
        remains, left[number] = left[number], 0
        if not remains:
            return KeptBack("cancellation of an order of which nothing is left", entry.lines)
        return _order(number, entry, -remains, cancelled=True, key=f"{number} cancelled")


def _order(
    number: str,
    entry: Entry,
    worth: int,
    *,
    cancelled: bool = False,
    corrects: bool = False,
    key: str = "",
    lines: int | None = None,
) -> Order:
    return Order(
        number,
        entry.customer,
        entry.placed_at,
        entry.lines if lines is None else lines,
        as_decimal(worth),
        cancelled,
        corrects,
        key,
    )
