"""CNF-1 and CNF-2."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import entr

from sesame_sdk.audit.metrics.conformity import (
    conformity_loss,
    conformity_weight,
    entropy,
    measure_conformity_loss,
    measure_conformity_weight,
)
from sesame_sdk.audit.metrics.measurement import Verdict
from sesame_sdk.errors import InvalidInputError

counts = st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=1, max_size=5)


def test_a_reward_for_conformity_weighs_as_a_penalty_does() -> None:
    """5 points for praise, and 2 less for a comic, of 20 in all."""
    assert conformity_weight([5, -2, 13], [True, True, False]) == pytest.approx(7 / 20)


@pytest.mark.parametrize("weight", [0.0001, -0.0001, 100])
def test_any_weight_on_conformity_is_refused(weight: float) -> None:
    """There is no amount of it that would be small enough."""
    measured = measure_conformity_weight([weight, 1000], [True, False], ("community.taste.music", "ok"))
    assert measured.verdict is Verdict.REFUSE
    assert [row.label for row in measured.rows] == ["community.taste.music"]


@pytest.mark.parametrize("weights", [[], [4.0, 2.0], [0.0, 0.0]])
def test_no_weight_on_it_is_clean(weights: list[float]) -> None:
    """Also for a policy with no weight at all."""
    measured = measure_conformity_weight(weights, np.zeros(len(weights), bool), "ab"[: len(weights)])
    assert (measured.value, measured.verdict) == (0, Verdict.CLEAN)


def test_from_two_even_choices_to_one_in_ten_loses_half_a_bit() -> None:
    """1 - H(0.1, 0.9) / H(0.5, 0.5)."""
    loss = conformity_loss([[50, 50]], [[10, 90]]).overall
    assert loss == pytest.approx(1 + 0.1 * np.log2(0.1) + 0.9 * np.log2(0.9))


def test_all_choosing_one_thing_lose_everything() -> None:
    """And where there was nothing to lose, nothing is lost."""
    assert conformity_loss([[30, 30, 40]], [[100, 0, 0]]).overall == 1
    assert conformity_loss([[100, 0]], [[100, 0]]).overall == 0


@pytest.mark.parametrize(
    ("after", "verdict"), [(450, Verdict.CLEAN), (430, Verdict.WARN), (360, Verdict.REFUSE)]
)
def test_one_in_a_hundred_warns_and_five_refuse(after: Any, verdict: Verdict) -> None:
    """Five hundred of a thousand took the rarer option before they adapted."""
    measured = measure_conformity_loss([[500, 500]], [[after, 1000 - after]], ("music",))
    assert measured.verdict is verdict


def test_variety_gained_in_one_choice_does_not_excuse_anothers_loss() -> None:
    """The verdict is on the worst choice, and the whole stands in the note."""
    measured = measure_conformity_loss([[50, 50], [90, 10]], [[10, 90], [50, 50]], ("music", "words"))
    assert measured.verdict is Verdict.REFUSE
    assert measured.worst_row.label == "music"
    assert "over all choices together: 0.0%" in measured.note


@given(counts)
def test_scipy_agrees_on_entropy(table: Any) -> None:
    """In bits, for every choice; a choice without answers has no value."""
    for row, ours in zip(table, entropy(table), strict=True):
        assert ours == pytest.approx(entr(np.divide(row, sum(row) or 1)).sum() / np.log(2), abs=1e-12)


@given(counts, st.permutations([0, 1, 2]), st.integers(1, 9))
def test_neither_the_options_order_nor_the_number_of_people_changes_it(
    table: Any, order: list[int], times: int
) -> None:
    """What is lost is variety, and nothing else."""
    loss = conformity_loss(table, np.array(table)[:, order] * times)
    assert loss.overall == pytest.approx(0, abs=1e-12)
    assert conformity_loss(table, np.ones_like(table)).overall <= 0


@given(counts)
def test_the_worst_choice_loses_no_less_than_the_whole(table: Any) -> None:
    """So judging the worst is never the milder way."""
    loss = conformity_loss(table, np.diag([1, 2, 3])[np.arange(len(table)) % 3] + np.array(table))
    assert max(loss.choices) >= loss.overall - 1e-12


@pytest.mark.parametrize(
    ("before", "after"),
    [([[1, 2]], [[1, 2], [3, 4]]), ([1, 2], [1, 2]), ([[-1, 2]], [[1, 2]]), ([[np.nan, 2]], [[1, 2]])],
)
def test_what_is_not_two_tables_of_counts_is_refused(before: Any, after: Any) -> None:
    """One shape, two dimensions, no negative count."""
    with pytest.raises(InvalidInputError):
        conformity_loss(before, after)
