"""What the good policies of the gallery weigh. `tests.examples.test_gallery` holds them to the guard."""

from pathlib import Path

import pytest

from sesame_sdk.catalogue.observations import Polarity
from sesame_sdk.guard.purposes import MATCHMAKING_RANKING
from sesame_sdk.scoring.policy_file import load_policy

POLICIES = Path(__file__).parents[2] / "examples" / "policies"


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("retail", {"order.completed", "order.spend", "order.returned", "customer.tenure"}),
        ("community", {"post.helpful", "abuse.confirmed"}),
    ],
)
def test_a_policy_weighs_the_kinds_of_its_own_context(name: str, kinds: set[str]) -> None:
    """Privileges at a shop, reputation in a community."""
    policy = load_policy(POLICIES / f"{name}.toml")
    assert policy.context == name
    assert {weighting.kind.name for weighting in policy.weightings} == {f"{name}.{kind}" for kind in kinds}
    assert (policy.low, policy.base, policy.high) == (350.0, 550.0, 950.0)


def test_only_returns_and_confirmed_abuse_can_lower_a_score() -> None:
    """And both fade and expire."""
    lowering = [
        weighting
        for path in POLICIES.glob("*.toml")
        for weighting in load_policy(path).weightings
        if weighting.can_lower
    ]
    assert {weighting.kind.name for weighting in lowering} == {
        "retail.order.returned",
        "community.abuse.confirmed",
    }
    assert all(weighting.half_life_days and weighting.expires_days for weighting in lowering)


def test_matchmaking_takes_other_contexts_upwards_only() -> None:
    """Everything that it weighs is a crossing, which a person must grant."""
    policy = load_policy(POLICIES / "matchmaking.toml")
    assert policy.purposes == (MATCHMAKING_RANKING,)
    assert {weighting.kind.context for weighting in policy.weightings} == {"retail", "community"}
    assert {weighting.kind.polarity for weighting in policy.weightings} == {Polarity.RAISES}
