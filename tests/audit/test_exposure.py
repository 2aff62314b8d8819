"""EXPO-1, ranking exposure."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.audit.metrics.exposure import (
    attention_by_rank,
    attention_by_score,
    cumulative_exposure,
    exposure,
    measure_exposure,
)
from sesame_sdk.audit.metrics.measurement import Verdict
from sesame_sdk.errors import InvalidInputError
from tests.audit.people import GROUPS, NAMES, Rows, columns, people, relabelled, shuffled


def test_ranks_1_to_5_against_6_to_10_give_0_541() -> None:
    """The worked case of the rule."""
    result = exposure(attention_by_rank(np.arange(1, 11)), np.repeat([0, 1], 5))
    assert round(result.ratio, 3) == 0.541


def test_the_first_rank_has_attention_1_and_an_infinite_rank_0() -> None:
    """An infinite rank stands for a page that is never turned to."""
    assert attention_by_rank([1, 3, np.inf]).tolist() == [1, 0.5, 0]


def test_equals_share_the_places_that_they_hold() -> None:
    """Two at the top have the mean of the first and the second place."""
    shared = (1 + 1 / np.log2(3)) / 2
    assert attention_by_score([700, 650, 700]).tolist() == [pytest.approx(shared), 0.5, pytest.approx(shared)]


def test_a_group_at_the_foot_of_a_long_ranking_warns() -> None:
    """Forty above forty is a ratio well below 0.80."""
    attention = attention_by_score(np.arange(80, 0, -1))
    measured = measure_exposure(attention, np.repeat([0, 1], 40), NAMES)
    assert measured.verdict is Verdict.WARN
    assert measured.worst_row.label == "east"


@given(people, st.integers(0, 99))
def test_neither_order_nor_the_groups_numbers_change_it(rows: Rows, seed: int) -> None:
    """Nor does the order among people of one score."""
    group, scores, _ = columns(rows)
    ratio = exposure(attention_by_score(scores), group).ratio
    assert 0 <= ratio <= 1
    mixed, again = shuffled(seed, scores, relabelled(seed, group))
    assert exposure(attention_by_score(mixed), again).ratio == pytest.approx(ratio)


@pytest.fixture(scope="module")
def dcg_score() -> Callable[..., float]:
    """Imported where it is used: that takes seconds."""
    from sklearn.metrics import dcg_score as theirs

    return theirs


@given(people.filter(lambda rows: len(rows) > 1))
def test_scikit_learn_agrees_ties_and_all(dcg_score: Callable[..., float], rows: Rows) -> None:
    """A group's whole attention is the discounted gain of a ranking where its members are the relevant."""
    group, scores, _ = columns(rows)
    attention = attention_by_score(scores)
    for each in range(GROUPS):
        gain = dcg_score([(group == each).astype(float)], [scores])
        assert attention[group == each].sum() == pytest.approx(gain)


@given(people, st.integers(1, 30), st.integers(0, 99))
def test_the_curve_rises_to_each_groups_exposure(rows: Rows, points: int, seed: int) -> None:
    """And does not depend on the order of people."""
    group, scores, _ = columns(rows)
    attention = attention_by_score(scores)
    curve = cumulative_exposure(attention, group, points)
    assert curve.ranks[-1] == scores.size
    assert (np.diff(curve.ranks) > 0).all()
    assert (np.diff(curve.cumulative, axis=1) >= 0).all()
    means = exposure(attention, group).groups.means
    assert curve.cumulative[:, -1] == pytest.approx(np.nan_to_num(means))
    other_attention, other_group = shuffled(seed, attention, group)
    again = cumulative_exposure(other_attention, other_group, points)
    assert again.cumulative == pytest.approx(curve.cumulative)


def test_the_curve_of_two_groups_taking_turns_lies_together() -> None:
    """They are never further apart than by who stands first: one of a thousand."""
    curve = cumulative_exposure(attention_by_rank(np.arange(1, 2001)), np.arange(2000) % 2, 20)
    assert np.abs(curve.cumulative[0] - curve.cumulative[1]).max() <= 0.001


def test_equals_enter_the_curve_together_at_the_last_place_they_hold() -> None:
    """Three with one score below the first: nothing of theirs before the fourth place."""
    curve = cumulative_exposure(attention_by_score([9, 5, 5, 5]), np.array([0, 1, 1, 1]), 10)
    assert curve.ranks.tolist() == [1, 2, 3, 4]
    assert curve.cumulative[0].tolist() == [1, 1, 1, 1]
    assert curve.cumulative[1, :3].tolist() == [0, 0, 0]


@pytest.mark.parametrize("bad", [[0.5], [np.nan], ["first"], [[1]]])
def test_a_rank_that_is_none_is_refused(bad: Any) -> None:
    """Ranks are numbers from 1."""
    with pytest.raises(InvalidInputError, match="ranks"):
        attention_by_rank(bad)


def test_a_missing_score_must_be_replaced_first() -> None:
    """NaN has no place, and guessing the last one would treat no score as a low one."""
    with pytest.raises(InvalidInputError, match="scores: must hold no NaN"):
        attention_by_score([600, np.nan])


def test_an_empty_ranking_has_no_curve() -> None:
    """One clear error rather than an empty picture."""
    assert attention_by_score([]).size == 0
    with pytest.raises(InvalidInputError, match="must not be empty"):
        cumulative_exposure(np.array([]), np.array([], int))
