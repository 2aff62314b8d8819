"""The kinds of signal that a shop may send. `examples/policies/retail.toml` weighs them.

Amounts in different currencies are different kinds, each in its own unit: a policy decides their
relative weight, not a shop.
"""

from sesame_sdk import Evidence, Polarity, Sensitivity, SignalKind

#: Terms of DPV's personal data categories: orders, and being a customer.
PURCHASE = "https://w3id.org/dpv/pd#Purchase"
SERVICE_USE = "https://w3id.org/dpv/pd#ServiceConsumptionBehaviour"
#: The usual currency; its kinds have no code at the end of their names.
UNIT = "GBP"

COMPLETED = SignalKind(
    name="retail.order.completed",
    context="retail",
    unit="order",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Orders that you kept",
    categories=(PURCHASE,),
    sources=("our own orders",),
)
TENURE = SignalKind(
    name="retail.customer.tenure",
    context="retail",
    unit="month",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Months in which you shopped here",
    categories=(SERVICE_USE,),
    sources=("our own orders",),
)


def _amount(what: str, unit: str, polarity: Polarity, reason: str) -> SignalKind:
    return SignalKind(
        name=f"retail.order.{what}" if unit == UNIT else f"retail.order.{what}.{unit.lower()}",
        context="retail",
        unit=unit,
        evidence=Evidence.OBSERVED,
        polarity=polarity,
        sensitivity=Sensitivity.FINANCIAL,
        reason=reason,
        categories=(PURCHASE,),
        sources=("our own orders",),
    )


#: By currency, in the order of the listing.
SPENT = {
    "GBP": _amount("spend", "GBP", Polarity.REWARD, "What you spent on orders"),
    "EUR": _amount("spend", "EUR", Polarity.REWARD, "What you spent on orders, in euros"),
    "USD": _amount("spend", "USD", Polarity.REWARD, "What you spent on orders, in US dollars"),
    "CNY": _amount("spend", "CNY", Polarity.REWARD, "What you spent on orders, in yuan"),
}
RETURNS = {
    "GBP": _amount("returned", "GBP", Polarity.BOTH, "What you sent back or cancelled"),
    "EUR": _amount("returned", "EUR", Polarity.BOTH, "What you sent back or cancelled, in euros"),
    "USD": _amount("returned", "USD", Polarity.BOTH, "What you sent back or cancelled, in US dollars"),
    "CNY": _amount("returned", "CNY", Polarity.BOTH, "What you sent back or cancelled, in yuan"),
}
SPEND, RETURNED = SPENT[UNIT], RETURNS[UNIT]
KINDS = (COMPLETED, *SPENT.values(), *RETURNS.values(), TENURE)
