"""A shop's order, as the plugin reads it."""

from datetime import datetime
from decimal import Decimal

from attrs import frozen

from sesame_retail.money import UNIT


@frozen
class Order:
    """One invoice, or a later change of one. It does not hold what was bought.

    Attributes:
        customer: the shop's own number for the customer; None where the shop had none.
        placed_at: the earliest of its lines; UTC.
        total: its amount; negative for a return.
        cancelled: whether it is a return or a cancellation.
        corrects: whether it changes the amount of an earlier order, and is no order itself.
        key: identifies its signals; its number if empty.
        currency: of the total; one of `kinds.SPENT`.
        time_zone: of the shop's calendar, by which a month of tenure is counted.
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
    time_zone: str = "UTC"
