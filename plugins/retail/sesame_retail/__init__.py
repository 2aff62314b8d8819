"""Turns a shop's orders into signals: completed orders, spend, returns, tenure.

What was bought, and where the customer lives, is never read.
"""

from collections.abc import Iterable

import click

from sesame_retail.files.mapping import ColumnMapping
from sesame_retail.model import Order
from sesame_retail.provider import MAX_REJECTS, Orders
from sesame_sdk import SignalProvider, hookimpl

SESAME_API = "1.0"

__all__ = ["ColumnMapping", "Order", "Orders", "sesame_cli_commands", "sesame_signal_providers"]


@hookimpl
def sesame_signal_providers() -> Iterable[SignalProvider[Order]]:
    """One provider, ``retail``."""
    return (Orders(max_rejects=MAX_REJECTS),)


@hookimpl
def sesame_cli_commands(group: click.Group) -> None:
    """``sesame retail``."""
    from sesame_retail.cli import retail

    group.add_command(retail)
