"""Scales, labels and shapes: where a value lies, how it is written, what is cut."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.audit.report import wording
from sesame_sdk.audit.report.svg import MAX_FONT_SIZE, Scale, element, label, path, text_width, truncate
from sesame_sdk.text import html_text

numbers = st.floats(-1e6, 1e6)


@given(st.lists(numbers, min_size=2, max_size=2, unique=True), st.integers(2, 12))
def test_ticks_are_few_round_rising_and_within(ends: list[float], limit: int) -> None:
    """Whatever the ends: at most so many and one, and none outside."""
    low, high = sorted(ends)
    result = Scale(low, high, 0, 100).ticks(limit)
    slack = (high - low) * 1e-6
    assert len(result) <= limit + 1
    assert list(result) == sorted(set(result))
    assert all(low - slack <= tick <= high + slack for tick in result)


@given(numbers, numbers)
def test_a_greater_value_never_lies_further_left(one: float, other: float) -> None:
    """Within the line places rise with values; beyond it they are its ends."""
    scale = Scale(-100, 100, 10, 200)
    less, more = sorted((one, other))
    assert 10 <= scale(less) <= scale(more) <= 200


def test_what_has_no_limit_lies_at_the_end() -> None:
    """So that it can be drawn at all."""
    assert Scale(0, 1, 5, 95)(math.inf) == 95
    assert Scale(0, 1, 5, 95)(-math.inf) == 5


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.30000000000004, "+0.3"),
        (-6.30000000004, "\N{MINUS SIGN}6.3"),
        (0.0, "0"),
        (-0.0, "0"),
        (-0.004, "0"),
        (0.05, "+0.05"),
        (1234.0, "+1,234"),
        (100.0, "+100"),
    ],
)
def test_points_have_one_decimal_at_most_and_a_sign(value: float, shown: str) -> None:
    """Hundredths only where there is no more; nothing is a plain 0."""
    assert wording.format_signed(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0%"),
        (1.0, "100%"),
        (0.0625, "6.2%"),
        (0.0999, "10%"),
        (0.5, "50%"),
        (0.0001, "under 0.1%"),
        (math.inf, "no limit"),
        (None, wording.NONE),
    ],
)
def test_shares_are_percentages(value: float | None, shown: str) -> None:
    """Some is never shown as none."""
    assert wording.format_share(value) == shown


@given(st.text(max_size=60), st.floats(20, 400))
def test_a_label_is_truncated_to_its_width(content: str, width: float) -> None:
    """All but the first character and the dots is cut to the width."""
    result = truncate(content, width)
    if result != content:
        assert result.endswith("\N{HORIZONTAL ELLIPSIS}")
        assert content.startswith(result[:-1])
        assert text_width(result[:-2]) <= width


def test_a_label_that_fits_only_a_smaller_font_is_drawn_twice() -> None:
    """Whole for most pages, cut for the narrowest; the style sheet shows one of them."""
    content = "Months that you have been here"
    both = label(0, 0, content, text_width(content) * 0.8, "label")
    assert both.count("<text") == 2
    assert f">{content}</text>" in both
    assert label(0, 0, "short", 10 * MAX_FONT_SIZE, "label").count("<text") == 1


def test_attributes_and_text_are_escaped() -> None:
    """Nothing that is put into a shape can end it."""
    output = element("text", "</text><script>", class_='"><script>')
    assert "<script>" not in output
    assert output.count("<") == 2


def test_a_place_that_is_nowhere_is_refused() -> None:
    """A picture with NaN in it would be blank without a word."""
    with pytest.raises(ValueError, match="finite"):
        path([(0, math.nan)], "curve")


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_legible_text_can_be_encoded_and_turns_nothing_round(content: str) -> None:
    """And is left alone the second time."""
    result = html_text(content)
    assert result.encode().decode() == result
    assert not re.search("[\x00-\x1f\u202a-\u202e\u2066-\u2069]", result)
    assert html_text(result) == result
