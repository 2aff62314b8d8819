"""What a shop may say of a customer. `examples/policies/retail.toml` weighs these."""

from sesame_sdk import Evidence, Polarity, Sensitivity, SignalKind

COMPLETED = SignalKind(
    name="retail.order.completed",
    context="retail",
    unit="order",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Orders that you kept",
)
SPEND = SignalKind(
    name="retail.order.spend",
    context="retail",
    unit="GBP",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.FINANCIAL,
    reason="What you spent on orders",
)
RETURNED = SignalKind(
    name="retail.order.returned",
    context="retail",
    unit="GBP",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.BOTH,
    sensitivity=Sensitivity.FINANCIAL,
    reason="What you sent back or cancelled",
)
TENURE = SignalKind(
    name="retail.customer.tenure",
    context="retail",
    unit="month",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Months in which you shopped here",
)
KINDS = (COMPLETED, SPEND, RETURNED, TENURE)
