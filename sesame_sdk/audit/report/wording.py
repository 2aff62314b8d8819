"""Numbers, verdicts and sentences about them, the same on the page and in the terminal."""

import calendar
import math
import re
from datetime import date
from typing import Final

from sesame_sdk.audit.metrics.measurement import Metric, Side, Verdict
from sesame_sdk.audit.report.model import Report
from sesame_sdk.model.finding import Action

MINUS = "\N{MINUS SIGN}"
#: For cells without a number.
NONE = "\N{EN DASH}"
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
    return Verdict.REFUSE if action is Action.REFUSE else Verdict.WARN


def policy_title(report: Report) -> str:
    """The policy's name; if it was refused, the name of its file."""
    return report.policy.name if report.policy else re.split(r"[/\\]", report.name)[-1] or report.name


def headline(report: Report) -> str:
    """The verdict in one sentence."""
    refusals = sum(finding.action is Action.REFUSE for finding in report.findings)
    warnings = len(report.findings) - refusals
    if refusals:
        besides = f" and {_counted(warnings, 'warning')}" if warnings else ""
        return f"The policy must not be used: {_counted(refusals, 'refusal')}{besides}."
    if not warnings:
        return "No findings: the policy may be used."
    return f"The policy may be used, with {_counted(warnings, 'warning')}."


def advice(report: Report) -> str:
    """What to do about the verdict."""
    if report.simulation is None and report.refused:
        return "The guard refuses to load the policy, so it was not simulated."
    if report.refused:
        return "Each finding below has a hint on what to change."
    if report.findings:
        return "Read the findings below before you use it."
    return "No rule objects, and no metric is past its bound. That does not prove the policy fair."


def describe_bounds(metric: Metric) -> str:
    """Describe a metric's thresholds: ``warning below 0.800, refused below 0.600``."""
    return ", ".join(
        f"{VERDICT_WORDS[bar.verdict]} {_SIDES[bar.side]} {metric.format_value(bar.bound)}"
        for bar in metric.thresholds
    )


def _counted(number: int, thing: str) -> str:
    return f"one {thing}" if number == 1 else f"{number} {thing}s"


def format_points(value: float) -> str:
    """Format points: at most one decimal; two below 0.1."""
    digits = 1 if abs(value) >= 0.1 else 2
    return _tidy(f"{value:,.{digits}f}")


def format_signed(value: float) -> str:
    """Format points with their sign; zero is ``0``."""
    shown = format_points(value)
    return shown if shown == "0" or value < 0 else f"+{shown}"


def format_share(value: float | None) -> str:
    """Format a share as a percentage: ``42%``, ``3.4%``, ``under 0.1%``."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return "no limit"
    if 0 < value < 0.0005:
        return "under 0.1%"
    percent = value * 100
    return _tidy(f"{percent:.1f}" if abs(percent) < 9.95 else f"{percent:.0f}") + "%"


def format_count(value: int) -> str:
    """Format a whole number."""
    return f"{value:,}"


def format_day(day: date) -> str:
    """Format a date: ``1 November 2026``."""
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


def quote(name: str) -> str:
    """Put a name in quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"


def format_tick(value: float) -> str:
    """Format a number of an axis."""
    return _tidy(f"{value:,.2f}")


def _tidy(shown: str) -> str:
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "0") else shown.replace("-", MINUS)
