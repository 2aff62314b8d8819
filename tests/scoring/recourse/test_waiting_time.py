"""WaitingTime: the first day on which time alone is enough, if there is one."""

from datetime import date, timedelta

import pytest
from attrs import evolve
from hypothesis import assume, given, settings

from sesame_sdk.model.explanation import WaitingTime
from sesame_sdk.model.policy import Band, Policy
from sesame_sdk.scoring.explain import explain_score
from sesame_sdk.scoring.hypothetical import CountedSignal
from tests.guard.builders import LOWERING, policy, weighting
from tests.scoring.engines import TODAY
from tests.scoring.people import ABLE, RETURNS, order, people, policies, slowly
from tests.scoring.reference import start_of

SENT_BACK = weighting(LOWERING, expires_days=100.0)


def wait(held: list[CountedSignal], by: Policy) -> WaitingTime:
    """What comes of it."""
    found = explain_score(held, by, TODAY)
    assert found
    assert found.next_band
    return found.next_band.waiting


@given(by=policies(), held=people)
@settings(deadline=None)
def test_the_day_to_wait_for_is_the_first_one(by: Policy, held: list[CountedSignal]) -> None:
    """Tried day by day, by the reference, until nothing lowers any more."""
    found = explain_score(held, by, TODAY, ABLE)
    assume(found)
    assert found
    if not found.next_band:
        return
    target = round(found.next_band.start * 100)
    days = (day for day in range(1, 103) if (slowly(held, by, day) or 0) >= target)
    first = next(days, None)
    assert found.next_band.waiting.reached_on == (None if first is None else TODAY + timedelta(days=first))
    assert found.next_band.waiting.searched_until is None


@pytest.mark.parametrize(("days", "day"), [(0, 101), (60, 41), (100, 1)])
def test_waiting_ends_when_what_lowers_expires(days: int, day: int) -> None:
    """Base 550 with a point lost; the next band begins at 550, and a score is left."""
    by = policy(
        weighting(), evolve(SENT_BACK, half_life_days=None), bands=(Band("l", 350.0), Band("g", 550.0))
    )
    found = wait([order(0.0), order(1.0, kind=RETURNS, days=days)], by)
    assert found.reached_on == TODAY + timedelta(days=day)
    assert not found.points_decay


def test_somebody_with_nothing_left_has_no_score_to_wait_for() -> None:
    """The day after the last signal counted there is none, which is not the next band."""
    by = policy(evolve(SENT_BACK, half_life_days=None), bands=(Band("l", 350.0), Band("g", 550.0)))
    assert wait([order(1.0, kind=RETURNS)], by).reached_on is None


def test_rewards_that_fade_meanwhile_are_counted_in_and_told() -> None:
    """The day is later than it were without."""
    bands = (Band("low", 350.0), Band("good", 551.0))
    sent_back = evolve(SENT_BACK, expires_days=1000.0)
    fading = policy(weighting(half_life_days=300.0), sent_back, bands=bands)
    lasting = policy(weighting(), sent_back, bands=bands)
    held = [order(4.0), order(20.0, kind=RETURNS)]
    late, soon = wait(held, fading), wait(held, lasting)
    assert late.points_decay
    assert not soon.points_decay
    assert late.reached_on
    assert soon.reached_on
    assert late.reached_on > soon.reached_on


def test_where_what_lowers_counts_for_ever_it_says_how_far_it_looked() -> None:
    """No day in ten years, which is not to say that none ever comes."""
    by = policy(weighting(), evolve(LOWERING, half_life_days=None))
    waiting = wait([order(0.0), order(1.0, kind=RETURNS)], by)
    assert (waiting.reached_on, waiting.searched_until) == (None, TODAY + timedelta(days=3653))


def test_on_the_last_day_of_all_there_is_nothing_to_wait_for() -> None:
    """The calendar ends, and nothing breaks."""
    held = [CountedSignal("one", RETURNS, 1.0, start_of(date.max))]
    found = explain_score(held, policy(weighting(), SENT_BACK), date.max)
    assert found
    assert found.next_band
    assert found.next_band.waiting.reached_on is None
