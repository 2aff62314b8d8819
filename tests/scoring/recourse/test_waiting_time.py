"""WaitingTime: the first day on which time alone is enough, if there is one."""

from datetime import date, timedelta

import pytest
from attrs import evolve
from hypothesis import assume, given, settings

from sesame_sdk.model.explanation import WaitingTime
from sesame_sdk.model.policy import Band, Policy
from sesame_sdk.scoring.engines import CountedSignal
from sesame_sdk.scoring.explain import explain_score
from tests.guard.builders import LOWERING, policy, weighting
from tests.scoring.engines import TODAY
from tests.scoring.people import ABLE, RETURNS, order, people, policies, reference_total
from tests.scoring.reference import start_of

SENT_BACK = weighting(LOWERING, expires_days=100.0)


def wait(signals: list[CountedSignal], by: Policy) -> WaitingTime:
    """What comes of it."""
    explanation = explain_score(signals, by, TODAY)
    assert explanation
    assert explanation.next_band
    return explanation.next_band.waiting


@given(by=policies(), signals=people)
@settings(deadline=None)
def test_the_day_to_wait_for_is_the_first_one(by: Policy, signals: list[CountedSignal]) -> None:
    """Tried day by day, by the reference, until nothing lowers any more."""
    explanation = explain_score(signals, by, TODAY, ABLE)
    assume(explanation)
    assert explanation
    if not explanation.next_band:
        return
    target = round(explanation.next_band.start * 100)
    days = (day for day in range(1, 103) if (reference_total(signals, by, day) or 0) >= target)
    first = next(days, None)
    assert explanation.next_band.waiting.reached_on == (
        None if first is None else TODAY + timedelta(days=first)
    )
    assert explanation.next_band.waiting.searched_until is None


@pytest.mark.parametrize(("days", "day"), [(0, 101), (60, 41), (100, 1)])
def test_waiting_ends_when_what_lowers_expires(days: int, day: int) -> None:
    """Base 550 with a point lost; the next band begins at 550, and a score is left."""
    by = policy(
        weighting(), evolve(SENT_BACK, half_life_days=None), bands=(Band("l", 350.0), Band("g", 550.0))
    )
    explanation = wait([order(0.0), order(1.0, kind=RETURNS, days=days)], by)
    assert explanation.reached_on == TODAY + timedelta(days=day)
    assert not explanation.points_decay


def test_without_signals_there_is_no_score_to_wait_for() -> None:
    """The day after the last signal counted there is none, which is not the next band."""
    by = policy(evolve(SENT_BACK, half_life_days=None), bands=(Band("l", 350.0), Band("g", 550.0)))
    assert wait([order(1.0, kind=RETURNS)], by).reached_on is None


def test_rewards_that_fade_meanwhile_count_and_are_reported() -> None:
    """The day is later than it were without."""
    bands = (Band("low", 350.0), Band("good", 551.0))
    sent_back = evolve(SENT_BACK, expires_days=1000.0)
    fading = policy(weighting(half_life_days=300.0), sent_back, bands=bands)
    lasting = policy(weighting(), sent_back, bands=bands)
    signals = [order(4.0), order(20.0, kind=RETURNS)]
    late, soon = wait(signals, fading), wait(signals, lasting)
    assert late.points_decay
    assert not soon.points_decay
    assert late.reached_on
    assert soon.reached_on
    assert late.reached_on > soon.reached_on


def test_where_what_lowers_never_ends_the_result_says_how_far_the_search_went() -> None:
    """No day in ten years, which is not to say that none ever comes."""
    by = policy(weighting(), evolve(LOWERING, half_life_days=None))
    waiting = wait([order(0.0), order(1.0, kind=RETURNS)], by)
    assert (waiting.reached_on, waiting.searched_until) == (None, TODAY + timedelta(days=3653))


def test_on_the_last_day_of_all_there_is_nothing_to_wait_for() -> None:
    """The calendar ends, and nothing breaks."""
    signals = [CountedSignal("one", RETURNS, 1.0, start_of(date.max))]
    explanation = explain_score(signals, policy(weighting(), SENT_BACK), date.max)
    assert explanation
    assert explanation.next_band
    assert explanation.next_band.waiting.reached_on is None
