"""DCL-1, EXP-1, CTX-1, INF-1 and RET-1: a kind's declaration, its reason, and its influence on a score."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.guard.data_categories import ALLOWED
from sesame_sdk.guard.dpv import PD
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.rules.kinds import counted_contexts
from sesame_sdk.guard.text.vagueness import is_vague
from sesame_sdk.model.policy import Weighting
from sesame_sdk.model.signals import Conduct, Evidence, Polarity, Sensitivity
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


@pytest.mark.parametrize("category", sorted(ALLOWED))
def test_a_kind_may_be_made_of_what_is_allowed(category: str) -> None:
    """DCL-1: any of the seven, or several."""
    assert GUARD.check_kind(kind(categories=(category,))) == ()
    assert GUARD.check_kind(kind(categories=(*sorted(ALLOWED), category))) == ()


@pytest.mark.parametrize(
    "categories",
    [
        pytest.param((), id="none"),
        pytest.param((f"{PD}CreditScore",), id="a credit score"),
        pytest.param((f"{PD}Purchase", f"{PD}Income"), id="income behind purchases"),
        pytest.param((f"{PD}Transactional",), id="broader than what is allowed"),
        pytest.param((f"{PD}Passport",), id="narrower than what is allowed"),
        pytest.param((f"{PD}purchase",), id="in another spelling"),
        pytest.param(("pd:Purchase",), id="by its short name"),
        pytest.param((f"http{PD[5:]}Purchase",), id="over http"),
        pytest.param(("urn:example:Purchase",), id="in another vocabulary"),
        pytest.param((f"{PD}Purchas\N{CYRILLIC SMALL LETTER IE}",), id="with a Cyrillic letter"),
    ],
)
def test_a_kind_without_an_allowed_category_is_refused(categories: tuple[str, ...]) -> None:
    """DCL-1 for kinds and policies; the hint names the allowed categories."""
    (finding,) = GUARD.check_kind(kind(categories=categories))
    assert (finding.rule, finding.source) == ("DCL-1", "GDPR 14(1)(d)")
    assert "SocialBehaviour" in finding.hint
    assert rules(GUARD.check_policy(policy(weighting(categories=categories)))) == {"DCL-1"}


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("POL-1", "PoliticalOpinion"),
        ("SPC-1", "Religion"),
        ("TST-1", "FavouriteMusic"),
        ("ASC-1", "Friend"),
        ("BIO-1", "FacialPrint"),
        ("LOC-1", "TravelHistory"),
    ],
)
def test_a_category_is_refused_by_the_rule_that_it_belongs_to(rule: str, name: str) -> None:
    """Beside an allowed one too, and named in the finding."""
    (finding,) = GUARD.check_kind(kind(categories=(f"{PD}{name}", f"{PD}Purchase")))
    assert finding.rule == rule
    assert name in finding.reason


@pytest.mark.parametrize(
    ("field", "changes", "hint"),
    [
        ("unit", {"unit": "GBP"}, "set unit = 'GBP'"),
        ("sensitivity", {"sensitivity": Sensitivity.ORDINARY}, "set sensitivity = 'ordinary'"),
        ("conduct", {"conduct": Conduct.OTHERS}, "set conduct = 'others'"),
        ("categories", {"categories": (f"{PD}Sale",)}, f"set categories = ['{PD}Sale']"),
    ],
)
def test_a_policy_takes_a_kind_for_what_it_was_registered_as(
    field: str, changes: dict[str, object], hint: str
) -> None:
    """DCL-1 where both are known: a policy may not call pounds orders, nor taste ordinary."""
    registered = evolve(GOOD_KIND, **changes)
    findings = [one for one in GUARD.check_policy(GOOD_POLICY, [registered]) if one.rule == "DCL-1"]
    assert [(one.about, one.hint) for one in findings] == [
        ("policy retail-privileges, kind retail.order.completed", hint)
    ]
    assert field in findings[0].reason


def test_words_for_people_may_differ_and_the_order_of_categories_too() -> None:
    """A policy explains points in its own words."""
    both = (f"{PD}Sale", f"{PD}Purchase")
    taken = weighting(categories=both, reason="Orders that went well", title="Orders")
    registered = kind(categories=both[::-1], sources=("our till",), description="Kept orders")
    assert GUARD.check_policy(policy(taken), [registered]) == ()


GENERIC = """
    score too low; Score too low!; Your score is too low; other; Other reasons; various; Various reasons;
    internal policy; Internal policies apply; see terms; See our terms and conditions; n/a; misc; -; ...;
    points; Points; 5 points; Insufficient score; criteria not met; Automatic decision; Our algorithm; risk;
    Your behaviour; Risk assessment; Returned; Orders; Confidential; Unknown reason; Due to system rules;
    retail.order.completed; order completed; Retail order completed; Orderscompleted; Things that you did;
    Sc0re t00 l0w; s c o r e too low; score-too-low; SCORE_TOO_LOW; ScoreTooLow;
    \N{CYRILLIC CAPITAL LETTER DZE}core too low; score t\N{ZERO WIDTH SPACE}oo low; score1too2low;
    Score too low, score too low, other; 其他; 其他原因; 分数太低;
    評分過低; 内部政策; 各种原因; 系统评估结果; 您的评分不足; 订单; 您的分数太低了; 不符合 要求
"""
SPECIFIC = """
    Orders that you kept; Orders kept; Returned orders; Late payments; Posts that others found helpful;
    Abuse that a moderator confirmed; Your identity was verified; Deposits returned in full; Hours helped;
    Membership since 2019; Length of membership; What you were paid back; Retail orders completed in time;
    Items from other orders that you kept; 您保留的订单; 逾期未付款; 對其他成員有幫助的帖子; 注文を守りました;
    Bestellungen behalten; Commandes gardées
"""


@pytest.mark.parametrize("reason", [" ".join(text.split()) for text in GENERIC.split(";")])
def test_a_vague_reason_is_refused(reason: str) -> None:
    """EXP-1 for kinds and policies, in any spelling; the finding shows an example of a reason."""
    findings = [one for one in GUARD.check_kind(kind(reason=reason)) if one.rule == "EXP-1"]
    assert [one.hint for one in findings] == ["say what the person did: 'Orders that you sent back'"]
    assert "EXP-1" in rules(GUARD.check_policy(policy(weighting(reason=reason))))


@pytest.mark.parametrize("reason", [" ".join(text.split()) for text in SPECIFIC.split(";")])
def test_a_specific_reason_passes(reason: str) -> None:
    """EXP-1 refuses no plain words, whatever the language."""
    assert not is_vague(reason, GOOD_KIND.name)


@given(st.lists(st.sampled_from(["score", "too", "low", "other", "various", "policy", "see", "terms"])))
def test_generic_words_say_nothing_in_any_order_and_number(words: list[str]) -> None:
    """EXP-1: neither more of them nor another order makes a reason."""
    assert is_vague(" ".join(words))
    assert not is_vague(" ".join([*words, "late", "payment"]))


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
