"""The fields of an order line, from text.

Files repeat themselves: a few thousand prices, quantities and minutes make up a million lines. So each
is parsed once and looked up after that; the caches are bounded.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

_is_quantity = re.compile(r"[+-]?[0-9]{1,9}").fullmatch
# At most 13 digits: a sum of a million such lines is still exact in 28 digits of Decimal.
_is_price = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,4})?").fullmatch
_LONGEST = 64


class Unreadable(ValueError):
    """A field that cannot be understood.

    Args:
        reason: short and stable; never the text itself, which may be personal.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@lru_cache(maxsize=1 << 16)
def amount(quantity: str, price: str) -> Decimal:
    """Quantity times unit price, exact."""
    if not _is_quantity(quantity.strip()):
        raise Unreadable("unreadable quantity")
    if not _is_price(price.strip()):
        raise Unreadable("unreadable price")
    return int(quantity) * Decimal(price.strip())


@lru_cache(maxsize=1 << 14)
def moment(text: str) -> datetime:
    """An instant, in UTC.

    Without a zone in the text it is taken as UTC: guessing another would move orders over midnight.
    """
    try:
        read = datetime.fromisoformat(text.strip())
        at = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable("unreadable date") from error
    if at.year < 1970:
        raise Unreadable("date before 1970")
    return at


def number(text: str) -> str:
    """An invoice number."""
    if not text:
        raise Unreadable("no invoice number")
    return _name(text, "unreadable invoice number")


def customer(text: str) -> str | None:
    """The shop's number for a customer; None where it has none."""
    return _name(text, "unreadable customer") if text else None


def _name(text: str, otherwise: str) -> str:
    # Undecodable bytes are lone surrogates here, which are not printable: two customers whose numbers
    # were mangled in the same way must not become one.
    if len(text) > _LONGEST or not text.isprintable():
        raise Unreadable(otherwise)
    return text
