"""The audit of a policy: the guard first, then simulated people, then every metric.

A policy that the guard refuses is not simulated. Metrics past a bound become findings like the guard's own.
"""

from collections.abc import Iterable

from sesame_sdk.audit.metrics.measurement import make_finding
from sesame_sdk.audit.metrics.run_all import measure_all
from sesame_sdk.audit.report import build, compare
from sesame_sdk.audit.report.model import Report
from sesame_sdk.audit.simulation.adaptation import adapt_choices
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.audit.simulation.simulate import Progress, simulate
from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.labels import label_policy
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy


def audit(
    policy: Policy,
    population: Population | None = None,
    *,
    file_name: str = "policy",
    baseline: Policy | None = None,
    guard: Guard | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Report:
    """Audit a policy on simulated people. Equal arguments make equal reports, whatever DuckDB's `threads`.

    If the guard refuses `policy`, the report has findings only.

    Raises:
        GuardRefusedError: the guard refuses `baseline`.
        InvalidInputError: no simulated person has a score, or `baseline` has another context.
        ConfigurationError: the `audit` extra is not installed.
    """
    guard = guard or Guard()
    findings = guard.check_policy(policy)
    if any(finding.action is not Action.WARN for finding in findings):
        return Report(file_name, None, sort_refusals_first(findings))
    if baseline is not None:
        if baseline.context != policy.context:
            reason = f"makes the {baseline.context} score, not the {policy.context} one"
            raise InvalidInputError(reason, field="baseline", hint="give an older policy of the same context")
        guard.admit_policy(baseline)
    policies = [policy] if baseline is None else [policy, baseline]
    result = simulate(population or Population(), policies, progress=progress, threads=threads)
    psi = None if baseline is None else compare.measure_policy_stability(result)
    choices = adapt_choices(result)
    metrics = measure_all(result, choices, psi)
    metric_findings = (make_finding(metric, label_policy(policy)) for metric in metrics)
    return Report(
        file_name,
        policy,
        sort_refusals_first((*findings, *filter(None, metric_findings))),
        build.summarize_simulation(result, metrics, choices),
        None if psi is None else compare.compare_policies(result, psi),
    )


def report_refusal(name: str, error: GuardRefusedError) -> Report:
    """Make the report on a policy file that the guard refused to load."""
    return Report(
        name, None, sort_refusals_first(each for each in error.findings if isinstance(each, Finding))
    )


def sort_refusals_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put refusals before warnings; otherwise keep the order."""
    return tuple(sorted(findings, key=lambda finding: finding.action is Action.WARN))
