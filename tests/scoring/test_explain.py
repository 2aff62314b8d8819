"""From rows to scores with reasons that add up."""

from datetime import date, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.explanation import Hypothetical
from sesame_sdk.model.policy import Band, Policy
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.scoring.engines import CountedSignal
from sesame_sdk.scoring.explain import (
    MAX_SUPPOSED,
    build_scores,
    estimate_score,
    explain_score,
    list_adverse_reasons,
)
from sesame_sdk.scoring.policy_text import describe_policy, describe_weighting
from tests.guard.builders import GOOD_KIND, GOOD_WEIGHTING, LOWERING, policy, weighting
from tests.scoring.engines import TODAY, in_sqlite
from tests.scoring.people import ORDERS, PARTNERS, RETURNS, SPEND, people, reference_total
from tests.scoring.people import policies as small_policies
from tests.scoring.reference import DAY, Counted, start_of
from tests.scoring.strategies import policies, some_signals
from tests.scoring.test_scorecard import PLAIN

BANDED = evolve(PLAIN, bands=(Band("ordinary", 350.0), Band("good", 600.0)), digest="digest")
KIND = PLAIN.weightings[0].kind.name
START = start_of(TODAY)


def test_a_score_says_what_it_is_made_of() -> None:
    """Points, band, day, policy, base, and a reason in the words of the catalogue."""
    score = build_scores([("ada", KIND, 5_000), ("ada", "", 60_000)], BANDED, TODAY)["ada"]
    assert (score.points, score.band, score.as_of) == (600.0, "good", TODAY)
    assert (score.policy, score.base) == ("digest", 550.0)
    assert score.contributions == (Contribution(KIND, 5_000, "Orders that you kept", "order_kept"),)


def test_a_hundredth_below_the_band_is_below_it() -> None:
    """Bands begin at their first point exactly."""
    assert build_scores([("ada", "", 59_999)], BANDED, TODAY)["ada"].band == "ordinary"


def test_what_the_range_cuts_off_is_a_reason_of_its_own() -> None:
    """At either end, so that the reasons add up to the score."""
    narrow = evolve(PLAIN, low=540.0, high=560.0, bands=(Band("all", 540.0),))
    up = build_scores([("ada", KIND, 3_000), ("ada", "", 56_000)], narrow, TODAY)["ada"]
    assert up.contributions == (
        Contribution(KIND, 3_000, "Orders that you kept", "order_kept"),
        Contribution("", -2_000, "The score does not go above 560"),
    )
    down = build_scores([("ada", "", 54_000), ("ada", KIND, -3_000)], narrow, TODAY)["ada"]
    assert down.contributions[1] == Contribution("", 2_000, "The score does not go below 540")


def _of_kinds(**hundredths: int) -> Score:
    """The score of somebody whose kinds, ``retail.a.a`` for ``a``, come to so much."""
    kinds = {f"retail.{name}.{name}": number for name, number in hundredths.items()}
    made = tuple(weighting(PLAIN.weightings[0], kind=kind, code=kind[-1].upper()) for kind in kinds)
    rows = [("ada", "", 55_000 + sum(kinds.values())), *(("ada", *pair) for pair in kinds.items())]
    return build_scores(rows, evolve(PLAIN, weightings=made), TODAY)["ada"]


def test_what_took_points_comes_first_and_the_most_of_it_before_the_rest() -> None:
    """Then what lifted, by size; in any order of rows, and equal ones by name."""
    score = _of_kinds(d=10, b=10, c=-100, e=-300, a=0, f=500)
    assert [part.code for part in score.contributions] == ["E", "C", "F", "B", "D", "A"]


def test_the_principal_reasons_against_a_score_are_four_at_most() -> None:
    """The four that cost most; a kind that took nothing is none, however little it added (EXP-1)."""
    score = _of_kinds(a=-10, b=-50, c=-30, d=-20, e=-40, f=0, g=5)
    assert [part.code for part in list_adverse_reasons(score)] == ["B", "E", "C", "D"]
    assert [part.code for part in list_adverse_reasons(score, limit=1)] == ["B"]
    assert [part.hundredths for part in list_adverse_reasons(score, limit=None)] == [-50, -40, -30, -20, -10]


def test_without_lost_points_there_are_no_adverse_reasons() -> None:
    """Nor is the upper end of the range an adverse reason."""
    assert list_adverse_reasons(_of_kinds(a=0, b=70)) == ()
    narrow = evolve(PLAIN, high=560.0, base=550.0)
    cut = build_scores([("ada", KIND, 3_000), ("ada", "", 56_000)], narrow, TODAY)["ada"]
    assert cut.contributions[-1].hundredths == -2_000
    assert list_adverse_reasons(cut) == ()


def test_an_explanation_folds_what_is_beyond_four_and_leaves_nothing_out() -> None:
    """First four, the rest, what lifted, the policy in words, and where to dispute."""
    kinds = tuple(f"retail.lost.{letter}" for letter in "abcdef")
    made = tuple(weighting(LOWERING, kind=kind, weight=-float(at)) for at, kind in enumerate(kinds, start=1))
    signals = [CountedSignal("one", kind, 1.0, START) for kind in (*kinds, GOOD_KIND.name)]
    score = explain_score(signals, policy(*made, GOOD_WEIGHTING), TODAY)
    assert score
    assert [part.kind[-1] for part in (*score.adverse, *score.further_adverse)] == list("fedcba")
    assert len(score.adverse) == 4
    assert [part.kind for part in score.positive] == [GOOD_KIND.name]
    assert score.disputes == "https://shop.example/disputes"
    assert len(score.policy_text) == 1 + len(score.score.contributions)


def test_without_a_score_there_is_no_explanation() -> None:
    """No signals, or none that the policy weighs."""
    assert explain_score([], PLAIN, TODAY) is None
    assert explain_score([CountedSignal("one", "retail.order.other", 1.0, START)], PLAIN, TODAY) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"half_life_days": 365.0, "cap": 120.0, "partner_cap": 80.0},
            (
                "Orders that you kept: 4 points each, half as much after 365 days, 120 at most, "
                "at most 80 from any one partner."
            ),
        ),
        (
            {"observation": "order_spend", "currency": "GBP", "weight": 0.02, "cap": 1500.5},
            (
                "What you spent on orders that you kept: 0.02 points for each GBP, 1,500.5 at most, "
                "at most 60 from any one partner."
            ),
        ),
        (
            {"weight": -1.0, "floor": -50.0, "cap": 0.0, "half_life_days": 180.0, "expires_days": 1.0},
            (
                "Orders that you kept: -1 point each, half as much after 180 days, not counted after 1 day, "
                "-50 at worst, at most 60 from any one partner."
            ),
        ),
        (
            {"weight": 1e-7, "floor": -5.0, "cap": 5.0},
            (
                "Orders that you kept: 0.0000001 points each, 5 at most, -5 at worst, "
                "at most 60 either way from any one partner."
            ),
        ),
    ],
)
def test_a_policy_can_be_read_as_sentences(changes: dict[str, Any], sentence: str) -> None:
    """One a kind, with every number that counts."""
    assert describe_weighting(weighting(**changes)) == sentence


def test_the_first_sentence_says_where_everybody_starts() -> None:
    """And the range and the bands."""
    assert describe_policy(policy())[0] == (
        "Everybody starts at 550 points. A score lies between 350 and 950: "
        "'ordinary' from 350, 'good' from 600."
    )


def test_without_reasons_there_are_none() -> None:
    """For a reader, who needs none of them."""
    score = build_scores([("ada", KIND, 5_000), ("ada", "", 60_000)], PLAIN, TODAY, reasons=False)
    assert score["ada"].contributions == ()
    assert score["ada"].points == 600.0


def test_without_rows_there_is_no_score() -> None:
    """Who is not there has no score, which is not a low one."""
    assert build_scores([], PLAIN, TODAY) == {}


@given(by=policies(), counted=some_signals)
@settings(deadline=None)
def test_any_score_can_be_explained(by: Policy, counted: list[Counted]) -> None:
    """Base and reasons add up exactly, the points lie in the range, and reasons change no points."""
    totals = in_sqlite(counted, by)
    rows = [(subject, kind, hundredths) for (subject, kind), hundredths in totals.items()]
    explained = build_scores(rows, by, TODAY)
    bare = build_scores(rows, by, TODAY, reasons=False)
    assert explained.keys() == bare.keys()
    for subject, score in explained.items():
        parts = sum(part.hundredths for part in score.contributions)
        assert round(by.base * 100) + parts == round(score.points * 100)
        assert by.low <= score.points <= by.high
        assert score.points == bare[subject].points


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


@given(by=small_policies(), signals=people)
@settings(deadline=None)
def test_with_nothing_added_it_is_the_score(by: Policy, signals: list[CountedSignal]) -> None:
    """And still called an estimate."""
    estimate = estimate_score(signals, [], by, TODAY)
    explanation = explain_score(signals, by, TODAY)
    assert estimate.score == estimate.current == (explanation.score if explanation else None)
    assert estimate.is_estimate


@given(by=small_policies(), signals=people, added=supposed)
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
