"""The shape that every metric comes in, and the catalogue."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.audit.metrics.definitions import (
    CONFORMITY_LOSS,
    DATA_EXPOSURE,
    IMPACT_RATIO,
    METRICS,
    SOCIAL_BURDEN,
    STABILITY,
)
from sesame_sdk.audit.metrics.measurement import (
    Measurement,
    Metric,
    Row,
    Side,
    Threshold,
    Verdict,
    make_finding,
)
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.finding import Action

ABOUT = "policy retail-privileges"

#: The bounds that an audit promises, with the verdict past each.
PROMISED = {
    "DIS-1": "warn below 0.8, refuse below 0.6",
    "EXPO-1": "warn below 0.8",
    "FAIR-1": "warn below 0",
    "PSI-1": "watch from 0.1, warn from 0.25",
    "VOL-1": "warn above 0.05",
    "CNF-1": "refuse above 0",
    "CNF-2": "warn above 0.01, refuse above 0.05",
    "BRD-1": "warn above 1.25",
    "PTN-1": "warn above 0.15",
    "DATA-1": "warn above 1",
}


def test_every_metric_keeps_the_bounds_that_were_promised() -> None:
    """A bound changes here first, and with a reason."""
    counts = {
        metric.id: ", ".join(f"{bar.verdict} {bar.side} {bar.bound:g}" for bar in metric.thresholds)
        for metric in METRICS
    }
    assert counts == PROMISED


def test_a_finding_has_subject_reason_hint_and_source() -> None:
    """The same object that the guard gives."""
    rows = (Row("north", 0.5, 400), Row("east", 1.0, 300), Row("tiny", None, 3))
    result = make_finding(Measurement(IMPACT_RATIO, 0.5, rows), ABOUT)
    assert (result.rule, result.action, result.about) == ("DIS-1", Action.REFUSE, ABOUT)
    assert result.reason == "impact ratio is 0.500, less than 0.600; worst group: north"
    assert result.hint == IMPACT_RATIO.hint
    assert "1607.4(D)" in result.source


@pytest.mark.parametrize(
    ("metric", "value", "action"),
    [
        (IMPACT_RATIO, 0.8, None),
        (IMPACT_RATIO, 0.7, Action.WARN),
        (IMPACT_RATIO, 0.59, Action.REFUSE),
        (IMPACT_RATIO, None, None),
        (STABILITY, 0.1, None),  # watched: no action needed
        (STABILITY, 0.25, Action.WARN),
        (CONFORMITY_LOSS, -0.2, None),
        (CONFORMITY_LOSS, 0.02, Action.WARN),
        (CONFORMITY_LOSS, 0.06, Action.REFUSE),
        (DATA_EXPOSURE, float("inf"), Action.WARN),
    ],
)
def test_only_warn_and_refuse_make_a_finding(
    metric: Metric, value: float | None, action: Action | None
) -> None:
    """The worst threshold passed decides."""
    result = make_finding(Measurement(metric, value), ABOUT)
    assert (result.action if result else None) == action


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.id)
def test_every_metric_makes_a_finding(metric: Metric) -> None:
    """With the longest names there are."""
    bad = -5.0 if metric.thresholds[0].side is Side.BELOW else 5.0
    result = make_finding(Measurement(metric, bad, (Row("k" * 128, bad),)), "p" * 200)
    assert result.rule == metric.id
    assert re.search(r"(less|more) than|or more", result.reason)


def test_a_value_just_past_its_bound_is_not_rounded_to_it() -> None:
    """0.7996 would be written 0.800, less than 0.800."""
    assert "is 0.7996, less than 0.800" in make_finding(Measurement(IMPACT_RATIO, 0.7996), ABOUT).reason


def test_no_value_is_unmeasured_and_not_clean() -> None:
    """A report distinguishes the two."""
    measured = Measurement(SOCIAL_BURDEN, None)
    assert measured.verdict is Verdict.UNMEASURED
    assert str(measured) == "BRD-1 social burden: not measured, unmeasured"


@given(st.floats(allow_nan=False), st.floats(-1e6, 1e6), st.sampled_from(Side))
def test_every_number_is_on_one_side_of_a_bound(value: float | None, bound: float, side: Side) -> None:
    """And a last bit does not decide: what rounds to the bound is on it."""
    bar = Threshold(Verdict.WARN, side, bound)
    assert bar.is_exceeded(round(bound, 9)) is (side is Side.FROM) or round(bound, 9) != bound
    if abs(value - bound) > 1e-6:
        assert bar.is_exceeded(value) is ((value < bound) is (side is Side.BELOW))


@pytest.mark.parametrize("bad", [float("nan"), True, "0.5"])
def test_what_is_no_number_is_refused(bad: Any) -> None:
    """NaN would pass every bound in silence."""
    for make in (lambda: Measurement(IMPACT_RATIO, bad), lambda: Row("north", bad)):
        with pytest.raises(InvalidInputError, match="pass None for not measured"):
            make()
