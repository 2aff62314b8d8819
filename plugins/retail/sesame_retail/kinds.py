"""What a shop may say of a customer. `examples/policies/retail.toml` weighs these."""

from sesame_sdk import Evidence, Polarity, Sensitivity, SignalKind

#: A term of DPV's personal data categories.
CATEGORY = "https://w3id.org/dpv/pd#Transactional"

COMPLETED = SignalKind(
    name="retail.order.completed",
    context="retail",
    unit="order",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Orders that you kept",
    categories=(CATEGORY,),
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
    categories=(CATEGORY,),
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
    categories=(CATEGORY,),
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
    categories=(CATEGORY,),
    sources=("our own orders",),
)
KINDS = (COMPLETED, SPEND, RETURNED, TENURE)
