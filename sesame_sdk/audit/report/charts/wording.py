"""What a verdict is called, the same on the page and in the terminal. The word comes before the colour."""

import re
from typing import Final

from sesame_sdk.audit.metrics.measurement import Metric, Side, Verdict
from sesame_sdk.audit.report.model import Report
from sesame_sdk.model.finding import Action

WORDS: Final = {
    Verdict.UNMEASURED: "not measured",
    Verdict.CLEAN: "clean",
    Verdict.WATCH: "watch",
    Verdict.WARN: "warning",
    Verdict.REFUSE: "refused",
}
#: Shapes that differ in outline, for those who skim.
SIGNS: Final = {
    Verdict.UNMEASURED: "\N{EN DASH}",
    Verdict.CLEAN: "\N{CHECK MARK}",
    Verdict.WATCH: "\N{WHITE CIRCLE}",
    Verdict.WARN: "\N{BLACK UP-POINTING TRIANGLE}",
    Verdict.REFUSE: "\N{MULTIPLICATION X}",
}
_SIDES: Final = {Side.BELOW: "below", Side.ABOVE: "above", Side.FROM: "from"}


def verdict_of(action: Action) -> Verdict:
    """What a finding's action means."""
    return Verdict.WARN if action is Action.WARN else Verdict.REFUSE


def title(report: Report) -> str:
    """What the policy is called; where it could not be loaded, its file without the folders."""
    return report.policy.name if report.policy else re.split(r"[/\\]", report.name)[-1] or report.name


def headline(report: Report) -> str:
    """The verdict in a few words."""
    refusals = sum(finding.action is not Action.WARN for finding in report.findings)
    warnings = len(report.findings) - refusals
    match report.verdict:
        case Verdict.REFUSE:
            besides = f"; {_things(warnings, 'warning')} besides" if warnings else ""
            return f"It may not be used, for {_things(refusals, 'reason')}{besides}."
        case Verdict.CLEAN:
            return "Nothing was found against it."
        case _:
            return f"It may be used, with {_things(warnings, 'warning')}."


def advice(report: Report) -> str:
    """What follows from the verdict."""
    if report.simulation is None and report.refused:
        return "The guard does not let it be loaded, so it was not tried on simulated people either."
    match report.verdict:
        case Verdict.REFUSE:
            return "Each finding below says what to change before it may be used."
        case Verdict.CLEAN:
            return "No rule objects, and no metric is past its bound. That is not a proof that it is fair."
        case _:
            return "Read the findings below before people are scored by it."


def bounds(metric: Metric) -> str:
    """A metric's thresholds in words: ``warning below 0.800, refused below 0.600``."""
    return ", ".join(
        f"{WORDS[bar.verdict]} {_SIDES[bar.side]} {metric.show(bar.bound)}" for bar in metric.thresholds
    )


def _things(number: int, thing: str) -> str:
    return f"one {thing}" if number == 1 else f"{number} {thing}s"
