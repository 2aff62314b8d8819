"""PRP-1, ADM-1, PRC-1, MAT-1: what follows from a score."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.catalogue.closed_lists import closed_lists
from sesame_sdk.catalogue.effects import Consequence, Decider, Side, effects
from sesame_sdk.catalogue.observations import Gravity
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.purposes import CUSTOMER_CARE, MATCHMAKING_RANKING, PERSONALISED_BENEFITS
from sesame_sdk.model.policy import Band, Policy
from sesame_sdk.model.terms import Effect, Ranking
from tests.guard.builders import GOOD_RANKING, LOWERING, consumer, policy, rules, weighting

GUARD = Guard()
BANDS = (Band("fair", 350.0), Band("ordinary", 500.0), Band("known", 550.0), Band("good", 600.0))
#: A kind of each gravity.
LATE = weighting(LOWERING, kind="retail.payment.late", observation="payment_late", floor=-30.0)
MISSED = weighting(LOWERING, kind="retail.payment.missed", observation="payment_missed", floor=-200.0)
FRAUD = weighting(LOWERING, kind="retail.fraud.confirmed", observation="fraud_confirmed", floor=-200.0)
BY_GRAVITY = {Gravity.MINOR: LATE, Gravity.SERIOUS: MISSED, Gravity.GRAVE: FRAUD}
REVIEW, LIMIT = Effect("refund_review", "ordinary"), Effect("open_order_limit", "ordinary")


def with_effects(*used: Effect, **changes: object) -> Policy:
    """A policy whose base, 550, lies at the third of its four bands."""
    weighs = changes.pop("weighs", (weighting(), LATE))
    return policy(*weighs, bands=BANDS, effects=used, **changes)  # type: ignore[misc]


@pytest.mark.parametrize("name", ["account_closed", "ban", "suspension", "public_shaming", "permanent_ban"])
def test_one_late_return_and_a_ban(name: str) -> None:
    """PRP-1: policies and consumers may not ban, however grave the conduct: no release adds the effect."""
    ban = Effect(name, "ordinary")
    for weighs in ((weighting(), LATE), (weighting(), FRAUD)):
        assert "PRP-1" in rules(GUARD.check_policy(with_effects(ban, weighs=weighs)))
    assert rules(GUARD.check_consumer(consumer(effects=(ban,)))) == {"PRP-1"}


@pytest.mark.parametrize("gravity", Gravity)
@pytest.mark.parametrize("effect", [REVIEW, LIMIT], ids=["review", "limit"])
def test_a_consequence_is_no_heavier_than_the_conduct(gravity: Gravity, effect: Effect) -> None:
    """PRP-1: what conduct of each gravity may bring about alone."""
    allowed = effect is REVIEW or gravity is not Gravity.MINOR
    weighs = (weighting(), evolve(BY_GRAVITY[gravity], floor=-200.0))
    findings = rules(GUARD.check_policy(with_effects(effect, weighs=weighs)))
    assert findings == (set() if allowed else {"PRP-1"})


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
    findings = GUARD.check_policy(with_effects(LIMIT, weighs=(*light, MISSED)))
    assert rules(findings) == rule
    assert all("retail.payment.n0" in one.reason and MISSED.kind.name not in one.reason for one in findings)


def test_no_effect_applies_to_people_who_did_nothing() -> None:
    """PRP-1: the base is never below the band of a review or a limit."""
    assert GUARD.check_policy(with_effects(evolve(REVIEW, band="known"))) == ()
    assert rules(GUARD.check_policy(with_effects(evolve(REVIEW, band="good")))) == {"PRP-1"}
    assert GUARD.check_policy(with_effects(evolve(LIMIT, band="fair"), weighs=(weighting(), MISSED))) == ()


@given(
    st.lists(
        st.tuples(st.floats(-300, 0).map(lambda points: round(points, 2)), st.sampled_from(Gravity)),
        max_size=5,
    ),
    st.sampled_from(BANDS),
    st.sampled_from((REVIEW, LIMIT)),
)
def test_the_rule_agrees_with_the_sum_of_the_floors(
    floors: list[tuple[float, Gravity]], band: Band, effect: Effect
) -> None:
    """PRP-1: refused exactly where the base, or the base less all that is too light, lies below the band."""
    weighs = [
        weighting(BY_GRAVITY[gravity], kind=f"retail.payment.n{at}", floor=floor or -0.01)
        for at, (floor, gravity) in enumerate(floors)
    ]
    used = with_effects(evolve(effect, band=band.name), weighs=[weighting(), *weighs])
    light = sum(
        round(one.floor * 100)
        for one, (_, gravity) in zip(weighs, floors, strict=True)
        if effect is LIMIT and gravity is Gravity.MINOR
    )
    reached = max(350_00, 550_00 + light)
    assert rules(GUARD.check_policy(used)) == ({"PRP-1"} if reached < band.start * 100 else set())


@pytest.mark.parametrize(
    "name", ["untrustworthy", "high risk", "liars", "second class", "不可信", "low", "F"]
)
def test_a_band_has_a_name_of_the_closed_list(name: str) -> None:
    """PRP-1: a name of one's own may be a verdict on people."""
    (finding,) = GUARD.check_policy(policy(bands=(Band(name, 350.0), Band("good", 600.0))))
    assert (finding.rule, finding.about) == ("PRP-1", f"policy retail-privileges, band {name}")
    for plain in closed_lists().bands:
        bands = (Band(plain, 350.0), Band("good" if plain != "good" else "A", 600.0))
        effect = Effect("free_returns", bands[1].name)
        assert GUARD.check_policy(policy(bands=bands, effects=(effect,))) == ()


@pytest.mark.parametrize("name", ["order_declined", "automatic_rejection", "automatic_limit"])
def test_a_restriction_that_the_score_decides_is_refused_by_name(name: str) -> None:
    """ADM-1 for policies and consumers: automatic rejection."""
    assert rules(GUARD.check_policy(with_effects(REVIEW, Effect(name, "ordinary")))) == {"ADM-1"}
    assert rules(GUARD.check_consumer(consumer(effects=(Effect(name, "ordinary"),)))) == {"ADM-1"}


def test_every_review_and_limit_of_the_catalogue_is_decided_by_a_person() -> None:
    """ADM-1 by structure; and only benefits are for people who reached a band."""
    for name, entry in effects().items():
        benefit = entry.consequence is Consequence.BENEFIT
        assert (entry.decides is Decider.SCORE) == benefit, name
        assert (entry.direction is Side.FROM) == benefit, name
        assert (entry.gravity is None) == benefit, name
        assert entry.consequence is not Consequence.LIMIT or entry.gravity is not Gravity.MINOR, name


@pytest.mark.parametrize("percent", [-8.0, -0.01, 100.01])
def test_a_price_above_the_ordinary_one_cannot_be_written(percent: float) -> None:
    """PRC-1 by structure: the percentage is how much less is paid."""
    with pytest.raises(InvalidInputError, match="percent"):
        Effect("discount", "good", percent)


def test_a_discount_says_how_large_it_is_and_nothing_else_has_a_percentage() -> None:
    """PRC-1 for policies and consumers; a surcharge is refused by name."""
    care = {"purposes": (CUSTOMER_CARE, PERSONALISED_BENEFITS)}
    good = (Effect("free_returns", "good"), Effect("discount", "good", 10.0))
    assert GUARD.check_policy(policy(effects=good, **care)) == ()
    for wrong in (Effect("discount", "good"), Effect("gift", "good", 5.0), Effect("surcharge", "good")):
        used = (Effect("free_returns", "good"), wrong)
        assert rules(GUARD.check_policy(policy(effects=used, **care))) == {"PRC-1"}
        assert rules(GUARD.check_consumer(consumer(purpose=PERSONALISED_BENEFITS, effects=used))) == {"PRC-1"}


def test_a_ranking_shows_its_parameters_and_another_order() -> None:
    """MAT-1 for policies and consumers: with both it passes, whatever the purpose."""
    ranks = {"purposes": (MATCHMAKING_RANKING,), "effects": (Effect("place_in_ranking", "ordinary"),)}
    assert GUARD.check_policy(policy(ranking=GOOD_RANKING, **ranks)) == ()
    assert GUARD.check_consumer(consumer(purpose=MATCHMAKING_RANKING, ranking=GOOD_RANKING)) == ()
    assert GUARD.check_policy(policy(ranking=GOOD_RANKING)) == ()
    assert GUARD.check_policy(policy(ranking=Ranking(("score",), "relevance alone"))) == ()


#: Orders that are the score under another name, or no order at all.
NO_ORDERS = """
    score; by points; Highest score first; sc0re; s c o r e; by-rating; other; 按分数; none; 按信用分排序;
    sesame; Score, then newest; best first; by trust; most valued first; by tier; recommended;
    按等级; distance
"""


@pytest.mark.parametrize(
    "ranking",
    [
        pytest.param(None, id="none"),
        pytest.param(Ranking(), id="an empty one"),
        pytest.param(Ranking(("relevance", "score")), id="no other order"),
        pytest.param(Ranking((), "newest first"), id="no parameters"),
        pytest.param(Ranking(("various", "other factors"), "newest first"), id="parameters that hide them"),
        pytest.param(Ranking(("relevance", "price"), "newest first"), id="the score is not shown"),
        pytest.param(Ranking(("score", "distance"), "newest first"), id="a place is a parameter"),
        *(
            pytest.param(Ranking(("relevance", "score"), " ".join(order.split())), id=order.strip())
            for order in NO_ORDERS.split(";")
        ),
    ],
)
def test_a_ranking_only_by_score_is_refused(ranking: Ranking | None) -> None:
    """MAT-1 for policies and consumers; a ranking for another purpose must show how as well."""
    used = (Effect("place_in_ranking", "ordinary"),)
    ranked = policy(purposes=(MATCHMAKING_RANKING,), effects=used, ranking=ranking)
    assert rules(GUARD.check_policy(ranked)) == {"MAT-1"}
    assert rules(GUARD.check_consumer(consumer(purpose=MATCHMAKING_RANKING, ranking=ranking))) == {"MAT-1"}
    if ranking is not None:
        assert rules(GUARD.check_policy(policy(ranking=ranking))) == {"MAT-1"}
        assert rules(GUARD.check_consumer(consumer(ranking=ranking))) == {"MAT-1"}
