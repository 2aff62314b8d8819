"""PSI-1, the population stability index."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import rel_entr

from sesame_sdk.audit.metrics.measurement import Verdict
from sesame_sdk.audit.metrics.stability import bin_edges, measure_stability, population_stability_index
from sesame_sdk.errors import InvalidInputError
from tests.audit.people import shuffled

scores = st.lists(st.integers(500, 520).map(float), min_size=1, max_size=80).map(np.array)


def test_two_bins_from_half_and_half_to_three_quarters() -> None:
    """0.25 ln(1.5) - 0.25 ln(0.5), worked by hand."""
    shift = population_stability_index(np.repeat([1.0, 2.0], 50), np.repeat([1.0, 2.0], [75, 25]), bins=2)
    assert shift.psi == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5))


def test_a_hundred_different_scores_fall_into_ten_bins_of_ten() -> None:
    """A bin goes up to its edge, the edge included."""
    shift = population_stability_index(np.arange(1.0, 101), np.arange(1.0, 101))
    assert shift.edges.tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert shift.expected.tolist() == [10] * 10


def test_a_score_that_many_have_gets_a_bin_of_its_own() -> None:
    """Half of all people stand at the base score, as newcomers do; who leaves it is seen at once."""
    before = np.append(np.arange(500.0, 550), np.full(50, 550.0))
    assert bin_edges(before).tolist() == [509, 519, 529, 539, 549, 550]
    after = np.append(before[:75], np.arange(540.0, 550).repeat(3)[:25])
    assert population_stability_index(before, after).psi > 0.10


def test_two_tenths_with_one_score_are_enough_for_a_bin_of_its_own() -> None:
    """Twenty of a hundred, where two quantiles fall."""
    scores = np.concatenate([np.arange(500.0, 545), np.full(20, 550.0), np.arange(600.0, 635)])
    assert bin_edges(scores).tolist() == [509, 519, 529, 539, 544, 550, 604, 614, 624]


def test_equal_scores_are_valid() -> None:
    """Nor is everybody with another: half a person stands in the empty bins."""
    same = np.full(1000, 550.0)
    assert population_stability_index(same, same[:10]).psi == 0
    assert 5 < population_stability_index(same, same + 1).psi < 20


@given(scores, scores, st.integers(2, 12), st.integers(0, 99))
def test_it_is_0_or_more_whatever_the_order(before: Any, now: Any, bins: int, seed: int) -> None:
    """No bin can make up for another: each adds 0 or more."""
    shift = population_stability_index(before, now, bins)
    assert (shift.parts >= 0).all()
    assert np.isfinite(shift.psi)
    assert (shift.expected.sum(), shift.actual.sum()) == (before.size, now.size)
    assert len(shift.edges) < bins
    (mixed,), (again,) = shuffled(seed, before), shuffled(seed, now)
    assert population_stability_index(mixed, again, bins).psi == shift.psi


@given(scores, st.integers(1, 5), st.integers(2, 12))
def test_the_same_spread_is_0_however_many_people(before: Any, times: int, bins: int) -> None:
    """Twice as many people of every score are no shift."""
    assert population_stability_index(before, np.repeat(before, times), bins).psi == pytest.approx(
        0, abs=1e-12
    )


@given(scores, scores)
def test_scipy_agrees_on_every_bin_that_is_not_empty(before: Any, now: Any) -> None:
    """It is the Kullback-Leibler divergence there and back."""
    shift = population_stability_index(before, now)
    full = (shift.expected > 0) & (shift.actual > 0)
    e, a = shift.expected / before.size, shift.actual / now.size
    assert shift.parts[full] == pytest.approx((rel_entr(a, e) + rel_entr(e, a))[full], abs=1e-12)


@pytest.mark.parametrize(("moved", "verdict"), [(0, Verdict.CLEAN), (40, Verdict.WATCH), (90, Verdict.WARN)])
def test_a_tenth_is_watched_and_a_quarter_acted_on(moved: int, verdict: Verdict) -> None:
    """Scores that rise by half a deviation, and by more than one."""
    before = np.random.default_rng(5).normal(600, 80, 5000)
    assert measure_stability(before, before + moved).verdict is verdict


def test_few_people_are_not_measured() -> None:
    """With a hundred on each side, chance alone comes near 0.2."""
    measured = measure_stability(np.arange(1000.0), np.arange(100.0))
    assert (measured.value, measured.verdict) == (None, Verdict.UNMEASURED)
    assert measured.rows


@pytest.mark.parametrize(
    ("before", "now", "bins"), [([], [1], 10), ([1], [], 10), ([1], [np.nan], 10), ([1], [1], 1)]
)
def test_what_cannot_be_compared_is_refused(before: Any, now: Any, bins: int) -> None:
    """No scores, no number, no bins."""
    with pytest.raises(InvalidInputError):
        population_stability_index(before, now, bins)
