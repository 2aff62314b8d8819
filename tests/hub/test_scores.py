"""Scores: exact points, what counts, and whose kinds may cross into another context."""

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from sesame_sdk import InvalidInputError, Signal
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import create_hub
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import HUB, LATE, NOON, ORDER, POST, Clock, Partner, kind, policy, weighting

POSTS = kind(POST)
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)


def _worth(signals: list[Signal], weight: float, half_life: float, lowest: float, highest: float) -> float:
    """One kind of one partner, written down from the design's formula, without SQL."""
    total = 0.0
    for signal in signals:
        days = max(0.0, (MIDNIGHT - signal.occurred_at) / timedelta(days=1))
        total += weight * signal.value * math.pow(0.5, days / half_life)
    return round(min(max(total, lowest), highest), 2)


def test_a_score_is_what_the_formula_says(shop: Partner, hub: Hub) -> None:
    """Two kinds, of several ages, under one partner's cap; the reasons add up to the points."""
    orders = [shop.signal("ada", f"o{n}", value=1.5, at=NOON - timedelta(days=11 * n)) for n in range(6)]
    lates = [shop.signal("ada", f"l{n}", LATE, at=NOON - timedelta(days=40 * n)) for n in range(3)]
    hub.add_grants(shop.grants("ada", ORDER, LATE, reads="retail"))
    shop.send(*orders, *lates)
    up, down = _worth(orders, 10.0, 30.0, 0.0, 80.0), _worth(lates, -7.0, 90.0, -60.0, 0.0)
    explanation = hub.explain("ada", "retail")
    assert explanation is not None
    score = explanation.score
    assert score.points == pytest.approx(500.0 + up + down, abs=0.001)
    assert {part.kind: part.points for part in score.contributions} == {ORDER: up, LATE: down}
    assert shop.read("ada") == [evolve(score, contributions=())]


def test_the_day_decides_and_not_the_hour(shop: Partner, hub: Hub, clock: Clock) -> None:
    """A score is the same all day, and fades with the next."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1", at=NOON - timedelta(days=30)))
    morning = hub.explain("ada", "retail")
    clock.advance(hours=11)
    assert hub.explain("ada", "retail") == morning
    clock.advance(hours=2)
    assert hub.explain("ada", "retail") != morning


def test_an_old_feed_is_scored_for_its_own_day(tmp_path: Path, database: str, clock: Clock) -> None:
    """With `as_of` set, the day is that one, whatever the clock says."""
    path = create_hub(tmp_path / "old", issuer=HUB, database=database, as_of=date(2011, 9, 1)).path
    with Hub.open(path, clock=clock) as hub:
        shop = Partner.join("https://shop.example", hub, clock, ORDERS)
        hub.set_policy(policy(weighting(ORDERS, half_life_days=30.0)))
        hub.add_grants(shop.grants("ada", ORDER))
        shop.send(shop.signal("ada", "1", at=datetime(2011, 8, 2, tzinfo=UTC)))
        explanation = hub.explain("ada", "retail")
        assert explanation is not None
        score = explanation.score
        assert (score.points, score.as_of) == (505.0, date(2011, 9, 1))


def test_two_grants_for_one_kind_do_not_count_it_twice(shop: Partner, hub: Hub) -> None:
    """A person who consented twice has the same score."""
    hub.add_grants(shop.grants("ada", ORDER))
    hub.add_grants(shop.grants("ada", ORDER, LATE, given_at=NOON - timedelta(days=1)))
    shop.send(shop.signal("ada", "1"))
    assert hub.explain("ada", "retail") == hub.explain("ada", "retail")
    assert hub.explain("ada", "retail").score.points == 510.0  # type: ignore[union-attr] # there is one


def test_a_withdrawal_holds_at_once(shop: Partner, hub: Hub, clock: Clock) -> None:
    """What was sent stops counting, what is sent is dropped, and a read finds nothing."""
    hub.add_grants([*shop.grants("ada", ORDER, reads="retail"), *shop.grants("bob", ORDER, reads="retail")])
    shop.send(shop.signal("ada", "1"), shop.signal("bob", "2"))
    bobs = shop.read("bob")
    assert hub.withdraw_grants("ada", shop.issuer) == 2
    clock.advance(seconds=1)
    assert hub.explain("ada", "retail") is None
    assert shop.send(shop.signal("ada", "3")).dropped[0].reason == "no_grant"
    assert shop.read("ada", "bob") == [None, *bobs]


def test_a_kind_of_another_context_counts_only_where_its_crossing_is_named(
    shop: Partner, hub: Hub, clock: Clock
) -> None:
    """CTX-1: of two people with the same posts, only the one whose grant names the crossing gains by them."""
    forum = Partner.join("https://forum.example", hub, clock, POSTS)
    hub.set_policy(policy(weighting(ORDERS), weighting(POSTS, weight=3.0), version=2))
    for person, crossings in (("ada", ("community",)), ("bob", ())):
        hub.add_grants(shop.grants(person, ORDER))
        hub.add_grants(shop.grants(person, reads="retail", crossings=crossings))
        hub.add_grants(forum.grants(person, POST))
        shop.send(shop.signal(person, f"o-{person}"))
        forum.send(forum.signal(person, f"p-{person}", POST))
    assert [score.points for score in shop.read("ada", "bob") if score] == [513.0, 510.0]
    seen = [hub.explain(person, "retail") for person in ("ada", "bob")]
    assert [explanation.score.points for explanation in seen if explanation] == [513.0, 510.0]


def test_each_partners_cap_is_its_own(shop: Partner, hub: Hub, clock: Clock) -> None:
    """One partner's flood stops at its cap; another's signals still add, up to the kind's cap."""
    twin = Partner.join("https://twin.example", hub, clock, ORDERS)
    for partner in (shop, twin):
        hub.add_grants(partner.grants("ada", ORDER))
    shop.send(*(shop.signal("ada", str(number)) for number in range(50)))
    assert hub.explain("ada", "retail").score.points == 580.0  # type: ignore[union-attr] # there is one
    twin.send(twin.signal("ada", "1"))
    assert hub.explain("ada", "retail").score.points == 590.0  # type: ignore[union-attr] # there is one


def test_a_policy_whose_digest_is_not_its_own_is_rejected(shop: Partner, hub: Hub) -> None:
    """What a score names must be what made it; the policy in force stays."""
    before = hub.list_policies()
    with pytest.raises(InvalidInputError, match="digest"):
        hub.set_policy(policy(weighting(ORDERS), digest="x" * 43))
    assert hub.list_policies() == before
    assert shop.read("ada") == [None]


def test_one_policy_is_in_force_for_each_context(shop: Partner, hub: Hub) -> None:
    """A later policy takes the place of the earlier one, and scores name it."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    changed = policy(
        weighting(ORDERS, weight=20.0), weighting(LATES, weight=-7.0, floor=-60.0, expires_days=9.0)
    )
    hub.set_policy(changed)
    explanation = hub.explain("ada", "retail")
    assert explanation is not None
    score = explanation.score
    assert (score.points, score.policy, len(hub.list_policies())) == (520.0, changed.digest, 1)
