"""DCL-1, EXP-1, CTX-1, INF-1 and RET-1: what a kind records, and its influence on a score."""

from typing import Any

import pytest
from attrs import evolve

from sesame_sdk.catalogue.observations import Evidence, Observation, Polarity, observations
from sesame_sdk.guard.guard import Guard, proposal_digest
from sesame_sdk.guard.rules.kinds import counted_contexts
from sesame_sdk.model.policy import Weighting
from sesame_sdk.model.signals import SignalKind
from tests.guard.builders import (
    GOOD_KIND,
    GOOD_POLICY,
    LOWERING,
    RETURNED,
    grant,
    kind,
    policy,
    rules,
    weighting,
)

GUARD = Guard()
#: An entry that a lending library may propose.
REPAIRED = Observation(
    reads="lending: repaired",
    computed="1 for each thing that the person repaired for the library",
    contexts=("lending",),
    measure=observations()["order_kept"].measure,
    unit="repair",
    polarity=Polarity.RAISES,
    categories=("SocialBehaviour",),
    en="Things that you repaired for others",
    zh="您为他人修理的物品",
    source="our own statutes",
    reasoning="a contribution to the stock; upwards only",
)


def repaired(**changes: Any) -> SignalKind:
    """A kind of the proposed entry with `changes`."""
    return SignalKind("shed.tool.repaired", "item_mended", proposal=evolve(REPAIRED, **changes))


def approving(kind: SignalKind) -> Guard:
    """A guard of a hub whose operators approved the entry of a kind."""
    assert kind.proposal is not None
    return Guard((), [proposal_digest(kind.observation, kind.proposal)])


@pytest.mark.parametrize("observation", sorted(observations()))
def test_every_entry_of_the_catalogue_makes_a_kind(observation: str) -> None:
    """DCL-1: with a currency if it is money, and none otherwise."""
    entry = observations()[observation]
    money = "EUR" if entry.measure == "money" else ""
    assert GUARD.check_kind(kind(observation=observation, currency=money)) == ()
    assert rules(GUARD.check_kind(kind(observation=observation, currency="" if money else "EUR"))) == {
        "DCL-1"
    }


@pytest.mark.parametrize("currency", ["PTS", "XXX", "eur", "EU"])
def test_money_has_a_currency_that_is_one(currency: str) -> None:
    """DCL-1: points are not money."""
    (finding,) = GUARD.check_kind(kind(observation="order_spend", currency=currency))
    assert (finding.rule, finding.hint) == ("DCL-1", "set currency = 'EUR', or the code of another")


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        ("orders_kept", "order_kept"),
        ("loan_returned_on_time", "item_returned_on_time"),
        ("invoice_missed", "payment_missed"),
    ],
)
def test_what_the_catalogue_lacks_is_refused_with_what_is_nearest(unknown: str, nearest: str) -> None:
    """DCL-1 for kinds and policies: three entries, and the way to propose one."""
    (finding,) = GUARD.check_kind(kind(observation=unknown))
    assert (finding.rule, finding.source) == ("DCL-1", "GDPR 14(1)(d)")
    entries = finding.hint.partition("nearest: ")[2].partition(";")[0].split(", ")
    assert len(entries) == 3
    assert nearest in entries
    assert "sesame observations propose" in finding.hint
    assert rules(GUARD.check_policy(policy(weighting(observation=unknown)))) == {"DCL-1"}


def test_a_proposed_entry_counts_only_where_two_people_approved_it() -> None:
    """DCL-1: and the approval is of this entry, word by word."""
    (finding,) = GUARD.check_kind(repaired())
    assert "not approved by two people" in finding.reason
    assert approving(repaired()).check_kind(repaired()) == ()
    changed = repaired(computed="1 for each thing that the person repaired in the shop")
    assert rules(approving(repaired()).check_kind(changed)) == {"DCL-1"}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        pytest.param("DCL-1", {"reads": "posts: liked"}, id="a source system that is not of the list"),
        pytest.param("DCL-1", {"reads": "lending: rated"}, id="an event that its system does not have"),
        pytest.param("DCL-1", {"contexts": ("work",)}, id="a sphere that is not of the list"),
        pytest.param("DCL-1", {"categories": ("Income",)}, id="a category that is not allowed"),
        pytest.param("SPC-1", {"categories": ("Religion",)}, id="a special category"),
        pytest.param("DCL-1", {"polarity": Polarity.LOWERS}, id="it lowers without a gravity"),
        pytest.param("EXP-1", {"en": "Repairs"}, id="a reason of one word"),
        pytest.param("EXP-1", {"zh": "修理"}, id="a reason of two characters"),
        pytest.param("POL-1", {"en": "Posts that praise the government"}, id="a forbidden topic in English"),
        pytest.param("POL-1", {"zh": "批评政府的帖子"}, id="a forbidden topic in Chinese"),
        pytest.param(
            "TST-1", {"computed": "1 for each Japanese comic"}, id="a forbidden topic in its formula"
        ),
    ],
)
def test_an_approval_lets_no_refused_entry_pass(rule: str, changes: dict[str, Any]) -> None:
    """Two people cannot approve what the rules refuse."""
    bad = repaired(**changes)
    assert rules(approving(bad).check_kind(bad)) == {rule}


def test_a_proposal_may_not_replace_an_entry_of_the_catalogue() -> None:
    """DCL-1: what it says of `order_kept` is not heard, approved or not."""
    false = kind(proposal=evolve(observations()["order_kept"], en="Orders of the right kind"))
    assert false.reason == "Orders that you kept"
    assert rules(approving(false).check_kind(false)) == {"DCL-1"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [("observation", {"observation": "order_collected"}), ("proposal", {"proposal": REPAIRED})],
)
def test_a_policy_takes_a_kind_for_what_it_was_registered_as(field: str, changes: dict[str, Any]) -> None:
    """DCL-1 where both are known."""
    registered = evolve(GOOD_KIND, **changes)
    findings = [
        one for one in GUARD.check_policy(GOOD_POLICY, [registered]) if one.about.startswith("policy")
    ]
    assert [(one.rule, one.about) for one in findings] == [
        ("DCL-1", "policy retail-privileges, kind retail.order.completed")
    ]
    assert field in findings[0].reason


def test_a_policy_in_another_currency_contradicts_the_kind() -> None:
    """DCL-1: pounds are not euros; the title may differ."""
    pounds = kind(observation="order_spend", currency="GBP")
    used = policy(weighting(observation="order_spend", currency="EUR"))
    assert rules(GUARD.check_policy(used, [pounds])) == {"DCL-1"}
    assert GUARD.check_policy(policy(weighting(title="Orders of ours")), [GOOD_KIND]) == ()


@pytest.mark.parametrize(
    "inverted",
    [
        pytest.param(weighting(weight=-4.0), id="what raises has a weight below 0"),
        pytest.param(weighting(floor=-1.0, half_life_days=9.0), id="what raises has a floor"),
        pytest.param(weighting(LOWERING, weight=1.0), id="what lowers has a weight above 0"),
        pytest.param(weighting(LOWERING, cap=9.0), id="what lowers has a cap"),
    ],
)
def test_a_score_that_rises_with_bad_conduct_cannot_be_written(inverted: Weighting) -> None:
    """DCL-1: the polarity of the observation fixes the sign; the hint says how."""
    (finding,) = GUARD.check_policy(policy(inverted))
    assert finding.rule == "DCL-1"
    assert finding.hint.startswith("set a weight")


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
        pytest.param(evolve(LOWERING, floor=0.0), id="a floor of 0"),
        pytest.param(
            weighting(LOWERING, kind="retailer.order.returned"), id="the shop's context is spelt differently"
        ),
    ],
)
def test_another_context_may_not_count_downwards(changed: Weighting) -> None:
    """CTX-1 for policies."""
    assert "CTX-1" in rules(GUARD.check_policy(policy(changed, context="matchmaking")))


def test_what_lowers_a_score_is_of_one_sphere_of_life() -> None:
    """CTX-1: one context for everything does not make returns and harassment related."""
    returns = weighting(LOWERING, kind="life.order.returned")
    harassment = weighting(LOWERING, kind="life.post.harassing", observation="harassment_confirmed")
    fraud = weighting(LOWERING, kind="life.payment.fraud", observation="fraud_confirmed")
    assert rules(GUARD.check_policy(policy(returns, harassment, context="life"))) == {"CTX-1"}
    assert GUARD.check_policy(policy(returns, fraud, context="life")) == ()
    assert GUARD.check_policy(policy(harassment, context="life")) == ()


def test_a_registered_kind_that_must_be_refused_spoils_the_policy_that_weighs_it() -> None:
    """Registered kinds are checked again: a policy cannot weight a refused kind, but may ignore it."""
    slipped = kind(title="Praise for the government")
    assert rules(GUARD.check_policy(GOOD_POLICY, [slipped])) == {"POL-1"}
    assert GUARD.check_policy(policy(LOWERING), [slipped]) == ()


@pytest.mark.parametrize("evidence", [Evidence.INFERRED, Evidence.DECLARED])
def test_only_what_was_observed_may_lower(evidence: Evidence) -> None:
    """INF-1: no entry of the catalogue lowers otherwise, and none that is proposed may."""
    assert all(entry.evidence is Evidence.OBSERVED for entry in observations().values() if entry.lowers)
    raising = repaired(evidence=evidence)
    assert approving(raising).check_kind(raising) == ()
    lowering = repaired(evidence=evidence, polarity=Polarity.LOWERS, gravity="minor")
    (finding,) = approving(lowering).check_kind(lowering)
    assert finding.reason == f"it is {evidence.value}; only observations may lower a score"


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
