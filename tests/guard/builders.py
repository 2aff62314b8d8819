"""Good nouns, of which a test changes the one thing that it is about."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from attrs import evolve, fields

from sesame_sdk.guard.purposes import CUSTOMER_CARE
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.grant import Direction, Grant, ReadRequest
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Effect, Ranking, Terms

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
READER = "https://match.example"

GOOD_KIND = SignalKind("retail.order.completed", "order_kept")
RETURNED = SignalKind("retail.order.returned", "order_return_count")
GOOD_WEIGHTING = Weighting(kind=GOOD_KIND, weight=4.0, floor=0.0, cap=100.0, partner_cap=60.0)
LOWERING = Weighting(kind=RETURNED, weight=-1.0, floor=-50.0, cap=0.0, partner_cap=60.0, half_life_days=180.0)
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
    disputes="https://shop.example/disputes",
    terms=Terms(effects=(Effect("free_returns", "good"),)),
)
GOOD_RANKING = Ranking(parameters=("relevance", "score"), other_order="newest first")
GOOD_CONSUMER = ConsumerDeclaration(name="care", purpose=CUSTOMER_CARE, context="retail")
GOOD_GRANT = Grant(
    partner=READER,
    subject="pseudonym".ljust(26, "a"),
    direction=Direction.READ,
    given_at=datetime(2026, 1, 1, tzinfo=UTC),
    purpose=CUSTOMER_CARE,
    context="retail",
    adult=True,
)
GOOD_READING = ReadRequest(READER, CUSTOMER_CARE, "retail", NOON, GOOD_GRANT)

T = TypeVar("T", Policy, ConsumerDeclaration)
_OF_TERMS = {own.name for own in fields(Terms)}
_OF_KIND = {own.name for own in fields(SignalKind)}


def kind(**changes: Any) -> SignalKind:
    """A good kind with `changes`."""
    return evolve(GOOD_KIND, **changes)


def weighting(like: Weighting = GOOD_WEIGHTING, **changes: Any) -> Weighting:
    """A good weighting with `changes`, of which some are of its kind; `kind` is then the kind's name."""
    if "kind" in changes:
        changes["name"] = changes.pop("kind")
    of_kind = {key: changes.pop(key) for key in list(changes) if key in _OF_KIND}
    return evolve(like, kind=evolve(like.kind, **of_kind), **changes)


def policy(*weightings: Weighting, **changes: Any) -> Policy:
    """A good policy with `changes`, some of them of its terms, weighing `weightings` if any are given.

    With other bands its effect belongs to the last of them.
    """
    if weightings:
        changes["weightings"] = weightings
    if "bands" in changes:
        changes = {"effects": (Effect("free_returns", changes["bands"][-1].name),)} | changes
    return _on_terms(GOOD_POLICY, changes)


def consumer(**changes: Any) -> ConsumerDeclaration:
    """A good consumer with `changes`."""
    return _on_terms(GOOD_CONSUMER, changes)


def _on_terms(thing: T, changes: dict[str, Any]) -> T:
    of_terms = {key: changes.pop(key) for key in list(changes) if key in _OF_TERMS}
    return evolve(thing, terms=evolve(thing.terms, **of_terms), **changes)


def reading(**changes: Any) -> ReadRequest:
    """A good read with `changes`."""
    return evolve(GOOD_READING, **changes)


def grant(**changes: Any) -> Grant:
    """A good grant with `changes`."""
    return evolve(GOOD_GRANT, **changes)


def rules(findings: tuple[Finding, ...]) -> set[str]:
    """Ids of the rules with findings."""
    return {finding.rule for finding in findings}


def refusing(findings: tuple[Finding, ...]) -> set[str]:
    """Ids of the rules that refuse."""
    return {finding.rule for finding in findings if finding.action is Action.REFUSE}
