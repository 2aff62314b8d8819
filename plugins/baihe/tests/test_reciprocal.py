"""Both sides' interest: symmetric, between the two, and nothing where one side has none."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sesame_baihe import rank
from sesame_baihe.score_blend import Mean, both_ways

from sesame_sdk import InvalidInputError

shares = st.floats(0, 1)
means = st.sampled_from(["harmonic", "geometric"])


@given(pairs=st.lists(st.tuples(shares, shares), max_size=20), mean=means)
def test_the_mean_is_symmetric_and_lies_between_the_two(pairs: list[tuple[float, float]], mean: Mean) -> None:
    """Both people of a pair see the same figure."""
    there, back = np.array(pairs).reshape(-1, 2).T
    together = both_ways(there, back, mean)
    assert together.tolist() == both_ways(back, there, mean).tolist()
    assert (np.minimum(there, back) <= together).all()
    assert (together <= np.maximum(there, back)).all()


@given(one=shares, mean=means)
def test_who_is_not_wanted_is_no_match(one: float, mean: Mean) -> None:
    """However much they want."""
    assert both_ways([one], [0.0], mean).tolist() == [0.0]


@given(pairs=st.lists(st.tuples(shares, shares), max_size=20))
def test_the_harmonic_mean_never_forgives_more_than_the_geometric(pairs: list[tuple[float, float]]) -> None:
    """Which is why it is the default."""
    there, back = np.array(pairs).reshape(-1, 2).T
    assert (both_ways(there, back) <= both_ways(there, back, "geometric") + 1e-12).all()


@pytest.mark.parametrize(("mean", "expected"), [("harmonic", 0.32), ("geometric", 0.4)])
def test_the_means_are_those_of_the_textbook(mean: Mean, expected: float) -> None:
    """0.2 and 0.8: 2ab/(a+b), and the root of ab."""
    assert both_ways([0.2], [0.8], mean).tolist() == [pytest.approx(expected)]


@given(there=shares, back=shares, score=st.sampled_from([350.0, 777.77, None]), mean=means)
def test_two_people_with_the_same_score_find_each_other_equally_good(
    there: float, back: float, score: float | None, mean: Mean
) -> None:
    """Ada on Bob's page comes to what Bob comes to on hers."""
    on_his = rank(["ada"], [there], {"ada": score}, in_return=[back], mean=mean).places[0]
    on_hers = rank(["bob"], [back], {"bob": score}, in_return=[there], mean=mean).places[0]
    assert on_his.blended == on_hers.blended
    assert (on_his.relevance, on_his.in_return) == (on_hers.in_return, on_hers.relevance)


@pytest.mark.parametrize(
    ("back", "mean", "message"),
    [
        ([0.5, 0.5], "harmonic", "in_return: must be one a candidate"),
        ([math.nan], "harmonic", "in_return: must lie between 0 and 1"),
        ([1.5], "geometric", "in_return: must lie between 0 and 1"),
        ([0.5], "median", "mean: must be one of harmonic, geometric"),
    ],
)
def test_what_is_out_of_bounds_is_rejected(back: list[float], mean: Mean, message: str) -> None:
    """By name."""
    with pytest.raises(InvalidInputError, match=message):
        rank(["ada"], [0.5], {}, in_return=back, mean=mean)
