"""Order lines become orders: one an invoice number, with its lines counted and summed."""

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby, starmap
from operator import itemgetter

from attrs import evolve, frozen

from sesame_retail import fields
from sesame_sdk import KeptBack

#: Invoice number, invoice date, customer, quantity, unit price: as they stand in the file.
Line = tuple[str, str, str, str, str]

_WHICH = itemgetter(0, 1, 2)
_PRICED = itemgetter(3, 4)


@frozen
class Order:
    """One invoice. What was bought is not in here.

    Attributes:
        number: the invoice number.
        customer: the shop's own number for the customer; None where the shop had none.
        placed_at: the earliest of its lines; UTC.
        lines: how many there are.
        total: quantity times price over all lines, in GBP; negative for a cancellation.
        cancelled: whether the invoice takes goods back.
    """

    number: str
    customer: str | None
    placed_at: datetime
    lines: int
    total: Decimal
    cancelled: bool


def orders(chunks: Iterable[list[Line] | KeptBack], *, cancelled_prefix: str) -> Iterator[Order | KeptBack]:
    """Group lines by invoice number, in the order in which the numbers first appear.

    Lines of one invoice need not stand together, so the amounts of all are held until the file has
    ended: some 300 bytes an order and 8 a line.

    Args:
        chunks: lines as read, many at a time; what could not be read passes through.
        cancelled_prefix: what the number of an invoice begins with that takes goods back.
    """
    # Most lines stand in runs of one number, date and customer. Only what differs within a run is
    # looked at line by line, and that in C: a step of bytecode here costs a tenth of reading the file.
    amounts: defaultdict[tuple[str, ...], list[Decimal]] = defaultdict(list)
    for chunk in chunks:
        if isinstance(chunk, KeptBack):
            yield chunk
            continue
        for which, run in groupby(chunk, _WHICH):
            found = yield from _amounts(list(map(_PRICED, run)))
            if found:
                amounts[which] += found
    parts: defaultdict[str, list[Order]] = defaultdict(list)
    for (number, date, customer), found in amounts.items():
        try:
            part = _order(number, date, customer, found, cancelled_prefix)
        except fields.Unreadable as fault:
            yield KeptBack(fault.reason, len(found), sum(found, Decimal(0)))
        else:
            parts[number].append(part)
    yield from map(_whole, parts.values())


def _amounts(priced: list[tuple[str, str]]) -> Generator[KeptBack, None, list[Decimal]]:
    """What lines are worth; one that cannot be read is kept back alone."""
    try:
        return list(starmap(fields.amount, priced))
    except fields.Unreadable:
        return (yield from _one_by_one(priced))


def _one_by_one(priced: list[tuple[str, str]]) -> Generator[KeptBack, None, list[Decimal]]:
    found = []
    for quantity, price in priced:
        try:
            found.append(fields.amount(quantity, price))
        except fields.Unreadable as fault:
            yield KeptBack(fault.reason)
    return found


def _order(number: str, date: str, customer: str, amounts: list[Decimal], cancelled_prefix: str) -> Order:
    return Order(
        number=fields.number(number),
        customer=fields.customer(customer),
        placed_at=fields.moment(date),
        lines=len(amounts),
        total=sum(amounts, Decimal(0)),
        cancelled=number.startswith(cancelled_prefix),
    )


def _whole(parts: list[Order]) -> Order | KeptBack:
    """One order of the parts that bear its number: lines of one invoice can differ by a minute."""
    if len(parts) == 1:
        return parts[0]
    lines, total = sum(part.lines for part in parts), sum((part.total for part in parts), Decimal(0))
    if len({part.customer for part in parts}) > 1:
        return KeptBack("invoice with several customers", lines, total)
    return evolve(parts[0], placed_at=min(part.placed_at for part in parts), lines=lines, total=total)
