"""Signed registrations: what the hub lets a partner say, and why it lets it read."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from sesame_sdk import GuardRefusedError, InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model.envelope import EventType
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, NOON, ORDER, POST, Clock, Partner, kind, manifest, policy, weighting


def test_a_registration_is_kept_and_answered_with_a_receipt(shop: Partner, hub: Hub) -> None:
    """The operator sees plugins, kinds and purposes of each partner."""
    partner = hub.list_partners()[0]
    assert partner.issuer == shop.issuer
    assert partner.plugins == ("sesame-test 1.0",)
    assert partner.kinds == (ORDER, LATE)
    assert partner.purposes == ("https://w3id.org/dpv#PersonalisedBenefits",)


def test_a_registration_again_gets_the_same_receipt(shop: Partner, hub: Hub) -> None:
    """A partner that lost the answer may send the same token once more."""
    token = shop.token(EventType.REGISTRATION, manifest(ORDERS, name="sesame-more"))
    assert hub.receive(token) == hub.receive(token)


def test_a_newer_registration_takes_the_place_of_the_older(shop: Partner, hub: Hub, clock: Clock) -> None:
    """A kind that the plugin no longer declares neither comes in nor counts."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    clock.advance(minutes=1)
    shop.register(manifest(LATES, version="2.0"))
    assert hub.list_partners()[0].kinds == (LATE,)
    assert hub.explain("ada", "retail") is None
    assert shop.send(shop.signal("ada", "2")).dropped[0].reason == "kind_not_registered"


def test_another_plugin_of_the_partner_stands_beside_it(shop: Partner, hub: Hub) -> None:
    """Only a plugin of the same name is replaced."""
    shop.register(manifest(kind(POST), name="sesame-second"))
    assert hub.list_partners()[0].kinds == (POST, ORDER, LATE)


def test_an_older_registration_is_rejected(shop: Partner, hub: Hub) -> None:
    """Somebody who kept an old token cannot bring an old state back."""
    token = shop.token(EventType.REGISTRATION, manifest(ORDERS), now=NOON - timedelta(minutes=1))
    with pytest.raises(InvalidInputError, match="iat: is older"):
        hub.receive(token)


@pytest.mark.parametrize(
    ("declared", "field"),
    [
        pytest.param(manifest(ORDERS, api="2.0"), "api", id="another major version of the API"),
        pytest.param(manifest(ORDERS, digest="x" * 43), "digest", id="a digest that is not its own"),
        pytest.param(manifest(ORDERS, digest=""), "digest", id="no digest"),
        pytest.param(manifest(ORDERS, ORDERS), "kinds", id="one kind twice"),
        pytest.param(manifest(reads=["retail", "retail"]), "consumers", id="one consumer twice"),
    ],
)
def test_a_manifest_that_is_wrong_is_rejected(shop: Partner, hub: Hub, declared: Any, field: str) -> None:
    """Naming the field; what was registered before stands."""
    with pytest.raises(InvalidInputError, match=field):
        shop.register(declared)
    assert hub.list_partners()[0].kinds == (ORDER, LATE)


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        pytest.param(
            manifest(kind("retail.order.pharmacy", "medicine_ordered")),
            "SPC-1",
            id="a special kind",
        ),
        pytest.param(
            manifest(kind("retail.guess.made", "predicted_default")),
            "INF-1",
            id="an inference that lowers",
        ),
        pytest.param(
            manifest(ORDERS, kind("community.opinion.voiced", "post_opinion")),
            "POL-1",
            id="one bad kind among good ones",
        ),
    ],
)
def test_the_guard_checks_each_registration(shop: Partner, hub: Hub, declared: Any, rule: str) -> None:
    """A refusal carries its findings, and nothing of the plugin is registered."""
    with pytest.raises(GuardRefusedError) as refused:
        shop.register(declared)
    assert rule in {finding.rule for finding in refused.value.findings}
    assert hub.list_partners()[0].kinds == (ORDER, LATE)


def test_a_kind_may_not_contradict_a_policy_in_force(shop: Partner, hub: Hub) -> None:
    """A policy takes a kind for confirmed abuse; a registration of it as spam is refused."""
    lowering = kind("retail.account.abused", "abuse_confirmed")
    hub.set_policy(policy(weighting(lowering, expires_days=90.0)))
    with pytest.raises(GuardRefusedError):
        shop.register(manifest(evolve(lowering, observation="spam_confirmed"), name="other"))


def test_a_policy_may_not_contradict_a_registered_kind(shop: Partner, hub: Hub) -> None:
    """The guard compares a policy with what its kinds were registered as."""
    inferred = kind("retail.order.likely", "post_explains")
    shop.register(manifest(inferred, name="sesame-guess"))
    with pytest.raises(GuardRefusedError):
        hub.set_policy(policy(weighting(evolve(inferred, observation="answer_accepted"))))


def test_a_name_means_one_thing_on_a_hub(shop: Partner, hub: Hub, clock: Clock) -> None:
    """The second partner declares a kind as the first did; titles may differ.

    Where a policy weighs it, the guard refuses it first, against the policy.
    """
    bookings = kind("retail.booking.kept", "booking_kept")
    shop.register(manifest(bookings, name="sesame-bookings"))
    twin = Partner.join("https://twin.example", hub, clock, evolve(ORDERS, title="Orders in our words"))
    assert hub.list_partners()[1].kinds == (ORDER,)
    with pytest.raises(InvalidInputError, match="another meaning") as refused:
        twin.register(manifest(evolve(bookings, observation="ride_shared"), name="other"))
    assert refused.value.code == "access_denied"
    with pytest.raises(GuardRefusedError) as refused:
        twin.register(manifest(evolve(ORDERS, currency="EUR"), name="other"))
    assert "DCL-1" in {finding.rule for finding in refused.value.findings}
    assert shop.issuer == hub.list_partners()[0].issuer


def test_a_kind_keeps_its_meaning_even_for_the_plugin_that_first_declared_it(
    shop: Partner, hub: Hub, clock: Clock
) -> None:
    """What is kept, and what people agreed to, has the first meaning; only the words may change."""
    bookings = kind("retail.booking.kept", "booking_kept")
    shop.register(manifest(bookings, name="sesame-bookings"))
    clock.advance(minutes=1)
    other = evolve(bookings, observation="ride_shared")
    with pytest.raises(InvalidInputError, match="registered with another meaning"):
        shop.register(manifest(other, name="sesame-bookings", version="2.0"))
    shop.register(manifest(evolve(ORDERS, title="Orders that went well"), LATES, version="2.0"))
    assert hub.list_partners()[0].plugins == ("sesame-bookings 1.0", "sesame-test 2.0")
