"""FAIR-1: FA*IR, its table and its adjustment."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr

from sesame_sdk.audit.metrics.fair_ranking import (
    MAX_PLACES,
    adjusted_alpha,
    check_fa_ir,
    fa_ir_table,
    failure_probability,
    measure_fair_ranking,
)
from sesame_sdk.audit.metrics.measurement import Verdict
from sesame_sdk.errors import InvalidInputError

shares = st.floats(0.02, 0.98)
alphas = st.floats(0.01, 0.3)
TOLERANCE = 1e-9


def runs(*lengths: int) -> Any:
    """Lengths of runs of 0, 1, 2, ... as a table."""
    return np.repeat(np.arange(len(lengths)), lengths)


@pytest.mark.parametrize(
    ("k", "p", "alpha", "table"),
    [
        (10, 0.5, 0.1, [0, 0, 0, 1, 1, 1, 2, 2, 3, 3]),
        (20, 0.25, 0.1, runs(8, 6, 5, 1)),
        (2, 0.5, 0.25, [0, 1]),  # a chance of alpha exactly is not more than alpha
        (1, 0.7, 0.3, [1]),  # nor where 1 - 0.7 comes out a last bit above 0.3
        # From the tests of fairsearchcore 1.0.4, by the paper's authors.
        (10, 0.2, 0.15, runs(8, 2)),
        (30, 0.3, 0.05, runs(8, 5, 5, 5, 4, 3)),
    ],
)
def test_the_table_is_the_published_one(k: int, p: float, alpha: float, table: Any) -> None:
    """The fewest members of each top, before the adjustment for testing all tops."""
    assert fa_ir_table(k, p, alpha).tolist() == list(table)


@given(st.integers(1, 120), shares, alphas)
def test_scipy_agrees_on_every_line(k: int, p: float, alpha: float) -> None:
    """The number asked for is improbable enough, and one fewer would not be."""
    table, tops = fa_ir_table(k, p, alpha), np.arange(1, k + 1)
    assert (bdtr(table, tops, p) > alpha - TOLERANCE).all()
    assert (np.where(table, bdtr(np.maximum(table - 1, 0), tops, p), 0) <= alpha + TOLERANCE).all()


@given(st.integers(1, 60), shares, shares, alphas, alphas)
def test_the_table_grows_with_places_share_and_alpha(
    k: int, p: float, other_p: float, alpha: float, other_alpha: float
) -> None:
    """By one at most from a top to the next, and never beyond the top itself."""
    table = fa_ir_table(k, min(p, other_p), min(alpha, other_alpha))
    assert set(np.diff(table)) <= {0, 1}
    assert (table <= np.arange(1, k + 1)).all()
    assert (table <= fa_ir_table(k, max(p, other_p), max(alpha, other_alpha))).all()


@pytest.mark.parametrize(("p", "table"), [(0.0, [0, 0, 0]), (1.0, [1, 2, 3])])
def test_shares_of_zero_and_one_are_valid(p: float, table: Any) -> None:
    """An empty group needs no place, and a group of all people needs all of them."""
    assert fa_ir_table(3, p).tolist() == table


@pytest.mark.parametrize(
    ("table", "p", "chance"),
    [
        # From the tests of fairsearchcore 1.0.4, by the paper's authors.
        (runs(8, 2), 0.2, 0.13421772800000065),
        (runs(8, 7, 5), 0.25, 0.10515247355215251),
        (runs(10, 6, 5, 4, 5), 0.3, 0.04877730797178359),
    ],
)
def test_the_chance_of_failing_is_the_published_one(table: Any, p: float, chance: float) -> None:
    """To twelve digits."""
    assert failure_probability(table, p) == pytest.approx(chance, abs=1e-12)


@given(st.integers(1, 9), shares, alphas)
def test_the_chance_of_failing_is_what_counting_every_ranking_gives(k: int, p: float, alpha: float) -> None:
    """All 2^k rankings, each with its probability: the obvious way, and the slow one."""
    table = fa_ir_table(k, p, alpha)
    rankings = np.array(list(product([False, True], repeat=k)))
    chances = np.where(rankings, p, 1 - p).prod(axis=1)
    failing = (np.cumsum(rankings, axis=1) < table).any(axis=1)
    assert failure_probability(table, p) == pytest.approx(chances[failing].sum(), abs=1e-12)


@given(st.integers(1, 60), shares, alphas)
def test_the_adjusted_alpha_is_the_largest_that_keeps_the_promise(k: int, p: float, alpha: float) -> None:
    """Fair rankings fail with at most alpha, and with the next larger table they would fail more often."""
    each = adjusted_alpha(k, p, alpha)
    assert 0 <= each <= alpha
    assert failure_probability(fa_ir_table(k, p, each), p) <= alpha + TOLERANCE
    cdf = np.concatenate([bdtr(np.arange(j), j, p) for j in range(1, k + 1)])
    larger = cdf[(cdf > each + TOLERANCE) & (cdf <= alpha - TOLERANCE)]
    if larger.size:
        assert failure_probability(fa_ir_table(k, p, larger.min() + TOLERANCE), p) > alpha - TOLERANCE


@pytest.mark.parametrize(
    ("k", "p", "alpha", "table"),
    [(10, 0.2, 0.15, runs(8, 2)), (30, 0.3, 0.05, runs(10, 6, 5, 4, 5))],
)
def test_the_adjusted_table_is_the_published_one_where_that_keeps_alpha(
    k: int, p: float, alpha: float, table: Any
) -> None:
    """From the tests of fairsearchcore 1.0.4, by the paper's authors."""
    assert fa_ir_table(k, p, adjusted_alpha(k, p, alpha)).tolist() == list(table)


def test_ten_thousand_fair_rankings_fail_about_as_often_as_promised() -> None:
    """A hundred places, half of them the group's: near 10%, and 34% without the adjustment."""
    drawn = np.cumsum(np.random.default_rng(7).random((10_000, 100)) < 0.5, axis=1)
    adjusted = fa_ir_table(100, 0.5, adjusted_alpha(100, 0.5, 0.1))
    assert 0.09 < (drawn < adjusted).any(axis=1).mean() < 0.11
    assert (drawn < fa_ir_table(100, 0.5, 0.1)).any(axis=1).mean() > 0.3


def test_the_first_failing_rank_is_reported() -> None:
    """With half the people, four places without one of them are too many; adjusted, it takes five."""
    plain = check_fa_ir(np.zeros(10, bool), 0.5, adjusted=False)
    assert (plain.passes, plain.fails_at, plain.surplus) == (False, 4, -3)
    assert check_fa_ir(np.zeros(10, bool), 0.5).fails_at == 5


def test_taking_turns_holds() -> None:
    """Every other place is the group's."""
    test = check_fa_ir(np.arange(100) % 2 == 1, 0.5)
    assert (test.passes, test.fails_at) == (True, None)


@given(st.lists(st.booleans(), min_size=1, max_size=40), shares, alphas)
def test_what_holds_unadjusted_holds_adjusted(flags: list[bool], p: float, alpha: float) -> None:
    """The adjustment lowers each required minimum and never raises it."""
    plain, adjusted = (check_fa_ir(flags, p, alpha, adjusted=each) for each in (False, True))
    assert adjusted.surplus >= plain.surplus
    assert adjusted.passes or not plain.passes
    assert plain.passes == (plain.surplus >= 0)


@pytest.mark.parametrize(
    ("k", "p", "alpha", "field"),
    [
        (0, 0.5, 0.1, "k"),
        (MAX_PLACES + 1, 0.5, 0.1, "k"),
        (5, -0.1, 0.1, "p"),
        (5, float("nan"), 0.1, "p"),
        (5, 0.5, 1, "alpha"),
    ],
)
def test_numbers_out_of_bounds_are_named(k: int, p: float, alpha: float, field: str) -> None:
    """One error, with the field that is wrong."""
    for request in (fa_ir_table, adjusted_alpha):
        with pytest.raises(InvalidInputError) as caught:
            request(k, p, alpha)
        assert caught.value.field == field


def test_a_group_pushed_down_warns_by_name() -> None:
    """Sixty of one group above sixty of another."""
    measured = measure_fair_ranking(np.repeat([1, 0], 60), ("north", "east"))
    assert (measured.verdict, measured.worst_row.label) == (Verdict.WARN, "north")
    assert "first too few at rank 7" in measured.note


def test_groups_taking_turns_are_clean_and_small_ones_not_tested() -> None:
    """Twenty people at the very foot are too few to say anything of."""
    ranked = np.append(np.arange(200) % 2, np.full(20, 2))
    measured = measure_fair_ranking(ranked, ("north", "east", "tiny"))
    assert measured.verdict is Verdict.CLEAN
    assert [row.label for row in measured.rows] == ["north", "east"]
    assert measure_fair_ranking(ranked[:40], ("north", "east")).verdict is Verdict.UNMEASURED


def test_rankings_that_are_fair_to_all_groups_warn_seldom() -> None:
    """A thousand shuffled rankings of four groups: at most about one in ten, as promised."""
    rng = np.random.default_rng(3)
    people = np.repeat([0, 1, 2, 3], [800, 600, 400, 200])
    warned = [
        measure_fair_ranking(rng.permutation(people), "abcd", top=50).verdict is Verdict.WARN
        for _ in range(1000)
    ]
    assert 0.02 < np.mean(warned) < 0.12
