"""The audit of a policy: the guard first, then simulated people, then every metric.

A policy that the guard refuses is not simulated. Metrics past a bound become findings like the guard's own.
docs/audit.md states what each metric is computed from.
"""

from collections.abc import Iterable

import numpy as np
from attrs import evolve

from sesame_sdk.audit.metrics.conformity import measure_conformity_loss, measure_conformity_weight
from sesame_sdk.audit.metrics.data_minimisation import measure_data_exposure, retention_days
from sesame_sdk.audit.metrics.definitions import SOCIAL_BURDEN
from sesame_sdk.audit.metrics.exposure import attention_by_score, measure_exposure
from sesame_sdk.audit.metrics.fair_ranking import measure_fair_ranking
from sesame_sdk.audit.metrics.impact_ratio import measure_policy_impact, target_points
from sesame_sdk.audit.metrics.influence import measure_partner_influence, measure_volatility
from sesame_sdk.audit.metrics.measurement import Measurement, make_finding
from sesame_sdk.audit.metrics.social_burden import least_effort, measure_social_burden
from sesame_sdk.audit.metrics.stability import measure_stability
from sesame_sdk.audit.report import build
from sesame_sdk.audit.report.model import Report
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.audit.simulation.simulate import (
    FreeChoice,
    Progress,
    SimulationResult,
    adapt_choices,
    simulate,
)
from sesame_sdk.catalogue.observations import rule_against
from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.labels import label_policy
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy, Weighting

RANKING_DEPTH = 100
#: Rules that refuse observations of opinions, special categories, taste and other people's conduct.
_CONFORMITY_RULES = ("POL-1", "SPC-1", "TST-1", "ASC-1")


def audit(
    policy: Policy,
    population: Population | None = None,
    *,
    file_name: str = "policy",
    baseline: Policy | None = None,
    guard: Guard | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
    observed: Iterable[Finding] = (),
) -> Report:
    """Audit a policy on simulated people. Equal arguments make equal reports, whatever DuckDB's `threads`.

    `observed` are findings about what partners really send, which the report has as well.

    If the guard refuses `policy`, the report has findings only.

    Raises:
        GuardRefusedError: the guard refuses `baseline`.
        InvalidInputError: no simulated person has a score, or `baseline` has another context.
        ConfigurationError: the `audit` extra is not installed.
    """
    guard = guard or Guard()
    findings = guard.check_policy(policy)
    if any(finding.action is Action.REFUSE for finding in findings):
        return Report(file_name, None, sort_refusals_first(findings))
    if baseline is not None:
        if baseline.context != policy.context:
            reason = f"makes the {baseline.context} score, not the {policy.context} one"
            raise InvalidInputError(reason, field="baseline", hint="give an older policy of the same context")
        guard.admit_policy(baseline)
    policies = [policy] if baseline is None else [policy, baseline]
    result = simulate(population or Population(), policies, progress=progress, threads=threads)
    psi = None if baseline is None else build.measure_policy_stability(result)
    choices = adapt_choices(result)
    metrics = measure_all(result, choices, psi)
    metric_findings = (make_finding(metric, label_policy(policy)) for metric in metrics)
    return Report(
        file_name,
        policy,
        sort_refusals_first((*findings, *filter(None, metric_findings), *observed)),
        build.summarize_simulation(result, metrics, choices),
        None if psi is None else build.compare_policies(result, psi),
    )


def report_refusal(name: str, error: GuardRefusedError) -> Report:
    """Make the report on a policy file that the guard refused to load."""
    return Report(
        name, None, sort_refusals_first(each for each in error.findings if isinstance(each, Finding))
    )


def sort_refusals_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put refusals first; otherwise keep the order."""
    return tuple(sorted(findings, key=lambda finding: finding.action is not Action.REFUSE))


def measure_all(
    result: SimulationResult, choices: tuple[FreeChoice, ...], stability: Measurement | None
) -> tuple[Measurement, ...]:
    """Measure every metric, in the order of `definitions.METRICS`; `stability` is against an older policy."""
    policy, scores = result.policies[0], result.scores[0]
    group, names = result.people.group, result.population.group_names
    ranked = np.argsort(-scores.hundredths, kind="stable")
    return (
        measure_policy_impact(result),
        measure_exposure(attention_by_score(scores.points), group, names),
        measure_fair_ranking(group[ranked], names, top=min(RANKING_DEPTH, group.size)),
        stability or _measure_half_stability(result),
        _measure_volatility(result),
        _measure_conformity_weight(policy),
        measure_conformity_loss(
            [choice.before for choice in choices],
            [choice.after for choice in choices],
            [choice.topic for choice in choices],
        ),
        _measure_burden(result),
        measure_partner_influence(
            [kind.partner_cap for kind in policy.weightings],
            [kind.floor for kind in policy.weightings],
            [kind.cap for kind in policy.weightings],
            policy.high - policy.low,
            [kind.kind.name for kind in policy.weightings],
        ),
        _measure_data(policy),
    )


def _measure_half_stability(result: SimulationResult) -> Measurement:
    early, late = (half.points[half.has_score] for half in result.halves)
    if not early.size or not late.size:
        early = late = np.zeros(1)
    note = "the second half of the time against the first, each by itself"
    return _prepend_note(measure_stability(early, late), note)


def _measure_volatility(result: SimulationResult) -> Measurement:
    policy = result.policies[0]
    lowering = [kind for kind in policy.weightings if kind.can_lower]
    rows = [(f"{kind.kind.name}, at worst", _worst_fall(kind)) for kind in lowering]
    for kind in lowering:
        values = result.falls[kind.kind.name]
        if values.size:
            usual = abs(kind.weight) * float(np.percentile(values, 99))
            rows.append((f"{kind.kind.name}, 99 of 100", min(usual, _worst_fall(kind))))
    falls, labels = [fall for _, fall in rows], [label for label, _ in rows]
    return measure_volatility(falls, policy.high - policy.low, labels)


def _worst_fall(kind: Weighting) -> float:
    """From all that its partner gave to all that it may take, within the kind's floor and cap."""
    raised = min(kind.partner_cap, kind.cap)
    lowered = min(kind.partner_cap, -kind.floor)
    return min(raised + kind.partner_cap, kind.cap - kind.floor) if kind.cap else lowered


def _measure_conformity_weight(policy: Policy) -> Measurement:
    kinds = policy.weightings
    conforming = [rule_against(each.kind.observation) in _CONFORMITY_RULES for each in kinds]
    reach = [each.cap - each.floor for each in kinds]
    return measure_conformity_weight(reach, conforming, [each.kind.name for each in kinds])


def _measure_burden(result: SimulationResult) -> Measurement:
    target = target_points(result.policies[0])
    effort = least_effort(result, target)
    if effort is None:
        return Measurement(SOCIAL_BURDEN, None, (), "no kind states an effort")
    cost, out_of_reach = effort
    qualified = result.people.reliability > 0
    names = result.population.group_names
    measured = measure_social_burden(cost, qualified, result.people.group, names)
    share = float(out_of_reach[qualified].mean()) if qualified.any() else 0.0
    note = f"to {target:g} points; out of reach of {share:.1%} of the qualified, whose cost is a lower bound"
    return _prepend_note(measured, note)


def _measure_data(policy: Policy) -> Measurement:
    kept, needed = retention_days(policy)
    purposes = [purpose.rsplit("#", 1)[-1].rsplit(":", 1)[-1] for purpose in policy.purposes]
    purposes = purposes or ["no purpose"]
    ones = np.ones(len(purposes))
    return measure_data_exposure(ones, ones * len(kept), ones * np.mean(kept), ones * sum(needed), purposes)


def _prepend_note(measured: Measurement, note: str) -> Measurement:
    return evolve(measured, note=". ".join(filter(None, (note, measured.note))))
