"""The report as a JSON document: its model, with the verdicts.

It holds no NaN and no infinity: a value without a limit is null, and `formatted` says so. Nothing in it
depends on the day, the machine or the number of threads, so equal audits give equal bytes.
"""

from typing import Any

import msgspec

from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.report.model import PolicyChange, Report, SimulationSummary
from sesame_sdk.model import codec
from sesame_sdk.model.policy import Policy


def build_json(report: Report) -> dict[str, Any]:
    """Convert the report into types that JSON has."""
    document = {
        "name": report.name,
        "verdict": report.verdict.value,
        "policy": _policy(report.policy),
        "findings": report.findings,
        "simulation": _simulation(report.simulation),
        "change": _change(report.change),
    }
    plain: dict[str, Any] = msgspec.json.decode(codec.encode(document))
    return plain


def _policy(policy: Policy | None) -> dict[str, Any] | None:
    if policy is None:
        return None
    return {name: getattr(policy, name) for name in ("name", "version", "context", "digest")}


def _simulation(simulation: SimulationSummary | None) -> dict[str, Any] | None:
    if simulation is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(simulation)
    return plain | {"metrics": [_measurement(measured) for measured in simulation.metrics]}


def _change(change: PolicyChange | None) -> dict[str, Any] | None:
    if change is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(change)
    return plain | {"old_policy": _policy(change.old_policy), "psi": _measurement(change.psi)}


def _measurement(measured: Measurement) -> dict[str, Any]:
    metric = measured.metric
    rows = [(row, metric.format_value(row.value)) for row in measured.rows]
    return {
        "id": metric.id,
        "title": metric.title,
        "formula": metric.formula,
        "value": measured.value,
        "formatted": metric.format_value(measured.value),
        "verdict": measured.verdict.value,
        "thresholds": metric.thresholds,
        "source": metric.source,
        "dated": metric.dated,
        "hint": metric.hint,
        "note": measured.note,
        "rows": [
            {"label": row.label, "value": row.value, "formatted": formatted, "people": row.people}
            for row, formatted in rows
        ],
    }
