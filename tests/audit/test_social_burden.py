"""BRD-1 and DATA-1."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sesame_sdk.audit.metrics.data_minimisation import data_exposure, measure_data_exposure
from sesame_sdk.audit.metrics.measurement import Verdict, make_finding
from sesame_sdk.audit.metrics.social_burden import (
    measure_social_burden,
    social_burden,
)
from sesame_sdk.errors import InvalidInputError
from tests.audit.people import Rows, columns, people, relabelled, shuffled

EVERYBODY = np.ones(80, bool)
HALVES = np.repeat([0, 1], 40)


@pytest.mark.parametrize(("dearer", "verdict"), [(4, Verdict.CLEAN), (5, Verdict.CLEAN), (6, Verdict.WARN)])
def test_a_quarter_dearer_is_the_bound(dearer: int, verdict: Verdict) -> None:
    """4 against 5 is a ratio of 1.25, which is not past it."""
    measured = measure_social_burden(np.where(HALVES, dearer, 4), EVERYBODY, HALVES, ("north", "east"))
    assert (measured.value, measured.verdict) == (dearer / 4, verdict)


def test_only_the_qualified_count() -> None:
    """What passing costs those who should not pass is no burden."""
    result = social_burden([1, 100, 2, 2], [True, False, True, True], [0, 0, 1, 1])
    assert result.groups.means.tolist() == [1, 2]
    assert result.groups.people.tolist() == [1, 2]


def test_a_way_that_is_closed_to_one_group_has_no_limit() -> None:
    """Infinite cost is described in words, with a warning."""
    cost = np.where(HALVES, np.inf, 4.0)
    measured = measure_social_burden(cost, EVERYBODY, HALVES, ("north", "east"))
    result = make_finding(measured, "policy retail-privileges")
    assert result.reason == "social burden is no limit, more than 1.25; worst group: east"
    assert social_burden(np.full(80, np.inf), EVERYBODY, HALVES).ratio == 1


def test_few_qualified_people_are_not_compared() -> None:
    """Forty people with ten who qualify count as ten."""
    qualified = np.arange(80) < 50
    assert (
        measure_social_burden(np.ones(80), qualified, HALVES, ("north", "east")).verdict is Verdict.UNMEASURED
    )


@given(people, st.integers(0, 99))
def test_neither_order_nor_the_groups_numbers_change_it(rows: Rows, seed: int) -> None:
    """It is 1 or more."""
    group, scores, qualified = columns(rows)
    assume(qualified.any())
    ratio = social_burden(scores - 500, qualified, group).ratio
    assert ratio >= 1
    mixed, able, again = shuffled(seed, scores - 500, qualified, relabelled(seed, group))
    assert social_burden(mixed, able, again).ratio == ratio


def test_three_partners_where_one_would_do_are_three_times_the_least() -> None:
    """Recipients, fields and days multiply."""
    assert data_exposure([3], [4], [30], [1 * 4 * 30]).ratio == 3


def test_the_least_is_clean_and_any_excess_warns() -> None:
    """One day more than needed is an excess."""
    assert measure_data_exposure([1], [4], [30], [120], ("deposit",)).verdict is Verdict.CLEAN
    assert measure_data_exposure([1], [4], [31], [120], ("deposit",)).verdict is Verdict.WARN


def test_a_purpose_that_is_spared_does_not_excuse_another() -> None:
    """The verdict is on the worst purpose, and a purpose that needs nothing may have nothing."""
    measured = measure_data_exposure([1, 2, 0], [1, 1, 1], [1, 10, 1], [100, 10, 0], ("a", "b", "c"))
    assert (measured.verdict, measured.worst_row.label, measured.value) == (Verdict.WARN, "b", 2)
    assert measured.rows[2].value == 1
    assert measure_data_exposure([1], [1], [1], [0], ("a",)).value == np.inf


def test_what_does_not_fit_is_named() -> None:
    """Costs are numbers of 0 or more, and somebody must hold the data."""
    with pytest.raises(InvalidInputError, match="cost: must be 0 or more"):
        social_burden([-1.0], [True], [0])
    with pytest.raises(InvalidInputError, match="cost: must hold no NaN"):
        social_burden([np.nan], [True], [0])
    with pytest.raises(InvalidInputError, match="recipients, fields, days, least: must be of one length"):
        data_exposure([1, 2], [1], [1], [1])
    with pytest.raises(InvalidInputError, match="must hold a purpose"):
        measure_data_exposure([], [], [], [], ())
