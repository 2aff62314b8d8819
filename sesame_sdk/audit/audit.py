"""The audit of a policy: the guard first, then simulated people, then every metric.

What the guard refuses is not played: what may not be loaded may not be tried out either. What the
metrics object to becomes findings like the guard's own, refusals first.
"""

from collections.abc import Iterable

from sesame_sdk.audit.metrics.measurement import Measurement, finding
from sesame_sdk.audit.metrics.run_all import measure_all
from sesame_sdk.audit.report import build
from sesame_sdk.audit.report.model import Report
from sesame_sdk.audit.simulation import compare
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.audit.simulation.simulate import Progress, play
from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.labels import label_policy
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy


def audit(
    policy: Policy,
    population: Population | None = None,
    *,
    name: str = "policy",
    against: Policy | None = None,
    guard: Guard | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Report:
    """Find what a policy would do to people, before it does it.

    Args:
        policy: what an operator would load.
        population: whom it is played with; the default people if none are given.
        name: what the report calls the policy's file.
        against: an older policy, to tell what the change does to whom.
        guard: judges both; a guard of the built-in rules alone if none is given.
        progress: called with how many people are done, and how many there are.
        threads: of the engine; as many as there are processors if not said. No figure depends on it.

    Returns:
        The report. Equal arguments make equal reports. Where the guard refuses `policy`, it holds the
        findings and nothing else.

    Raises:
        GuardRefusedError: by the guard, of `against`.
        InvalidInputError: nobody came to a score, or `against` is of another context.
        Misconfigured: the `audit` extra is not installed.
    """
    judge = guard or Guard()
    static = judge.policy(policy)
    if any(each.action is not Action.WARN for each in static):
        return Report(name, None, refusals_first(static))
    if against is not None:
        if against.context != policy.context:
            reason = f"makes the {against.context} score, not the {policy.context} one"
            raise InvalidInputError(reason, field="against", hint="give an older policy of the same context")
        judge.admit_policy(against)
    policies = [policy] if against is None else [policy, against]
    played = play(population or Population(), policies, progress=progress, threads=threads)
    psi = None if against is None else compare.stability(played)
    choices = build.choices(played)
    measured = measure_all(played, choices, psi)
    return Report(
        name,
        policy,
        refusals_first((*static, *_findings(measured, label_policy(policy)))),
        build.simulated(played, measured, choices),
        None if psi is None else compare.compared(played, psi),
    )


def refused(name: str, error: GuardRefusedError) -> Report:
    """The report on a file that the guard did not let be read."""
    return Report(name, None, refusals_first(each for each in error.findings if isinstance(each, Finding)))


def refusals_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """In the order that they were found, but refusals before warnings."""
    return tuple(sorted(findings, key=lambda each: each.action is Action.WARN))


def _findings(measured: Iterable[Measurement], about: str) -> tuple[Finding, ...]:
    found = (finding(each, about) for each in measured)
    return tuple(each for each in found if each is not None)
