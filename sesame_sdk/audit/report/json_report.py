"""A report as one JSON document: its nouns as they are, with the verdicts that they come to.

No NaN and no infinity: a value without a limit is null, and `shown` says so. Nothing in it depends on
the day, the machine or the number of threads, so equal audits give equal bytes.
"""

from typing import Any

import msgspec

from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.report.model import Change, Report, Simulation
from sesame_sdk.model import codec
from sesame_sdk.model.policy import Policy


def document(report: Report) -> dict[str, Any]:
    """The report in builtins that JSON knows."""
    made = {
        "name": report.name,
        "verdict": report.verdict.value,
        "policy": _policy(report.policy),
        "findings": report.findings,
        "simulation": _simulation(report.simulation),
        "change": _change(report.change),
    }
    found: dict[str, Any] = msgspec.json.decode(codec.encode(made))
    return found


def _policy(policy: Policy | None) -> dict[str, Any] | None:
    if policy is None:
        return None
    return {name: getattr(policy, name) for name in ("name", "version", "context", "digest")}


def _simulation(simulation: Simulation | None) -> dict[str, Any] | None:
    if simulation is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(simulation)
    return plain | {"measured": [_measured(each) for each in simulation.measured]}


def _change(change: Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    plain: dict[str, Any] = msgspec.to_builtins(change)
    return plain | {"old": _policy(change.old), "psi": _measured(change.psi)}


def _measured(measured: Measurement) -> dict[str, Any]:
    metric = measured.metric
    return {
        "id": metric.id,
        "title": metric.title,
        "formula": metric.formula,
        "value": measured.value,
        "shown": metric.show(measured.value),
        "verdict": measured.verdict.value,
        "thresholds": metric.thresholds,
        "source": metric.source,
        "dated": metric.dated,
        "hint": metric.hint,
        "note": measured.note,
        "rows": [
            {"label": row.label, "value": row.value, "shown": metric.show(row.value), "people": row.people}
            for row in measured.rows
        ],
    }
