"""What if: the same text on signals that are not there; an estimate that says so."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.explanation import Hypothetical
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.engines import CountedSignal
from sesame_sdk.scoring.explain import MAX_SUPPOSED, estimate_score, explain_score
from tests.guard.builders import LOWERING, policy, weighting
from tests.scoring.engines import TODAY
from tests.scoring.people import ORDERS, PARTNERS, RETURNS, SPEND, people, policies, reference_total
from tests.scoring.reference import DAY, start_of

START = start_of(TODAY)
KEPT = CountedSignal("one", ORDERS, 1.0, START)

supposed = st.lists(
    st.builds(
        Hypothetical,
        kind=st.sampled_from([ORDERS, SPEND, RETURNS]),
        value=st.integers(0, 500).map(lambda pence: pence / 100),
        partner=st.sampled_from(PARTNERS[:2]),
        occurred_on=st.integers(-30, 2).map(lambda days: TODAY + timedelta(days=days)),
    ),
    max_size=5,
)


@given(by=policies(), signals=people)
@settings(deadline=None)
def test_with_nothing_added_it_is_the_score(by: Policy, signals: list[CountedSignal]) -> None:
    """And still called an estimate."""
    estimate = estimate_score(signals, [], by, TODAY)
    explanation = explain_score(signals, by, TODAY)
    assert estimate.score == estimate.current == (explanation.score if explanation else None)
    assert estimate.is_estimate


@given(by=policies(), signals=people, added=supposed)
@settings(deadline=None)
def test_it_is_the_score_that_the_signals_would_make(
    by: Policy, signals: list[CountedSignal], added: list[Hypothetical]
) -> None:
    """By the reference, as if they were there; its reasons add up exactly."""
    score = estimate_score(signals, added, by, TODAY).score
    real = [
        CountedSignal(one.partner, one.kind, one.value, start_of(one.occurred_on or TODAY)) for one in added
    ]
    assert (round(score.points * 100) if score else None) == reference_total([*signals, *real], by)
    if score:
        parts = sum(part.hundredths for part in score.contributions)
        assert round(score.base * 100) + parts == round(score.points * 100)


def test_it_says_that_it_is_an_estimate_and_of_what() -> None:
    """Points, band, the change, and that nothing was stored."""
    estimate = estimate_score(
        [KEPT], [Hypothetical(ORDERS, 2.5), Hypothetical(ORDERS, 10.0)], policy(), TODAY
    )
    assert estimate.description == (
        "This is an estimate: with 2 signals that do not exist the score would be 604 points, 'good', "
        "+50 from now. Nothing was stored."
    )
    none = estimate_score([], [], policy(), TODAY)
    assert none.score is None
    assert "no score" in none.description
    first = estimate_score([], [Hypothetical(ORDERS, 1.0)], policy(), TODAY)
    assert first.description.startswith("This is an estimate: with 1 signal that does not exist the score")


def test_by_default_the_usual_sender_of_the_kind_would_send_it() -> None:
    """Their cap holds for it, and does not for a partner who is new."""
    signals = [CountedSignal("busy", ORDERS, 7.0, START)] * 2 + [CountedSignal("quiet", ORDERS, 1.0, START)]
    for partner, points in (("", 614.0), ("busy", 614.0), ("quiet", 622.0), ("new", 622.0)):
        score = estimate_score(signals, [Hypothetical(ORDERS, 3.0, partner)], policy(), TODAY).score
        assert score
        assert score.points == points


def test_a_day_long_past_is_worth_less() -> None:
    """Age counts from the day that is asked about."""
    fading = policy(weighting(half_life_days=30.0))
    ago = Hypothetical(ORDERS, 1.0, occurred_on=TODAY - timedelta(days=30))
    score = estimate_score([], [ago], fading, TODAY).score
    assert score
    assert score.points == 552.0


def test_what_lowers_can_be_asked_about_too() -> None:
    """Though it is never suggested."""
    score = estimate_score([KEPT], [Hypothetical(LOWERING.kind.name, 3.0)], policy(), TODAY).score
    assert score
    assert score.points == 551.0


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        pytest.param([Hypothetical("retail.order.other", 1.0)], "kind", id="a kind that is not weighed"),
        pytest.param([Hypothetical(ORDERS, -1.0)], "value", id="a value against the polarity"),
        pytest.param([Hypothetical(ORDERS, 1.0)] * (MAX_SUPPOSED + 1), "supposed", id="too many"),
    ],
)
def test_what_cannot_be_is_rejected(asked: list[Hypothetical], field: str) -> None:
    """Naming the field."""
    with pytest.raises(InvalidInputError) as rejected:
        estimate_score([KEPT], asked, policy(), TODAY)
    assert rejected.value.field == field
    assert str(-1.0) not in str(rejected.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", True, None])
def test_a_value_is_a_finite_number(value: object) -> None:
    """As in a signal."""
    with pytest.raises(InvalidInputError, match="value"):
        Hypothetical(ORDERS, value)  # type: ignore[arg-type] # that is the point


def test_a_hundred_may_be_supposed_and_extremes_do_no_harm() -> None:
    """The largest double, the first and the last day."""
    asked = [Hypothetical(ORDERS, 1.7e308, occurred_on=day) for day in (date.min, date.max)] * (
        MAX_SUPPOSED // 2
    )
    score = estimate_score([KEPT], asked, policy(), TODAY).score
    assert score
    assert score.points == 550.0 + 60.0


def test_the_persons_own_signals_are_left_as_they_are() -> None:
    """The list that was given, and the score that it makes."""
    signals = [KEPT, CountedSignal("two", ORDERS, 1.0, START - DAY)]
    before = list(signals)
    estimate_score(signals, [Hypothetical(ORDERS, 5.0)], policy(), TODAY)
    assert signals == before
