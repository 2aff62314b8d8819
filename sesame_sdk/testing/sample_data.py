"""Kinds and policies for tests and examples. The guard allows all of them."""

from typing import Any, Final

from attrs import evolve

from sesame_sdk.guard import purposes
from sesame_sdk.model import codec
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Effect, Terms

BENEFITS: Final = purposes.PERSONALISED_BENEFITS
CARE: Final = purposes.CUSTOMER_CARE
RETAIL, COMMUNITY = "retail", "community"


ORDER: Final = SignalKind("retail.order.completed", "order_kept")
SPEND: Final = SignalKind("retail.order.spend", "order_spend", "GBP")
LATE: Final = SignalKind("retail.payment.missed", "payment_missed")
POST: Final = SignalKind("community.post.helpful", "answer_marked_helpful")
KINDS: Final = (ORDER, LATE, POST)


def readers_of(*contexts: str, purpose: str = BENEFITS) -> tuple[ConsumerDeclaration, ...]:
    """Declarations of consumers that read the scores of these contexts."""
    return tuple(ConsumerDeclaration(f"{context}-reader", purpose, context) for context in contexts)


def make_weighting(kind: SignalKind, **other: Any) -> Weighting:  # noqa: ANN401 - fields of a Weighting
    """10 points each, up to 100, 80 from one partner; a kind that lowers takes 7 and expires in a year."""
    usual: dict[str, Any] = {"weight": 10.0, "floor": 0.0, "cap": 100.0, "partner_cap": 80.0}
    if kind.entry.lowers:
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
        disputes="https://hub.example/disputes",
        terms=Terms(effects=(Effect("free_returns", "good"),)),
    )
    return evolve(policy, digest=codec.policy_digest(policy))


#: Weighs all three: posts may count in the score of purchases too.
PURCHASES: Final = make_policy(
    make_weighting(ORDER, half_life_days=30.0), make_weighting(LATE), make_weighting(POST, weight=3.0)
)
POSTS: Final = make_policy(make_weighting(POST, weight=7.0), context=COMMUNITY)
