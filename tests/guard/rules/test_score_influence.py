"""CTX-1, INF-1, RET-1: what a kind may do to a score."""

import pytest
from attrs import evolve

from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.rules.kinds import counted_contexts
from sesame_sdk.model.policy import Weighting
from sesame_sdk.model.signals import Evidence, Polarity
from tests.guard.builders import (
    GOOD_KIND,
    GOOD_POLICY,
    LOWERING,
    grant,
    kind,
    policy,
    rules,
    weighting,
)

GUARD = Guard()
RETURNED = LOWERING.kind


def test_a_good_policy_passes_with_and_without_its_kinds() -> None:
    """A shop's privileges, with a lowering kind of its own context that fades, are what GL 177 clears."""
    assert GUARD.check_policy(GOOD_POLICY) == ()
    assert GUARD.check_policy(GOOD_POLICY, [GOOD_KIND, RETURNED]) == ()


def test_another_context_may_count_upwards() -> None:
    """Orders may lift a matchmaking score; whether they do for a person is up to the grant."""
    assert GUARD.check_policy(policy(weighting(), context="matchmaking")) == ()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(LOWERING, id="shop returns lower a matchmaking score"),
        pytest.param(
            evolve(LOWERING, floor=0.0), id="a floor of 0 with a polarity that lets it be lowered later"
        ),
        pytest.param(
            weighting(LOWERING, context="matchmaking"), id="the shop's kind is passed off as matchmaking's"
        ),
        pytest.param(
            weighting(LOWERING, context="matchmaking", kind="retailer.order.returned"),
            id="the shop's context is spelt differently",
        ),
        pytest.param(
            weighting(LOWERING, polarity=Polarity.REWARD), id="the shop's returns are called a reward"
        ),
    ],
)
def test_another_context_may_not_count_downwards(changed: Weighting) -> None:
    """CTX-1 for policies, however the crossing is declared."""
    assert "CTX-1" in rules(GUARD.check_policy(policy(changed, context="matchmaking")))


def test_a_kind_belongs_to_the_context_of_its_name() -> None:
    """CTX-1 for kinds: a name and a declaration that disagree."""
    assert rules(GUARD.check_kind(kind(context="matchmaking"))) == {"CTX-1"}


@pytest.mark.parametrize(
    "changes",
    [{"floor": -1.0, "half_life_days": 9.0}, {"weight": -1.0}],
    ids=["a floor", "a negative weight"],
)
def test_a_reward_cannot_take_points(changes: dict[str, float]) -> None:
    """CTX-1: what is a reward only may not lower a score, not even in its own context."""
    assert rules(GUARD.check_policy(policy(weighting(**changes)))) == {"CTX-1"}


def test_a_policy_may_not_contradict_a_registered_kind() -> None:
    """Context and wider use are CTX-1, evidence is INF-1; several registrations of one name all hold."""
    reward = evolve(RETURNED, polarity=Polarity.REWARD)
    inferred = evolve(GOOD_KIND, evidence=Evidence.INFERRED)
    abroad = evolve(GOOD_KIND, context="matchmaking")
    assert rules(GUARD.check_policy(GOOD_POLICY, [RETURNED, reward])) == {"CTX-1"}
    assert rules(GUARD.check_policy(GOOD_POLICY, [GOOD_KIND, inferred])) == {"INF-1"}
    assert rules(GUARD.check_policy(GOOD_POLICY, iter([abroad]))) == {"CTX-1"}


def test_a_policy_may_use_a_registered_kind_as_a_reward_only() -> None:
    """Weighing a kind that may lower as a reward only takes nothing from anybody."""
    assert GUARD.check_policy(policy(weighting()), [evolve(GOOD_KIND, polarity=Polarity.BOTH)]) == ()


def test_a_registered_kind_that_must_be_refused_spoils_the_policy_that_weighs_it() -> None:
    """Registered kinds are checked again: a policy cannot weight a refused kind, but may ignore it."""
    slipped = kind(reason="Praise for the government")
    assert rules(GUARD.check_policy(GOOD_POLICY, [slipped])) == {"POL-1"}
    assert GUARD.check_policy(policy(LOWERING), [slipped]) == ()


@pytest.mark.parametrize("evidence", [Evidence.INFERRED, Evidence.DECLARED])
def test_only_what_was_observed_may_lower(evidence: Evidence) -> None:
    """INF-1 for kinds and policies: other evidence with a floor, or with a polarity that allows one."""
    assert GUARD.check_kind(kind(evidence=evidence)) == ()
    assert GUARD.check_policy(policy(weighting(evidence=evidence))) == ()
    assert rules(GUARD.check_kind(kind(evidence=evidence, polarity=Polarity.BOTH))) == {"INF-1"}
    assert rules(GUARD.check_policy(policy(weighting(evidence=evidence, polarity=Polarity.BOTH)))) == {
        "INF-1"
    }
    (finding,) = GUARD.check_policy(policy(weighting(LOWERING, evidence=evidence)))
    assert finding.reason == f"it is {evidence.value}; only observations may lower a score"


def test_a_guess_cannot_be_passed_off_as_an_observation() -> None:
    """INF-1: a sentiment model's kind, weighed as if it were observed."""
    guess = evolve(RETURNED, evidence=Evidence.INFERRED, polarity=Polarity.REWARD)
    assert "INF-1" in rules(GUARD.check_policy(GOOD_POLICY, [guess]))


@pytest.mark.parametrize("ending", ["half_life_days", "expires_days"])
def test_what_lowers_must_fade_or_expire(ending: str) -> None:
    """RET-1: either will do; neither will not; a reward may last."""
    lasting = evolve(LOWERING, half_life_days=None, expires_days=None)
    assert GUARD.check_policy(policy(evolve(lasting, **{ending: 90.0}))) == ()
    assert rules(GUARD.check_policy(policy(lasting))) == {"RET-1"}
    assert GUARD.check_policy(policy(weighting(half_life_days=None, expires_days=None))) == ()


@pytest.mark.parametrize("ending", ["half_life_days", "expires_days"])
def test_what_lowers_must_end_within_ten_years(ending: str) -> None:
    """RET-1: 3,650 days at most; a longer span is none, and one that is short enough will do."""
    lasting = evolve(LOWERING, half_life_days=1e5, expires_days=1e5)
    assert GUARD.check_policy(policy(evolve(lasting, **{ending: 3650.0}))) == ()
    (finding,) = GUARD.check_policy(policy(evolve(lasting, **{ending: 3650.5})))
    assert finding.rule == "RET-1"
    assert "within ten years" in finding.reason
    assert "at most 3650" in finding.hint


def test_retention_cannot_be_hidden_among_fading_kinds() -> None:
    """RET-1: each kind is looked at, not the policy as a whole."""
    assert rules(
        GUARD.check_policy(
            policy(LOWERING, weighting(LOWERING, kind="retail.order.late", half_life_days=None))
        )
    )


def test_contexts_that_count_are_the_grants_own_and_its_crossings() -> None:
    """CTX-1 for reads: scoring excludes every context that the person did not name."""
    assert counted_contexts(grant()) == {"retail"}
    crossing = grant(context="matchmaking", crossings=("retail", "community"))
    assert counted_contexts(crossing) == {"matchmaking", "retail", "community"}
