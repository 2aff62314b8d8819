"""A shop's order, as the plugin reads it."""

from datetime import datetime
from decimal import Decimal

from attrs import frozen

from sesame_retail.money import UNIT


@frozen
class Order:
    """One invoice, or what was done to one later. What was bought is not in here.

    Attributes:
        number: the invoice number.
        customer: the shop's own number for the customer; None where the shop had none.
        placed_at: the earliest of its lines; UTC.
        lines: how many there are.
        total: what it comes to; negative for what takes goods back.
        cancelled: whether it takes goods back.
        corrects: whether it changes what an earlier order came to, and is none itself.
        key: what it counts by; its number where that is empty.
        currency: of the total; one of `kinds.SPENT`.
    """

    number: str
    customer: str | None
    placed_at: datetime
    lines: int
    total: Decimal
    cancelled: bool
    corrects: bool = False
    key: str = ""
    currency: str = UNIT
