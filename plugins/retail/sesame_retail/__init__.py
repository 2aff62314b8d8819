"""Purchase feeds as signals: completed orders, spend, returns, tenure.

A shop's order lines go in; four kinds of signal about a customer's own orders come out. What was
bought, and where the customer lives, is never read.
"""

from collections.abc import Iterable

from sesame_retail.mapping import Columns
from sesame_retail.orders import Order
from sesame_retail.provider import Orders
from sesame_sdk import SignalProvider, hookimpl

SESAME_API = "1.0"

__all__ = ["Columns", "Order", "Orders", "sesame_signal_providers"]


@hookimpl
def sesame_signal_providers() -> Iterable[SignalProvider[Order]]:
    """One provider, ``retail``."""
    return (Orders(),)
