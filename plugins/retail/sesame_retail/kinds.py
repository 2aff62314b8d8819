"""What a shop may say of a customer. `examples/policies/retail.toml` weighs these."""

from sesame_sdk import Evidence, Polarity, Sensitivity, SignalKind

#: Terms of DPV's personal data categories: orders, and being a customer.
PURCHASE = "https://w3id.org/dpv/pd#Purchase"
SERVICE_USE = "https://w3id.org/dpv/pd#ServiceConsumptionBehaviour"

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
SPEND = SignalKind(
    name="retail.order.spend",
    context="retail",
    unit="GBP",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.FINANCIAL,
    reason="What you spent on orders",
    categories=(PURCHASE,),
    sources=("our own orders",),
)
RETURNED = SignalKind(
    name="retail.order.returned",
    context="retail",
    unit="GBP",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.BOTH,
    sensitivity=Sensitivity.FINANCIAL,
    reason="What you sent back or cancelled",
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
KINDS = (COMPLETED, SPEND, RETURNED, TENURE)
