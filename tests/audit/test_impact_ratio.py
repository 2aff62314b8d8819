"""DIS-1, the impact ratio."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sesame_sdk.audit.metrics.impact_ratio import impact_ratio, measure_impact_ratio
from sesame_sdk.audit.metrics.measurement import Verdict
from sesame_sdk.errors import InvalidInputError
from tests.audit.people import Array, Rows, columns, people, relabelled, shuffled


def passing(*shares: float, of: int = 100) -> tuple[Array, Array]:
    """Each group has `of` people, of which a share passes."""
    flags = [np.arange(of) < round(share * of) for share in shares]
    return np.concatenate(flags), np.repeat(np.arange(len(shares)), of)


def test_40_in_100_against_60_in_100_is_two_thirds() -> None:
    """The worked case of the rule: a ratio of 0.667, with both rates beside it."""
    impact = impact_ratio(*passing(0.4, 0.6))
    assert impact.groups.means.tolist() == [0.4, 0.6]
    assert impact.worst == pytest.approx(2 / 3)
    assert impact.ratios.tolist() == [pytest.approx(2 / 3), 1.0]


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (0.40, Verdict.CLEAN),
        (0.32, Verdict.CLEAN),  # four fifths of 0.40, though not in the last bit
        (0.31, Verdict.WARN),
        (0.24, Verdict.WARN),
        (0.23, Verdict.REFUSE),
        (0.0, Verdict.REFUSE),
    ],
)
def test_four_fifths_warns_and_three_fifths_refuses(share: float, verdict: Verdict) -> None:
    """A ratio on the bound itself is not past it."""
    assert measure_impact_ratio(*passing(share, 0.40), ("a", "b")).verdict is verdict


def test_a_small_group_is_shown_and_neither_compared_nor_the_highest() -> None:
    """29 of 29 people passing do not put two large groups in the wrong."""
    selected, group = passing(0.5, 0.5)
    selected, group = np.append(selected, np.ones(29, bool)), np.append(group, np.full(29, 2))
    measured = measure_impact_ratio(selected, group, ("a", "b", "tiny"))
    assert measured.value == 1
    assert [(row.label, row.value, row.people) for row in measured.rows][2] == ("tiny", None, 29)
    assert "fewer than 30" in measured.note


def test_one_group_alone_is_not_measured() -> None:
    """There is nothing to compare it with, which is not the same as clean."""
    measured = measure_impact_ratio(*passing(0.5), ("a",))
    assert (measured.value, measured.verdict) == (None, Verdict.UNMEASURED)


def test_an_empty_group_has_no_row() -> None:
    """A name may stand for a group that a simulation did not draw."""
    selected, group = passing(0.5, 0.5)
    measured = measure_impact_ratio(selected, group * 2, ("a", "empty", "b", "empty too"))
    assert [row.label for row in measured.rows] == ["a", "b"]
    assert measured.value == 1


def test_if_no_person_is_selected_every_ratio_is_one() -> None:
    """A ratio of nothing to nothing is 1."""
    assert impact_ratio(*passing(0, 0, 0)).worst == 1


@given(people, st.integers(0, 99))
def test_neither_order_nor_the_groups_numbers_change_it(rows: Rows, seed: int) -> None:
    """It is about who passes, and nothing else."""
    group, _, selected = columns(rows)
    worst = impact_ratio(selected, group).worst
    assert 0 <= worst <= 1
    mixed, again = shuffled(seed, selected, relabelled(seed, group))
    assert impact_ratio(mixed, again).worst == worst


@pytest.fixture(scope="module")
def demographic_parity_ratio() -> Callable[..., float]:
    """Imported where it is used: that takes seconds."""
    from fairlearn.metrics import demographic_parity_ratio as theirs

    return theirs


@settings(max_examples=40)  # a data frame for each
@given(people)
def test_fairlearn_agrees(demographic_parity_ratio: Callable[..., float], rows: Rows) -> None:
    """Its demographic parity ratio is the same figure, reached another way."""
    group, _, selected = columns(rows)
    assume(selected.any())
    theirs = demographic_parity_ratio(selected, selected, sensitive_features=group.tolist())
    assert impact_ratio(selected, group).worst == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("selected", "group", "field"),
    [
        ([1, 0], [0, 1], "selected"),
        ([[True]], [0], "selected"),
        ([True], [0.5], "group"),
        ([True], [-1], "group"),
        ([True], [10_000], "group"),
        ([True, False], [0], "selected, group"),
    ],
)
def test_what_does_not_fit_is_named(selected: Any, group: Any, field: str) -> None:
    """One error, with the field that is wrong."""
    with pytest.raises(InvalidInputError) as caught:
        impact_ratio(selected, group)
    assert caught.value.field == field


def test_a_group_without_a_name_is_refused() -> None:
    """A row without a name is rejected."""
    with pytest.raises(InvalidInputError, match="names: must name all 2 groups, not 1"):
        measure_impact_ratio(*passing(0.5, 0.5), ("a",))
