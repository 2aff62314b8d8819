"""The guard as a whole: it composes, further rules only add, and nothing switches it off."""

import itertools
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, TypeVar

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from sesame_sdk.catalogue.observations import observations
from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.guard.guard import BUILT_IN, MAX_FINDINGS, MAX_LISTED, Guard, proposal_digest
from sesame_sdk.guard.purposes import (
    CUSTOMER_CARE,
    DEPOSIT_WAIVER,
    DISPUTE_MANAGEMENT,
    DPV,
    PERSONALISED_BENEFITS,
)
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Effect, Ranking, Terms
from tests.guard.builders import (
    GOOD_CONSUMER,
    GOOD_KIND,
    GOOD_POLICY,
    GOOD_RANKING,
    GOOD_READING,
    LOWERING,
    consumer,
    kind,
    policy,
    reading,
    rules,
    weighting,
)

T = TypeVar("T")
Spoil = Callable[[Policy], Policy]
RULE_IDS = (
    *("CTX-1", "PRP-1", "POL-1", "SPC-1", "TST-1", "ASC-1", "INF-1", "BIO-1", "VIS-1", "ENR-1", "NOS-1"),
    *(f"PUR-{number}" for number in range(1, 7)),
    *("ADM-1", "CON-1", "MIN-1", "RET-1", "EXP-1", "DSP-1", "PRC-1", "MAT-1"),
    *("DCL-1", "LOC-1", "RGT-1"),
)


class Further(GuardRule):
    """A plugin's rule that does for kinds whatever a test wants."""

    id = "SHOP-1"
    source = "our own"
    dated = date(2026, 11, 1)

    def __init__(self, answer: Callable[[GuardRule, SignalKind], Any]) -> None:
        self._answer = answer

    def check_kind(self, kind: SignalKind) -> Any:
        """Return what the test chose."""
        return self._answer(self, kind)


def test_every_rule_is_there_once_with_its_source() -> None:
    """Twenty-eight rules, each with a source and the month in which it was read."""
    assert sorted(rule.id for rule in BUILT_IN) == sorted(RULE_IDS)
    assert all(rule.source and (rule.dated.year, rule.dated.month) == (2026, 11) for rule in BUILT_IN)


def test_good_items_pass_all_four_checks() -> None:
    """Without a finding, and without an error."""
    guard = Guard()
    guard.admit_kind(GOOD_KIND)
    guard.admit_policy(GOOD_POLICY, [GOOD_KIND])
    guard.admit_consumer(GOOD_CONSUMER)
    assert guard.check_read(GOOD_READING) == ()


@pytest.mark.parametrize(
    ("admit", "bad"),
    [
        (Guard.admit_kind, kind(title="Protests attended")),
        (Guard.admit_policy, policy(no_score="deny")),
        (Guard.admit_consumer, consumer(no_score="deny")),
    ],
    ids=["kind", "policy", "consumer"],
)
def test_a_refusal_carries_its_findings(admit: Callable[[Guard, Any], None], bad: object) -> None:
    """One line to read, and the findings to act on."""
    with pytest.raises(GuardRefusedError) as refused:
        admit(Guard(), bad)
    (finding,) = refused.value.findings
    assert finding.rule in str(refused.value)
    assert finding.source in str(refused.value)
    assert refused.value.code == "access_denied"


def test_a_further_rule_adds_its_refusal() -> None:
    """It refuses what the built-in rules let pass."""
    guard = Guard([Further(lambda rule, kind: [rule.refuse(kind.name, "not here", "use another")])])
    assert rules(guard.check_kind(GOOD_KIND)) == {"SHOP-1"}


def test_a_warning_lets_pass() -> None:
    """A warning is a finding and does not refuse."""
    guard = Guard([Further(lambda rule, kind: [rule.warn(kind.name, "mind", "this")])])
    guard.admit_kind(GOOD_KIND)
    assert rules(guard.check_kind(GOOD_KIND)) == {"SHOP-1"}


def test_a_refusal_lists_a_hundred_findings_and_says_how_many_more() -> None:
    """A policy of a thousand bad kinds does not flood the log, and warnings hide no refusal."""
    bad = policy(*(weighting(kind=f"retail.protest.n{number}") for number in range(1000)))
    with pytest.raises(
        GuardRefusedError, match=r"and 999 more.*900 findings more than the 100 listed"
    ) as refused:
        Guard().admit_policy(bad)
    assert len(refused.value.findings) == MAX_LISTED
    loud = Guard([Further(lambda rule, _: [rule.warn("a", "b", "c")] * MAX_FINDINGS)])
    with pytest.raises(GuardRefusedError) as refused:
        loud.admit_kind(kind(title="Protests attended"))
    assert refused.value.findings[0].rule == "POL-1"


def _raise(error: BaseException) -> Any:
    raise error


def _raise_half_way(rule: GuardRule) -> Iterator[Finding]:
    yield rule.warn("this", "mind", "it")
    raise ValueError


@pytest.mark.parametrize(
    "answer",
    [
        *(
            pytest.param(lambda *_, error=error: _raise(error()), id=f"raises {error.__name__}")
            for error in (ValueError, RecursionError, SystemExit, GeneratorExit, CancelledError)
        ),
        pytest.param(lambda rule, _: _raise_half_way(rule), id="raises half way"),
        pytest.param(lambda *_: None, id="answers None"),
        pytest.param(lambda *_: True, id="answers True"),
        pytest.param(lambda *_: ["fine"], id="answers with text"),
        pytest.param(lambda *_: [None], id="answers with a None"),
        pytest.param(lambda rule, _: itertools.repeat(rule.warn("a", "b", "c")), id="never ends"),
        pytest.param(lambda rule, _: [rule.warn("a", "b", "c")] * (MAX_FINDINGS + 1), id="floods"),
        pytest.param(lambda rule, _: [rule.refuse("", "", "")], id="makes a finding that is not valid"),
    ],
)
def test_a_broken_further_rule_refuses_by_name(answer: Callable[..., Any]) -> None:
    """It fails closed, and the finding names the rule."""
    with pytest.raises(GuardRefusedError, match=r"tests\.guard\.test_guard\.Further"):
        Guard([Further(answer)]).admit_kind(GOOD_KIND)


def test_an_interrupt_is_not_swallowed() -> None:
    """The operator's Ctrl-C is no answer of a rule."""
    with pytest.raises(KeyboardInterrupt):
        Guard([Further(lambda *_: _raise(KeyboardInterrupt()))]).check_kind(GOOD_KIND)


def _with(element: Weighting) -> Spoil:
    return lambda good: evolve(good, weightings=(*good.weightings, element))


def _doing(*names: str) -> Spoil:
    added = tuple(Effect(name, "ordinary") for name in names)
    return lambda good: evolve(good, terms=evolve(good.terms, effects=(*good.terms.effects, *added)))


def _on(**terms: Any) -> Spoil:
    return lambda good: evolve(good, terms=evolve(good.terms, **terms))


def _for(purpose: str) -> Spoil:
    return lambda good: evolve(good, purposes=(*good.purposes, purpose))


SHORT = evolve(observations()["order_kept"], en="Orders", zh="订单")
#: Of a hub that approved an entry whose reason says nothing: that alone does not let it pass.
GUARD = Guard((), [proposal_digest("order_brought", SHORT)])
#: One element for each rule that spoils any policy, which must then be refused by that rule alone.
REFUSED_ELEMENTS: dict[str, Spoil] = {
    "DCL-1": _with(weighting(kind="retail.order.gift", observation="gift_wrapped")),
    "CTX-1": _with(weighting(LOWERING, kind="dating.booking.missed")),
    "PRP-1": _doing("account_closed"),
    "POL-1": _with(weighting(kind="retail.post.seen", observation="praise")),
    "SPC-1": _with(weighting(kind="retail.pharmacy.order")),
    "TST-1": _with(weighting(LOWERING, kind="retail.manga.order", weight=-2.0)),
    "ASC-1": _with(weighting(kind="retail.other.kept", title="Scores of your friends and family")),
    "INF-1": _with(weighting(LOWERING, kind="retail.tone.sour", observation="predicted_default")),
    "BIO-1": _with(weighting(kind="retail.visitor.seen", title="A selfie that you sent")),
    "LOC-1": _with(weighting(kind="retail.visitor.there", title="Your whereabouts at night")),
    "RGT-1": _with(weighting(kind="retail.customer.loud", title="Complaints that you made")),
    "VIS-1": _on(visibility="public"),
    "ENR-1": _on(default_on=True),
    "NOS-1": _on(no_score="deny"),
    "PUR-1": _for(f"{DPV}Marketing"),
    "PUR-2": _for(f"{DPV}PersonnelHiring"),
    "PUR-3": _doing("welfare"),
    "PUR-4": _doing("internet_speed"),
    "PUR-5": _doing("loan_rate"),
    "PUR-6": _on(reshare=True),
    "ADM-1": _doing("order_declined"),
    "MIN-1": _on(minimum_age=15),
    "RET-1": _with(weighting(LOWERING, kind="retail.order.lost", half_life_days=None)),
    "EXP-1": _with(weighting(kind="retail.order.brought", observation="order_brought", proposal=SHORT)),
    "DSP-1": lambda good: evolve(good, disputes=""),
    "PRC-1": _doing("surcharge"),
    "MAT-1": _on(ranking=Ranking(("score",), "by score")),
}

good_weightings = st.lists(
    st.builds(
        lambda base, number, weight, days: weighting(
            base,
            kind=f"retail.good.n{number}",
            weight=weight if not base.can_lower else -weight,
            expires_days=days,
        ),
        st.sampled_from([weighting(), weighting(observation="order_collected"), LOWERING]),
        st.integers(0, 99),
        st.floats(0, 100),
        st.none() | st.floats(1, 1000),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda entry: entry.kind.name,
)
#: Each purpose with effects that serve it.
GOOD_EFFECTS = {
    CUSTOMER_CARE: (Effect("free_returns", "good"), Effect("refund_review", "ordinary")),
    PERSONALISED_BENEFITS: (Effect("free_express_delivery", "good"), Effect("discount", "good", 10.0)),
    DEPOSIT_WAIVER: (Effect("deposit_waived", "good"),),
    DISPUTE_MANAGEMENT: (),
}
good_policies = st.builds(
    lambda entries, purposes, ranking: policy(
        *entries,
        effects=tuple(effect for purpose in purposes for effect in GOOD_EFFECTS[purpose]),
        purposes=tuple(purposes),
        ranking=ranking,
    ),
    good_weightings,
    st.lists(st.sampled_from(sorted(GOOD_EFFECTS)), min_size=1, unique=True),
    st.none() | st.just(GOOD_RANKING),
)


def test_each_rule_that_checks_policies_has_an_element_that_it_refuses() -> None:
    """All but CON-1, which looks at reads alone."""
    assert {*REFUSED_ELEMENTS, "CON-1"} == set(RULE_IDS)


@settings(deadline=None)
@given(good_policies, st.sampled_from(sorted(REFUSED_ELEMENTS)))
def test_adding_a_refused_element_to_a_good_policy_makes_it_refused(good: Policy, rule: str) -> None:
    """By its rule and no other, in whatever company; and the good policy itself passes."""
    assert GUARD.check_policy(good) == ()
    spoilt = REFUSED_ELEMENTS[rule](good)
    assert rules(GUARD.check_policy(spoilt)) == {rule}
    with pytest.raises(GuardRefusedError, match=rule):
        GUARD.admit_policy(spoilt)


@settings(deadline=None)
@given(good_policies, st.sets(st.sampled_from(sorted(REFUSED_ELEMENTS))), st.randoms())
def test_the_order_of_entries_never_matters(good: Policy, bad: set[str], random: Any) -> None:
    """Kinds, effects, purposes and registered kinds in another order: the same findings, word by word."""
    spoilt = good
    for rule in sorted(bad):
        spoilt = REFUSED_ELEMENTS[rule](spoilt)
    turned = evolve(
        spoilt,
        weightings=_shuffled(spoilt.weightings, random),
        purposes=_shuffled(spoilt.purposes, random),
        terms=evolve(spoilt.terms, effects=_shuffled(spoilt.terms.effects, random)),
    )
    registered = [evolve(entry.kind, currency="EUR") for entry in spoilt.weightings]
    assert GUARD.check_policy(spoilt) == GUARD.check_policy(turned)
    assert rules(GUARD.check_policy(spoilt)) == bad
    assert _refusal(spoilt, registered) == _refusal(turned, registered[::-1])


def _shuffled(entries: tuple[T, ...], random: Any) -> tuple[T, ...]:
    return tuple(random.sample(entries, len(entries)))


def _refusal(bad: Policy, registered: list[SignalKind]) -> tuple[str, object]:
    with pytest.raises(GuardRefusedError) as refused:
        Guard().admit_policy(bad, registered)
    return str(refused.value), refused.value.findings


def test_findings_fit_whatever_they_are_about() -> None:
    """The longest names still make a finding, not an error."""
    long_policy = policy(
        weighting(kind="retail." + "a" * 32 + ".protest", title="r" * 98 + " s"), name="n" * 64, effects=()
    )
    findings = Guard().check_policy(
        evolve(long_policy, purposes=("x" * 5000,), terms=Terms(no_score="s" * 32))
    )
    assert rules(findings) == {"POL-1", "NOS-1", "PUR-1"}
    far = reading(partner="https://" + "p" * 300, grant=None)
    (finding,) = Guard().check_read(far)
    assert finding.action is Action.REFUSE
