"""Names of verdicts and sentences about them, the same on the page and in the terminal."""

import re
from typing import Final

from sesame_sdk.audit.metrics.measurement import Metric, Side, Verdict
from sesame_sdk.audit.report.model import Report
from sesame_sdk.model.finding import Action

VERDICT_WORDS: Final = {
    Verdict.UNMEASURED: "not measured",
    Verdict.CLEAN: "clean",
    Verdict.WATCH: "watch",
    Verdict.WARN: "warning",
    Verdict.REFUSE: "refused",
}
#: Shapes that differ in outline.
VERDICT_SIGNS: Final = {
    Verdict.UNMEASURED: "\N{EN DASH}",
    Verdict.CLEAN: "\N{CHECK MARK}",
    Verdict.WATCH: "\N{WHITE CIRCLE}",
    Verdict.WARN: "\N{BLACK UP-POINTING TRIANGLE}",
    Verdict.REFUSE: "\N{MULTIPLICATION X}",
}
_SIDES: Final = {Side.BELOW: "below", Side.ABOVE: "above", Side.FROM: "from"}


def verdict_of(action: Action) -> Verdict:
    """The verdict of a finding's action."""
    return Verdict.WARN if action is Action.WARN else Verdict.REFUSE


def policy_title(report: Report) -> str:
    """The policy's name; if it was refused, the name of its file."""
    return report.policy.name if report.policy else re.split(r"[/\\]", report.name)[-1] or report.name


def headline(report: Report) -> str:
    """The verdict in one sentence."""
    refusals = sum(finding.action is not Action.WARN for finding in report.findings)
    warnings = len(report.findings) - refusals
    match report.verdict:
        case Verdict.REFUSE:
            besides = f" and {_counted(warnings, 'warning')}" if warnings else ""
            return f"The policy must not be used: {_counted(refusals, 'refusal')}{besides}."
        case Verdict.CLEAN:
            return "No findings: the policy may be used."
        case _:
            return f"The policy may be used, with {_counted(warnings, 'warning')}."


def advice(report: Report) -> str:
    """What to do about the verdict."""
    if report.simulation is None and report.refused:
        return "The guard refuses to load the policy, so it was not simulated."
    match report.verdict:
        case Verdict.REFUSE:
            return "Each finding below has a hint on what to change."
        case Verdict.CLEAN:
            return "No rule objects, and no metric is past its bound. That does not prove the policy fair."
        case _:
            return "Read the findings below before you use it."


def describe_bounds(metric: Metric) -> str:
    """Describe a metric's thresholds: ``warning below 0.800, refused below 0.600``."""
    return ", ".join(
        f"{VERDICT_WORDS[bar.verdict]} {_SIDES[bar.side]} {metric.format_value(bar.bound)}"
        for bar in metric.thresholds
    )


def _counted(number: int, thing: str) -> str:
    return f"one {thing}" if number == 1 else f"{number} {thing}s"
