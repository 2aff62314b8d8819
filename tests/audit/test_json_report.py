"""A report as JSON: whatever it holds, a strict parser reads it."""

import json
from typing import Any, NoReturn

import pytest

from sesame_sdk.audit.report.json_report import build_json
from sesame_sdk.model import codec
from tests.audit import reports

#: One cannot be written at all: half of a pair of surrogates is not text.
WRITTEN = {name: make for name, make in reports.REPORTS.items() if name != "hostile"}

every_report = pytest.mark.parametrize(
    "make", [pytest.param(make, id=name) for name, make in WRITTEN.items()]
)


def strict(data: bytes | str) -> Any:
    """What JSON (RFC 8259) reads; Python's own reader takes NaN and Infinity too."""

    def refuse(constant: str) -> NoReturn:
        pytest.fail(f"{constant} is not JSON")

    return json.loads(data, parse_constant=refuse)


@every_report
def test_the_nouns_can_be_encoded_as_they_are(make: Any) -> None:
    """A value without a limit is null."""
    report = make()
    result = strict(codec.encode(report))
    assert result["name"] == report.name
    assert len(result["findings"]) == len(report.findings)


@every_report
def test_the_document_is_json_with_the_verdict(make: Any) -> None:
    """So that a pipeline needs no arithmetic of ours."""
    report = make()
    result = strict(json.dumps(build_json(report)))
    assert result["verdict"] == report.verdict.value
    if report.simulation:
        verdicts = [own.verdict.value for own in report.simulation.metrics]
        assert [own["verdict"] for own in result["simulation"]["metrics"]] == verdicts


def test_unlimited_and_unmeasured_values_differ() -> None:
    """Both are null; what is shown, and the note, say which."""
    measured = {own["id"]: own for own in build_json(reports.report())["simulation"]["metrics"]}
    burden, exposure = measured["BRD-1"], measured["DATA-1"]
    assert (burden["value"], burden["formatted"], burden["verdict"]) == (None, "no limit", "warn")
    assert (exposure["value"], exposure["formatted"], exposure["verdict"]) == (
        None,
        "not measured",
        "unmeasured",
    )
    assert [row["formatted"] for row in burden["rows"]] == ["2.00", "no limit"]
