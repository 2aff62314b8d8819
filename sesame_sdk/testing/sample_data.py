"""Kinds and policies for tests and examples. The guard allows all of them."""

from typing import Any, Final

from attrs import evolve

from sesame_sdk.guard import purposes
from sesame_sdk.model import codec
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import Evidence, Polarity, Sensitivity, SignalKind

BENEFITS: Final = purposes.PERSONALISED_BENEFITS
CARE: Final = purposes.CUSTOMER_CARE
RETAIL, COMMUNITY = "retail", "community"


def _kind(name: str, reason: str, polarity: Polarity = Polarity.REWARD) -> SignalKind:
    return SignalKind(
        name=name,
        context=name.partition(".")[0],
        unit="one",
        evidence=Evidence.OBSERVED,
        polarity=polarity,
        sensitivity=Sensitivity.ORDINARY,
        reason=reason,
        categories=("https://w3id.org/dpv/pd#Purchase",),
    )


ORDER: Final = _kind("retail.order.completed", "Orders that you kept")
LATE: Final = _kind("retail.payment.missed", "Invoices left unpaid", Polarity.BOTH)
POST: Final = _kind("community.post.helpful", "Posts that helped others")
KINDS: Final = (ORDER, LATE, POST)


def readers_of(*contexts: str, purpose: str = BENEFITS) -> tuple[ConsumerDeclaration, ...]:
    """Declarations of consumers that read the scores of these contexts."""
    return tuple(ConsumerDeclaration(f"{context}-reader", purpose, context) for context in contexts)


def make_weighting(kind: SignalKind, **other: Any) -> Weighting:  # noqa: ANN401 - fields of a Weighting
    """10 points each, up to 100, 80 from one partner; a kind that may lower takes 7 and expires in a year."""
    usual: dict[str, Any] = {"weight": 10.0, "floor": 0.0, "cap": 100.0, "partner_cap": 80.0}
    if kind.polarity is Polarity.BOTH:
        usual |= {"weight": -7.0, "floor": -60.0, "cap": 0.0, "expires_days": 365.0}
    return Weighting(kind=kind, **(usual | other))


def make_policy(*weightings: Weighting, context: str = RETAIL, version: int = 1) -> Policy:
    """350 to 950 from 500, for `BENEFITS`, with its digest."""
    policy = Policy(
        name=f"{context}-test",
        version=version,
        context=context,
        base=500.0,
        low=350.0,
        high=950.0,
        bands=(Band("fair", 350.0), Band("good", 550.0)),
        weightings=weightings,
        purposes=(BENEFITS,),
        aim="Small privileges for people who are reliable",
        disputes="https://hub.example/disputes",
    )
    return evolve(policy, digest=codec.policy_digest(policy))


#: Weighs all three: posts may count in the score of purchases too.
PURCHASES: Final = make_policy(
    make_weighting(ORDER, half_life_days=30.0), make_weighting(LATE), make_weighting(POST, weight=3.0)
)
POSTS: Final = make_policy(make_weighting(POST, weight=7.0), context=COMMUNITY)
