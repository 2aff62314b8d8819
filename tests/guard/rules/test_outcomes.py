"""PRP-1, ADM-1, PRC-1, MAT-1: what follows from a score."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.purposes import FRAUD_PREVENTION, MATCHMAKING_RANKING
from sesame_sdk.model.finding import Action
from sesame_sdk.model.policy import Band, Policy, Severity
from sesame_sdk.model.terms import Consequence, Decider, Effect, Ranking, Side
from tests.guard.builders import GOOD_RANKING, LOWERING, consumer, policy, rules, weighting

GUARD = Guard()
BANDS = (Band("low", 350.0), Band("ordinary", 500.0), Band("known", 550.0), Band("good", 600.0))
LATE = weighting(LOWERING, kind="retail.payment.missing", reason="Payments that never came", floor=-30.0)
ABUSE = weighting(
    LOWERING, kind="retail.fraud.confirmed", reason="Fraud that a person confirmed", floor=-200.0
)


def effect(name: str = "Orders are held", band: str = "ordinary", **changes: Any) -> Effect:
    """Something that meets those below a band, decided by a person."""
    filled = {"side": Side.BELOW, "consequence": Consequence.LIMIT, "decides": Decider.PERSON} | changes
    return Effect(name, band, **filled)


def with_effects(*effects: Effect, **changes: Any) -> Policy:
    """A policy whose base, 550, lies at the third of its four bands."""
    return policy(*changes.pop("weighs", (weighting(), LOWERING)), bands=BANDS, effects=effects, **changes)


@pytest.mark.parametrize(
    "aim", ["", "other", "various purposes", "内部用途", "Benefits", "for b-u-s-i-n-e-s-s use"]
)
def test_a_score_without_an_aim_is_refused(aim: str) -> None:
    """PRP-1: and so is an aim that could be anybody's."""
    assert rules(GUARD.check_policy(policy(aim=aim))) == {"PRP-1"}


def test_one_late_return_and_a_ban() -> None:
    """PRP-1: policies and consumers may not ban, however grave the conduct, even if a person decides."""
    ban = effect("Account closed", consequence=Consequence.BAN)
    grave = (weighting(), evolve(ABUSE, severity=Severity.GRAVE))
    assert rules(GUARD.check_policy(with_effects(ban))) == {"PRP-1"}
    assert rules(GUARD.check_policy(with_effects(ban, weighs=grave))) == {"PRP-1"}
    assert rules(GUARD.check_consumer(consumer(effects=(ban,)))) == {"PRP-1"}
    assert rules(GUARD.check_policy(with_effects(evolve(ban, side=Side.FROM)))) == {"PRP-1"}


@pytest.mark.parametrize(
    ("severity", "borne"),
    [
        (Severity.MINOR, {Consequence.BENEFIT, Consequence.REVIEW}),
        (Severity.SERIOUS, {Consequence.BENEFIT, Consequence.REVIEW, Consequence.LIMIT}),
        (Severity.GRAVE, set(Consequence) - {Consequence.BAN}),
    ],
)
@pytest.mark.parametrize("consequence", Consequence)
def test_a_consequence_is_no_heavier_than_the_conduct(
    severity: Severity, borne: set[Consequence], consequence: Consequence
) -> None:
    """PRP-1: what conduct of each severity may bring about alone."""
    rules_of_terms = GUARD.check_policy(
        with_effects(effect(consequence=consequence), weighs=(weighting(), evolve(ABUSE, severity=severity)))
    )
    assert rules(rules_of_terms) == (set() if consequence in borne else {"PRP-1"})


@pytest.mark.parametrize(
    ("floors", "rule"),
    [
        pytest.param((-50.0,), set(), id="just up to the band"),
        pytest.param((-50.01,), {"PRP-1"}, id="a hundredth of a point below it"),
        pytest.param((-30.0, -20.0), set(), id="two together just up to it"),
        pytest.param((-30.0, -20.01), {"PRP-1"}, id="two together below it"),
        pytest.param((-1000.0,), {"PRP-1"}, id="far below the range"),
    ],
)
def test_light_conduct_must_not_add_up_to_a_heavy_consequence(
    floors: tuple[float, ...], rule: set[str]
) -> None:
    """PRP-1: all floors of what is too light, together; what is grave enough may go further."""
    light = [weighting(LATE, kind=f"retail.payment.n{at}", floor=floor) for at, floor in enumerate(floors)]
    grave = evolve(ABUSE, severity=Severity.SERIOUS)
    assert rules(GUARD.check_policy(with_effects(effect(), weighs=(*light, grave)))) == rule
    named = [finding.reason for finding in GUARD.check_policy(with_effects(effect(), weighs=(*light, grave)))]
    assert all("retail.payment.n0" in reason and grave.kind.name not in reason for reason in named)


def test_no_person_is_below_the_first_band() -> None:
    """PRP-1: an effect that can apply to no person is not a consequence."""
    assert GUARD.check_policy(with_effects(effect(band="low"), weighs=(weighting(), ABUSE))) == ()


@pytest.mark.parametrize("consequence", [Consequence.BENEFIT, Consequence.REVIEW, Consequence.SUSPENSION])
def test_no_effect_applies_to_people_who_did_nothing(consequence: Consequence) -> None:
    """PRP-1: the base is never below such a band, not even if the burden is called a benefit."""
    assert GUARD.check_policy(with_effects(effect(band="known", consequence=Consequence.REVIEW))) == ()
    assert rules(GUARD.check_policy(with_effects(effect(band="good", consequence=consequence)))) == {"PRP-1"}


@pytest.mark.parametrize("consequence", [Consequence.REVIEW, Consequence.LIMIT, Consequence.SUSPENSION])
def test_no_consequence_applies_for_reaching_a_band(consequence: Consequence) -> None:
    """PRP-1 for policies and consumers: turning the side round does not help."""
    turned = effect(side=Side.FROM, consequence=consequence)
    assert rules(GUARD.check_policy(with_effects(turned))) == {"PRP-1"}
    assert rules(GUARD.check_consumer(consumer(effects=(turned,)))) == {"PRP-1"}
    assert GUARD.check_policy(with_effects(effect(side=Side.FROM, consequence=Consequence.BENEFIT))) == ()


@given(
    st.lists(
        st.tuples(st.floats(-300, 0).map(lambda points: round(points, 2)), st.sampled_from(Severity)),
        max_size=5,
    ),
    st.sampled_from(BANDS),
    st.sampled_from([one for one in Consequence if one not in {Consequence.BAN, Consequence.BENEFIT}]),
)
def test_the_rule_agrees_with_the_sum_of_the_floors(
    floors: list[tuple[float, Severity]], band: Band, consequence: Consequence
) -> None:
    """PRP-1: refused exactly where the base, or the base less all that is too light, lies below the band."""
    weighs = [
        weighting(LATE, kind=f"retail.payment.n{at}", floor=floor or -0.01, severity=severity)
        for at, (floor, severity) in enumerate(floors)
    ]
    rules_of_terms = GUARD.check_policy(
        with_effects(effect(band=band.name, consequence=consequence), weighs=[weighting(), *weighs])
    )
    light = sum(
        round(one.floor * 100)
        for one in weighs
        if list(Severity).index(one.severity) + 1 < consequence.weight
    )
    reached = max(350_00, 550_00 + light)
    assert rules(rules_of_terms) == ({"PRP-1"} if reached < band.start * 100 else set())


@pytest.mark.parametrize("consequence", [Consequence.LIMIT, Consequence.SUSPENSION])
def test_a_heavy_effect_is_decided_by_a_person(consequence: Consequence) -> None:
    """ADM-1 for policies and consumers: automatic rejection."""
    weighs = (weighting(), evolve(ABUSE, severity=Severity.GRAVE))
    by_score = effect(consequence=consequence, decides=Decider.SCORE)
    assert rules(GUARD.check_policy(with_effects(by_score, weighs=weighs))) == {"ADM-1"}
    assert rules(GUARD.check_consumer(consumer(effects=(by_score,)))) == {"ADM-1"}
    by_person = evolve(by_score, decides=Decider.PERSON)
    assert GUARD.check_policy(with_effects(by_person, weighs=weighs)) == ()
    assert GUARD.check_consumer(consumer(effects=(by_person,))) == ()


def test_a_person_who_decides_one_effect_excuses_no_other() -> None:
    """ADM-1 checks each; what the score decides below the lowest band counts too."""
    good, bad = effect(), effect("Orders are limited", band="low", decides=Decider.SCORE)
    (finding,) = GUARD.check_policy(with_effects(good, bad))
    assert (finding.rule, finding.about) == ("ADM-1", "policy retail-privileges, effect Orders are limited")


def test_fraud_prevention_lets_a_person_review() -> None:
    """ADM-1 is the condition of this purpose: below a band a review at most, or a person decides."""
    review = effect(consequence=Consequence.REVIEW, decides=Decider.SCORE)
    assert GUARD.check_policy(with_effects(review, purposes=(FRAUD_PREVENTION,))) == ()
    refused = with_effects(effect(decides=Decider.SCORE), purposes=(FRAUD_PREVENTION,))
    assert rules(GUARD.check_policy(refused)) == {"ADM-1"}


@pytest.mark.parametrize("percent", [0.01, 8.0, 1000.0])
@pytest.mark.parametrize("side", Side)
def test_no_price_is_above_the_ordinary_price(percent: float, side: Side) -> None:
    """PRC-1 for policies and consumers, disclosed or not, whether a person decides or not."""
    dearer = effect("Prices", "low", side=side, consequence=Consequence.BENEFIT, price_percent=percent)
    for priced in (dearer, evolve(dearer, disclosed=True)):
        assert rules(GUARD.check_policy(with_effects(priced))) == {"PRC-1"}
        assert rules(GUARD.check_consumer(consumer(effects=(priced,)))) == {"PRC-1"}


def test_a_discount_is_disclosed() -> None:
    """PRC-1 warns of an undisclosed discount, and admits it."""
    discount = Effect("Ten percent off", "good", price_percent=-10.0)
    (finding,) = GUARD.check_policy(policy(effects=(discount,)))
    assert (finding.rule, finding.action) == ("PRC-1", Action.WARN)
    Guard().admit_policy(policy(effects=(discount,)))
    assert GUARD.check_policy(policy(effects=(evolve(discount, disclosed=True),))) == ()
    assert GUARD.check_policy(policy(effects=(Effect("Free delivery", "good"),))) == ()


def test_a_ranking_shows_its_parameters_and_another_order() -> None:
    """MAT-1 for policies and consumers: with both it passes, whatever the purpose."""
    assert GUARD.check_policy(policy(purposes=(MATCHMAKING_RANKING,), ranking=GOOD_RANKING)) == ()
    assert GUARD.check_consumer(consumer(purpose=MATCHMAKING_RANKING, ranking=GOOD_RANKING)) == ()
    assert GUARD.check_policy(policy(ranking=GOOD_RANKING)) == ()
    assert GUARD.check_policy(policy(ranking=Ranking(("score",), "relevance alone"))) == ()


@pytest.mark.parametrize(
    "ranking",
    [
        pytest.param(None, id="none"),
        pytest.param(Ranking(), id="an empty one"),
        pytest.param(Ranking(("relevance", "score")), id="no other order"),
        pytest.param(Ranking((), "newest first"), id="no parameters"),
        pytest.param(Ranking(("various", "other factors"), "newest first"), id="parameters that hide them"),
        *(
            pytest.param(Ranking(("relevance", "score"), order), id=f"the other order is {order!r}")
            for order in (
                *("score", "by points", "Highest score first", "sc0re", "s c o r e", "by-rating", "other"),
                *(
                    "按分数",
                    "none",
                    "按信用分排序",
                    "Score, then newest",
                    "sesame",
                    "\N{FULLWIDTH LATIN SMALL LETTER S}core",
                ),
            )
        ),
    ],
)
def test_a_ranking_only_by_score_is_refused(ranking: Ranking | None) -> None:
    """MAT-1 for policies and consumers; a ranking for another purpose must show how as well."""
    assert rules(GUARD.check_policy(policy(purposes=(MATCHMAKING_RANKING,), ranking=ranking))) == {"MAT-1"}
    assert rules(GUARD.check_consumer(consumer(purpose=MATCHMAKING_RANKING, ranking=ranking))) == {"MAT-1"}
    if ranking is not None:
        assert rules(GUARD.check_policy(policy(ranking=ranking))) == {"MAT-1"}
        assert rules(GUARD.check_consumer(consumer(ranking=ranking))) == {"MAT-1"}
