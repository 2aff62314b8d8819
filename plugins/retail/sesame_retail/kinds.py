"""The kinds of signal that a shop may send. `examples/policies/retail.toml` weighs them.

Amounts in different currencies are different kinds, each in its own currency: a policy decides their
relative weight, not a shop.
"""

from sesame_sdk import SignalKind

#: The usual currency; its kinds have no code at the end of their names.
UNIT = "GBP"
CURRENCIES = ("GBP", "EUR", "USD", "CNY")

COMPLETED = SignalKind("retail.order.completed", "order_kept")
TENURE = SignalKind("retail.customer.tenure", "membership_month")


def _amount(what: str, observation: str, currency: str) -> SignalKind:
    name = f"retail.order.{what}" if currency == UNIT else f"retail.order.{what}.{currency.lower()}"
    return SignalKind(name, observation, currency)


#: By currency, in the order of the listing.
SPENT = {currency: _amount("spend", "order_spend", currency) for currency in CURRENCIES}
RETURNS = {currency: _amount("returned", "order_returned", currency) for currency in CURRENCIES}
SPEND, RETURNED = SPENT[UNIT], RETURNS[UNIT]
KINDS = (COMPLETED, *SPENT.values(), *RETURNS.values(), TENURE)
