"""Good nouns, of which a test changes the one thing that it is about."""

from datetime import UTC, datetime
from typing import Any

from attrs import evolve

from sesame_sdk.guard.purposes import CUSTOMER_CARE
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Direction, Grant, Reading
from sesame_sdk.model.party import ConsumerDeclaration
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signal import Evidence, Polarity, Sensitivity, SignalKind

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
READER = "https://match.example"

GOOD_KIND = SignalKind(
    name="retail.order.completed",
    context="retail",
    unit="order",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.FINANCIAL,
    reason="Orders that you kept",
)
GOOD_WEIGHTING = Weighting(
    kind="retail.order.completed",
    weight=4.0,
    floor=0.0,
    cap=100.0,
    partner_cap=60.0,
    reason="Orders that you kept",
    context="retail",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
)
LOWERING = evolve(
    GOOD_WEIGHTING,
    kind="retail.order.returned",
    weight=-1.0,
    floor=-50.0,
    reason="Orders that you sent back",
    polarity=Polarity.BOTH,
    half_life_days=180.0,
)
GOOD_POLICY = Policy(
    name="retail-privileges",
    version=1,
    context="retail",
    base=550.0,
    low=350.0,
    high=950.0,
    bands=(Band("ordinary", 350.0), Band("good", 600.0)),
    weightings=(GOOD_WEIGHTING, LOWERING),
    purposes=(CUSTOMER_CARE,),
)
GOOD_CONSUMER = ConsumerDeclaration(name="care", purpose=CUSTOMER_CARE, context="retail")
GOOD_GRANT = Grant(
    partner=READER,
    subject="pseudonym",
    direction=Direction.READ,
    given_at=datetime(2026, 1, 1, tzinfo=UTC),
    purpose=CUSTOMER_CARE,
    context="retail",
)
GOOD_READING = Reading(READER, CUSTOMER_CARE, "retail", NOON, GOOD_GRANT)


def kind(**changes: Any) -> SignalKind:
    """A good kind with `changes`."""
    return evolve(GOOD_KIND, **changes)


def weighting(**changes: Any) -> Weighting:
    """A good weighting with `changes`."""
    return evolve(GOOD_WEIGHTING, **changes)


def policy(*weightings: Weighting, **changes: Any) -> Policy:
    """A good policy with `changes`, weighing `weightings` if any are given."""
    return evolve(GOOD_POLICY, **({"weightings": weightings} if weightings else {}), **changes)


def consumer(**changes: Any) -> ConsumerDeclaration:
    """A good consumer with `changes`."""
    return evolve(GOOD_CONSUMER, **changes)


def reading(**changes: Any) -> Reading:
    """A good read with `changes`."""
    return evolve(GOOD_READING, **changes)


def grant(**changes: Any) -> Grant:
    """A good grant with `changes`."""
    return evolve(GOOD_GRANT, **changes)


def rules(findings: tuple[Finding, ...]) -> set[str]:
    """Ids of the rules that found something."""
    return {finding.rule for finding in findings}
