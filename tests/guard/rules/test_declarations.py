"""DCL-1 and EXP-1: what a kind says of itself, and what a person reads beside its points."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.guard.data_categories import ALLOWED
from sesame_sdk.guard.dpv import PD
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.text.vagueness import is_vague
from sesame_sdk.model.signals import Conduct, Sensitivity
from tests.guard.builders import GOOD_KIND, GOOD_POLICY, kind, policy, rules, weighting

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
