"""The plugin keeps the SDK's contract."""

from datetime import UTC, datetime
from decimal import Decimal

from attrs import evolve
from sesame_retail import Order
from sesame_retail.kinds import SPENT

from sesame_sdk.testing import plugin_contract

PLACED = datetime(2011, 3, 31, 23, 59, tzinfo=UTC)
BOUGHT = Order("536365", "17850", PLACED, 3, Decimal("139.12"), cancelled=False)
RETURNED = Order("C536379", "14527", PLACED, 1, Decimal("-27.50"), cancelled=True)
NOBODYS = Order("536414", None, PLACED, 1, Decimal(0), cancelled=False)

ABROAD = [
    evolve(order, number=f"{order.number} {code}", currency=code)
    for code in SPENT
    for order in (BOUGHT, RETURNED)
]

TestContract = plugin_contract("sesame_retail", events=[BOUGHT, RETURNED, NOBODYS, *ABROAD])
