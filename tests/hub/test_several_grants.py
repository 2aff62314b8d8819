"""One person with several grants to read: each read goes by its own, and each explanation by those valid."""

from datetime import timedelta

import pytest
from attrs import evolve

from sesame_sdk import ConsumerDeclaration, Direction, Manifest, Policy
from sesame_sdk.guard import purposes
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model import codec
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import BENEFITS, NOON, ORDER, POST, Clock, Partner, kind, policy, weighting

POSTS = kind(POST)
CARE = purposes.CUSTOMER_CARE


def _serving(made: Policy, *more: str) -> Policy:
    """The same policy for further purposes."""
    served = evolve(made, purposes=(*made.purposes, *more))
    return evolve(served, digest=codec.policy_digest(served))


@pytest.fixture
def mall(hub: Hub, clock: Clock) -> Partner:
    """Says orders and posts, each in its context, and reads both scores for two purposes."""
    partner = Partner.join("https://mall.example", hub, clock)
    consumers = tuple(
        ConsumerDeclaration(f"{context}-{name}", purpose, context)
        for context in ("retail", "community")
        for name, purpose in (("benefits", BENEFITS), ("care", CARE))
    )
    declared = Manifest("sesame-mall", "1.0", "1.0", (ORDERS, POSTS), consumers)
    partner.register(evolve(declared, digest=codec.manifest_digest(declared)))
    hub.set_policy(_serving(policy(weighting(ORDERS), weighting(POSTS, weight=3.0)), CARE))
    hub.set_policy(_serving(policy(weighting(POSTS, weight=7.0), context="community"), CARE))
    hub.add_grants(partner.grants("ada", ORDER, POST))
    partner.send(partner.signal("ada", "1"), partner.signal("ada", "2", POST))
    return partner


def _points(partner: Partner, hub: Hub, purpose: str, context: str) -> float | None:
    subject = partner.pseudonym("ada")
    score = hub.read_scores(partner.read_token(context=context, purpose=purpose), [subject])[subject]
    return score.points if score else None


def _explained(hub: Hub, context: str = "retail") -> float | None:
    explanation = hub.explain("ada", context)
    return explanation.score.points if explanation else None


@pytest.mark.parametrize("last", [BENEFITS, CARE], ids=["benefits recorded last", "care recorded last"])
def test_two_purposes_are_two_grants(mall: Partner, hub: Hub, last: str) -> None:
    """Each is answered by its own, with what it lets cross and no more, whichever came later."""
    days = {BENEFITS: 3, CARE: 3} | {last: 2}
    for purpose, crossings in ((BENEFITS, ("community",)), (CARE, ())):
        given = NOON - timedelta(days=days[purpose])
        hub.add_grants(
            mall.grants("ada", reads="retail", purpose=purpose, crossings=crossings, given_at=given)
        )
    assert _points(mall, hub, BENEFITS, "retail") == 513.0
    assert _points(mall, hub, CARE, "retail") == 510.0
    assert _points(mall, hub, CARE, "community") is None


@pytest.mark.parametrize(
    "last", ["retail", "community"], ids=["retail recorded last", "community recorded last"]
)
def test_two_contexts_are_two_grants(mall: Partner, hub: Hub, last: str) -> None:
    """Each is answered with the score of its own context."""
    days = {"retail": 3, "community": 3} | {last: 2}
    for context in days:
        hub.add_grants(mall.grants("ada", reads=context, given_at=NOON - timedelta(days=days[context])))
    assert _points(mall, hub, BENEFITS, "retail") == 510.0
    assert _points(mall, hub, BENEFITS, "community") == 507.0
    assert _points(mall, hub, CARE, "retail") is None


@pytest.mark.parametrize("how", ["withdrawn", "expired"])
def test_a_crossing_ends_with_its_grant(mall: Partner, hub: Hub, clock: Clock, how: str) -> None:
    """A person's own view shows what a reader could see now, not what one could see once."""
    end = NOON + timedelta(hours=1) if how == "expired" else None
    hub.add_grants(mall.grants("ada", reads="retail", crossings=("community",), expires_at=end))
    assert _explained(hub) == 513.0
    clock.advance(hours=1)
    if how == "withdrawn":
        hub.withdraw_grants("ada", mall.issuer, Direction.READ)
    assert _explained(hub) == 510.0


def test_a_crossing_into_one_context_is_none_into_another(mall: Partner, hub: Hub) -> None:
    """The grant lets posts into the score of games, and not into the retail one."""
    hub.add_grants(mall.grants("ada", reads="retail"))
    hub.add_grants(mall.grants("ada", reads="games", crossings=("community",)))
    assert _explained(hub) == 510.0
    assert _points(mall, hub, BENEFITS, "retail") == 510.0


def test_a_crossing_of_one_person_is_not_anothers(mall: Partner, hub: Hub) -> None:
    """Bob's grant does nothing for ada."""
    hub.add_grants(mall.grants("ada", reads="retail"))
    hub.add_grants(mall.grants("bob", reads="retail", crossings=("community",)))
    assert _explained(hub) == 510.0
