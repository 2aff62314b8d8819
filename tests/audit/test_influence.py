"""VOL-1 and PTN-1."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.audit.metrics.influence import (
    measure_partner_influence,
    measure_volatility,
    partner_influence,
    volatility,
)
from sesame_sdk.audit.metrics.measurement import Verdict
from sesame_sdk.errors import InvalidInputError

points = st.integers(0, 200).map(float)


@pytest.mark.parametrize(("fall", "verdict"), [(0, Verdict.CLEAN), (30, Verdict.CLEAN), (31, Verdict.WARN)])
def test_a_fall_of_more_than_a_twentieth_of_the_range_warns(fall: int, verdict: Verdict) -> None:
    """30 of 600 points is the bound itself."""
    measured = measure_volatility([1, fall], 600, ("a", "b"))
    assert measured.verdict is verdict
    assert measured.value == pytest.approx(max(1, fall) / 600)


def test_a_policy_without_kinds_that_lower_never_falls() -> None:
    """The largest of no falls is 0."""
    assert volatility([], 600) == 0


def test_a_partner_moves_each_kind_by_its_cap_or_by_all_there_is() -> None:
    """Two rewards of 80 and at most 50, and one that lowers by 60: up 130, down 60, of 600."""
    result = partner_influence([80, 200, 60], [0, 0, -80], [120, 50, 0], 600)
    assert (result.up, result.down) == (pytest.approx(130 / 600), pytest.approx(60 / 600))
    assert result.share == result.up


def test_what_takes_more_than_it_gives_counts_by_what_it_takes() -> None:
    """The more of up and down is the partner's influence, and it is never more than the range."""
    assert partner_influence([60, 20], [-60, 0], [0, 20], 600).share == pytest.approx(0.1)
    assert partner_influence([500, 500], [0, 0], [500, 500], 600).share == 1


def test_a_kind_that_others_hold_at_its_floor_can_be_moved_past_its_cap() -> None:
    """From -10 to 20 is thirty points, though the kind's cap is 20."""
    assert partner_influence([50], [-10], [20], 100).share == pytest.approx(0.3)


@pytest.mark.parametrize(("cap", "verdict"), [(90, Verdict.CLEAN), (91, Verdict.WARN)])
def test_more_than_15_in_a_hundred_of_the_range_warns(cap: int, verdict: Verdict) -> None:
    """90 of 600 points is the bound itself."""
    measured = measure_partner_influence([cap], [0], [200], 600, ("retail.order.completed",))
    assert (measured.verdict, measured.worst_row.label) == (verdict, "retail.order.completed")


@given(st.lists(st.tuples(points, points, points), max_size=6), st.data())
def test_no_partner_moves_a_score_further_than_it_says(
    kinds: list[tuple[float, float, float]], data: st.DataObject
) -> None:
    """Whatever others sent, and whatever the partner sends."""
    caps, floors, tops = np.array(kinds).reshape(-1, 3).T
    bound = partner_influence(caps, -floors, tops, 600).share * 600
    others = np.array([data.draw(st.integers(-300, 300)) for _ in kinds])
    sign = data.draw(st.sampled_from([-1, 1]))
    able = tops > 0 if sign > 0 else floors > 0
    own = np.array([data.draw(st.floats(0, cap)) for cap in caps]) * sign * able
    without, within = (np.clip(side, -floors, tops).sum() for side in (others, others + own))
    bounded = [np.clip(550 + side, 350, 950) for side in (without, within)]
    assert abs(bounded[1] - bounded[0]) <= bound + 1e-9


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (([-1], [0], [1], 600), "partner_caps"),
        (([1], [1], [1], 600), "floors"),
        (([1], [0], [-1], 600), "caps"),
        (([1], [0], [1], 0), "span"),
        (([1, 2], [0], [1], 600), "partner_caps, floors, caps"),
    ],
)
def test_what_does_not_fit_is_named(arguments: tuple[Any, ...], field: str) -> None:
    """One error, with the field that is wrong."""
    with pytest.raises(InvalidInputError) as caught:
        partner_influence(*arguments)
    assert caught.value.field == field


def test_a_fall_is_positive_points() -> None:
    """A negative fall would be a rise, and hide the largest."""
    with pytest.raises(InvalidInputError, match="falls: must be 0 or more"):
        volatility([-5], 600)
