"""Both sides' interest: symmetric, between the two, and nothing where one side has none."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sesame_baihe import rank
from sesame_baihe.score_blend import ReciprocalMean, average_relevance

from sesame_sdk import InvalidInputError

shares = st.floats(0, 1)
means = st.sampled_from(["harmonic", "geometric"])


@given(pairs=st.lists(st.tuples(shares, shares), max_size=20), mean=means)
def test_the_mean_is_symmetric_and_lies_between_the_two(
    pairs: list[tuple[float, float]], mean: ReciprocalMean
) -> None:
    """Both people of a pair see the same figure."""
    there, back = np.array(pairs).reshape(-1, 2).T
    together = average_relevance(there, back, mean)
    assert together.tolist() == average_relevance(back, there, mean).tolist()
    assert (np.minimum(there, back) <= together).all()
    assert (together <= np.maximum(there, back)).all()


@given(one=shares, mean=means)
def test_zero_relevance_on_one_side_is_no_match(one: float, mean: ReciprocalMean) -> None:
    """However much they want."""
    assert average_relevance([one], [0.0], mean).tolist() == [0.0]


@given(pairs=st.lists(st.tuples(shares, shares), max_size=20))
def test_the_harmonic_mean_never_forgives_more_than_the_geometric(pairs: list[tuple[float, float]]) -> None:
    """Which is why it is the default."""
    there, back = np.array(pairs).reshape(-1, 2).T
    assert (average_relevance(there, back) <= average_relevance(there, back, "geometric") + 1e-12).all()


@pytest.mark.parametrize(("mean", "expected"), [("harmonic", 0.32), ("geometric", 0.4)])
def test_the_means_are_those_of_the_textbook(mean: ReciprocalMean, expected: float) -> None:
    """0.2 and 0.8: 2ab/(a+b), and the root of ab."""
    assert average_relevance([0.2], [0.8], mean).tolist() == [pytest.approx(expected)]


@given(there=shares, back=shares, score=st.sampled_from([350.0, 777.77, None]), mean=means)
def test_two_people_with_the_same_score_find_each_other_equally_good(
    there: float, back: float, score: float | None, mean: ReciprocalMean
) -> None:
    """Ada on Bob's page comes to what Bob comes to on hers."""
    on_his = rank(["ada"], [there], {"ada": score}, reciprocal_relevance=[back], mean=mean).profiles[0]
    on_hers = rank(["bob"], [back], {"bob": score}, reciprocal_relevance=[there], mean=mean).profiles[0]
    assert on_his.blended == on_hers.blended
    assert (on_his.relevance, on_his.reciprocal_relevance) == (
        on_hers.reciprocal_relevance,
        on_hers.relevance,
    )


@pytest.mark.parametrize(
    ("back", "mean", "message"),
    [
        ([0.5, 0.5], "harmonic", "reciprocal_relevance: must have one value for each candidate"),
        ([math.nan], "harmonic", "reciprocal_relevance: must be from 0 to 1"),
        ([1.5], "geometric", "reciprocal_relevance: must be from 0 to 1"),
        ([0.5], "median", "mean: must be one of harmonic, geometric"),
    ],
)
def test_what_is_out_of_bounds_is_rejected(back: list[float], mean: ReciprocalMean, message: str) -> None:
    """By name."""
    with pytest.raises(InvalidInputError, match=message):
        rank(["ada"], [0.5], {}, reciprocal_relevance=back, mean=mean)
