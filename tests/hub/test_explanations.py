"""A person's own view at the hub: the same score, ways that partners there could bear out, and what if."""

from datetime import timedelta

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model.explanation import Hypothetical, NextBand, PartnerUnits
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, NOON, ORDER, POST, Clock, Partner, kind, policy, weighting
from tests.hub.ledger import ledger_bytes

POSTS = kind(POST)


@pytest.fixture
def open_hub(hub: Hub, shop: Partner) -> Hub:
    """The hub, with a policy that says what takes how much effort; ada lets the shop send."""
    hub.set_policy(
        policy(
            weighting(ORDERS, effort=1.0, code="R1"),
            weighting(POSTS, weight=5.0, effort=0.1),
            weighting(LATES, weight=-7.0, floor=-60.0, half_life_days=90.0, expires_days=365.0),
            version=2,
        )
    )
    hub.add_grants(shop.grants("ada", ORDER, LATE))
    return hub


def _ahead(hub: Hub) -> NextBand:
    explanation = hub.explain("ada", "retail")
    assert explanation
    assert explanation.next_band
    return explanation.next_band


def test_the_explanation_names_the_policys_codes_and_where_to_dispute(open_hub: Hub, shop: Partner) -> None:
    """What took points first; a kind without a code is known by its observation."""
    shop.send(shop.signal("ada", "1"), shop.signal("ada", "2", LATE))
    explanation = open_hub.explain("ada", "retail")
    assert explanation
    assert [part.code for part in explanation.score.contributions] == [LATES.observation, "R1"]
    assert [part.code for part in explanation.adverse] == [LATES.observation]
    assert [part.code for part in explanation.positive] == ["R1"]
    assert explanation.disputes == "https://hub.example/disputes"


def test_a_way_names_the_partner_and_going_it_reaches_the_band(open_hub: Hub, shop: Partner) -> None:
    """Four more orders at the shop; once they are sent, the band is there."""
    shop.send(shop.signal("ada", "1"))
    (way,) = _ahead(open_hub).plans
    assert [(step.kind, step.units) for step in way.steps] == [(ORDER, 4)]
    assert way.steps[0].partners == (PartnerUnits(shop.issuer, 4),)
    shop.send(*(shop.signal("ada", f"more-{number}") for number in range(4)))
    explanation = open_hub.explain("ada", "retail")
    assert explanation
    assert explanation.score.band == "good"
    assert explanation.next_band is None


def test_nothing_is_suggested_that_no_partner_could_send(open_hub: Hub, shop: Partner, clock: Clock) -> None:
    """Posts take less, but are of a context that no grant lets in, though a forum is there to send them."""
    Partner.join("https://forum.example", open_hub, clock, POSTS)
    shop.send(shop.signal("ada", "1"))
    assert {step.kind for way in _ahead(open_hub).plans for step in way.steps} == {ORDER}
    open_hub.add_grants(shop.grants("ada", reads="retail", crossings=("community",)))
    cheapest = _ahead(open_hub).plans[0]
    assert [(step.kind, step.units) for step in cheapest.steps] == [(POST, 8)]
    assert cheapest.steps[0].partners == (PartnerUnits("", 8),)


def test_a_partner_that_one_left_counts_as_a_new_one(open_hub: Hub, shop: Partner, clock: Clock) -> None:
    """With a grant it is named; without, it is somebody new to the person."""
    twin = Partner.join("https://twin.example", open_hub, clock, ORDERS)
    open_hub.add_grants(twin.grants("ada", ORDER))
    twin.send(twin.signal("ada", "1"))
    open_hub.withdraw_grants("ada", shop.issuer)
    clock.advance(seconds=1)
    assert _ahead(open_hub).plans[0].steps[0].partners == (PartnerUnits(twin.issuer, 4),)


def test_waiting_ends_on_the_day_that_it_says(open_hub: Hub, shop: Partner, clock: Clock) -> None:
    """The day before, it is not there yet."""
    orders = [shop.signal("ada", f"o{number}") for number in range(6)]
    lates = [shop.signal("ada", f"l{number}", LATE, at=NOON - timedelta(days=9)) for number in range(4)]
    shop.send(*orders, *lates)
    day = _ahead(open_hub).waiting.reached_on
    assert day
    clock.advance(days=(day - NOON.date()).days - 1)
    assert _ahead(open_hub).name == "good"
    clock.advance(days=1)
    explanation = open_hub.explain("ada", "retail")
    assert explanation
    assert explanation.score.band == "good"


def test_what_if_changes_nothing(open_hub: Hub, shop: Partner) -> None:
    """Neither the score, nor a byte on disk, nor the list of who read it."""
    shop.send(shop.signal("ada", "1"))
    before = open_hub.explain("ada", "retail")
    assert before
    on_disk = ledger_bytes(open_hub.settings.path)
    estimate = open_hub.what_if("ada", "retail", [Hypothetical(ORDER, 2.0), Hypothetical(LATE, 1.0)])
    assert estimate.score
    assert (estimate.score.points, estimate.current) == (523.0, before.score)
    assert ledger_bytes(open_hub.settings.path) == on_disk
    assert open_hub.explain("ada", "retail") == before
    assert open_hub.list_score_reads("ada") == []


def test_what_if_for_somebody_who_is_not_known_starts_from_nothing(open_hub: Hub) -> None:
    """And with nothing added there is no score."""
    estimate = open_hub.what_if("unknown", "retail", [Hypothetical(ORDER, 2.0)])
    assert estimate.current is None
    assert estimate.score
    assert estimate.score.points == 520.0
    assert open_hub.what_if("unknown", "retail", []).score is None


def test_another_persons_signals_are_never_counted_in(open_hub: Hub, shop: Partner) -> None:
    """Bob's orders do nothing for ada's estimate, asked on the same connection."""
    open_hub.add_grants(shop.grants("bob", ORDER))
    shop.send(shop.signal("ada", "1"), shop.signal("bob", "2"), shop.signal("bob", "3"))
    for person, points in (("bob", 520.0), ("ada", 510.0), ("unknown", None)):
        score = open_hub.what_if(person, "retail", []).score
        assert (score.points if score else None) == points


def test_a_context_without_a_policy_has_no_explanation_and_no_estimate(open_hub: Hub) -> None:
    """The one is none, the other an error, since there is nothing to estimate by."""
    assert open_hub.explain("ada", "games") is None
    with pytest.raises(InvalidInputError, match="no policy for games"):
        open_hub.what_if("ada", "games", [])
