"""The example policies: the good ones load, the refused one is refused for what it does."""

from pathlib import Path

import pytest

from sesame_sdk.errors import Refused
from sesame_sdk.guard.purposes import MATCHMAKING_RANKING
from sesame_sdk.model.signal import Polarity
from sesame_sdk.scoring.policy_file import load_policy

POLICIES = Path(__file__).parents[2] / "examples" / "policies"
REFUSED = {
    "punishes_opinions.toml": {("POL-1", "community.tone.negative"), ("POL-1", "community.tone.positive")}
}


def test_every_example_is_tested() -> None:
    """A file that is added here must be added below."""
    assert {path.name for path in POLICIES.glob("*.toml")} == {
        "retail.toml",
        "community.toml",
        "matchmaking.toml",
    }
    assert {path.name for path in (POLICIES / "refused").glob("*.toml")} == REFUSED.keys()


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("retail", {"order.completed", "order.spend", "order.returned", "customer.tenure"}),
        ("community", {"post.helpful", "abuse.confirmed"}),
    ],
)
def test_a_policy_weighs_the_kinds_of_its_own_context(name: str, kinds: set[str]) -> None:
    """Privileges at a shop, standing in a community."""
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
    assert {weighting.kind.polarity for weighting in policy.weightings} == {Polarity.REWARD}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_example_is_refused_for_exactly_what_it_does(name: str) -> None:
    """Points off for criticism and points for praise: the same rule, twice, with its source."""
    with pytest.raises(Refused) as refused:
        load_policy(POLICIES / "refused" / name)
    findings = refused.value.findings
    assert {(finding.rule, finding.about.rsplit(" ", 1)[-1]) for finding in findings} == REFUSED[name]
    assert all(finding.source == "GDPR 9; GL 168" for finding in findings)
