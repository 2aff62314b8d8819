"""Every metric, taken of what was played. The metrics themselves are in the modules that they are named by.

What each is taken of:
    DIS-1   all people: the share that each benefit reaches, or that each other effect spares; without
            effects, the share that reaches each band above the base. The worst counts. What reaches
            too few people is not compared
    EXPO-1, FAIR-1   everybody ranked by score, whoever has none at the neutral place
    PSI-1   what the second half of the time shows alone, against the first; or, where there is an older
            policy, its scores against the new ones
    VOL-1   for each lowering kind, the most that an event may take by the policy's caps, whatever its
            value; beside it, what the 99th of 100 simulated events takes
    PTN-1   one partner that sends every kind
    CNF-1   kinds on expression, taste or others' doings; the guard lets none pass
    CNF-2   free choices before and after people adapt
    BRD-1   least effort to the highest band that brings a benefit; without benefits, to the first
            band above the base's. Who is more reliable than the middle is qualified
    DATA-1  days that signals are kept against the days that they can matter
"""

import numpy as np
from attrs import evolve

from sesame_sdk.audit.metrics.conformity import measure_conformity_loss, measure_conformity_weight
from sesame_sdk.audit.metrics.data_minimisation import kept_and_needed
from sesame_sdk.audit.metrics.definitions import SOCIAL_BURDEN
from sesame_sdk.audit.metrics.exposure import attention_by_score, measure_exposure
from sesame_sdk.audit.metrics.fair_ranking import measure_fair_ranking
from sesame_sdk.audit.metrics.impact_ratio import impact, target_of
from sesame_sdk.audit.metrics.influence import measure_partner_influence, measure_volatility
from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.metrics.social_burden import least_effort, measure_data_exposure, measure_social_burden
from sesame_sdk.audit.metrics.stability import measure_stability
from sesame_sdk.audit.report.model import Choices
from sesame_sdk.audit.simulation.simulate import SimulationResult
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import Conduct, Sensitivity

TOP = 100

_PRESSING = (Sensitivity.POLITICAL, Sensitivity.SPECIAL, Sensitivity.TASTE)


def measure_all(
    played: SimulationResult, choices: tuple[Choices, ...], stability: Measurement | None
) -> tuple[Measurement, ...]:
    """Every metric, in the order of the catalogue.

    Args:
        played: the audited policy first.
        choices: of `adaptation.adapt`.
        stability: against an older policy, if there is one.
    """
    policy, scored = played.policies[0], played.scored[0]
    group, names = played.people.group, played.population.names
    ranked = np.argsort(-scored.hundredths, kind="stable")
    return (
        impact(played),
        measure_exposure(attention_by_score(scored.points), group, names),
        measure_fair_ranking(group[ranked], names, top=min(TOP, group.size)),
        stability or _halves(played),
        _volatility(played),
        _conformity_weight(policy),
        measure_conformity_loss(
            [each.before for each in choices],
            [each.after for each in choices],
            [each.topic for each in choices],
        ),
        _burden(played),
        _influence(policy),
        _data(policy),
    )


def _halves(played: SimulationResult) -> Measurement:
    early, late = (half.points[half.has] for half in played.halves)
    note = "the second half of the time against the first, each by itself"
    if not early.size or not late.size:
        early = late = np.zeros(1)
    measured = measure_stability(early, late)
    return _noted(measured, note)


def _volatility(played: SimulationResult) -> Measurement:
    policy = played.policies[0]
    lowering = [each for each in policy.weightings if each.can_lower]
    lines = [(f"{each.kind.name}, at worst", _worst_fall(each)) for each in lowering]
    for each in lowering:
        values = played.falls[each.kind.name]
        if values.size:
            usual = abs(each.weight) * float(np.percentile(values, 99))
            lines.append((f"{each.kind.name}, 99 of 100", min(usual, _worst_fall(each))))
    labels, falls = [label for label, _ in lines], [fall for _, fall in lines]
    return measure_volatility(falls, policy.high - policy.low, labels)


def _worst_fall(weighting: Weighting) -> float:
    """From all that its partner gave to all that it may take, within the kind's floor and cap."""
    lifted = min(weighting.partner_cap, weighting.cap)
    taken = min(weighting.partner_cap, -weighting.floor)
    return min(lifted + weighting.partner_cap, weighting.cap - weighting.floor) if weighting.cap else taken


def _conformity_weight(policy: Policy) -> Measurement:
    kinds = policy.weightings
    pressing = [one.kind.sensitivity in _PRESSING or one.kind.conduct is Conduct.OTHERS for one in kinds]
    reach = [one.cap - one.floor for one in kinds]
    return measure_conformity_weight(reach, pressing, [one.kind.name for one in kinds])


def _burden(played: SimulationResult) -> Measurement:
    policy = played.policies[0]
    target = target_of(policy)
    effort = least_effort(played, target)
    if effort is None:
        return Measurement(SOCIAL_BURDEN, None, (), "no kind says what effort it takes")
    qualified = played.people.reliability > 0
    measured = measure_social_burden(effort.cost, qualified, played.people.group, played.population.names)
    beyond = float(effort.beyond[qualified].mean()) if qualified.any() else 0.0
    note = f"to {target:g} points; out of reach of {beyond:.1%} of the qualified, whose cost is a lower bound"
    return _noted(measured, note)


def _influence(policy: Policy) -> Measurement:
    kinds = policy.weightings
    return measure_partner_influence(
        [one.partner_cap for one in kinds],
        [one.floor for one in kinds],
        [one.cap for one in kinds],
        policy.high - policy.low,
        [one.kind.name for one in kinds],
    )


def _data(policy: Policy) -> Measurement:
    kept, needed = kept_and_needed(policy)
    purposes = [purpose.rsplit("#", 1)[-1].rsplit(":", 1)[-1] for purpose in policy.purposes] or [
        "no purpose"
    ]
    each = np.ones(len(purposes))
    return measure_data_exposure(each, each * len(kept), each * np.mean(kept), each * sum(needed), purposes)


def _noted(measured: Measurement, note: str) -> Measurement:
    return evolve(measured, note=". ".join(filter(None, (note, measured.note))))
