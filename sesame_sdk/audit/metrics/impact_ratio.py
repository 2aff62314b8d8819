"""DIS-1: whether groups are selected at similar rates, by an effect of a policy or by any other rule.

People without a score are treated as the average is: no benefit reaches them, and no other effect does. A
policy without effects is judged by the people who reach each band above its base.
"""

import math
from collections.abc import Sequence

import numpy as np
from attrs import evolve, frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit import arrays
from sesame_sdk.audit.arrays import Flags, GroupMeans, Numbers
from sesame_sdk.audit.metrics.definitions import IMPACT_RATIO
from sesame_sdk.audit.metrics.measurement import MIN_GROUP_SIZE, Measurement, compare_groups
from sesame_sdk.audit.simulation.simulate import SimulationResult
from sesame_sdk.catalogue.effects import Side
from sesame_sdk.model.policy import Policy

#: Fewest selected people to be expected of a group that is compared. With fewer, chance alone would take a
#: ratio below 0.80 more than once in a hundred audits. Our choice.
MIN_SELECTED = 250


@frozen(eq=False)
class ImpactRatio:
    """Selection rates by group."""

    groups: GroupMeans
    ratios: Numbers  # (G,) rate / highest rate; NaN for a group that is not compared
    worst: float  # smallest ratio, 0 to 1; NaN where no group is compared


def impact_ratio(selected: ArrayLike, group: ArrayLike, min_people: int = 1) -> ImpactRatio:
    """Selection rate of each group, and its ratio to the highest.

        ratio(g) = (selected in g / people in g) / max over h of (selected in h / people in h)

    If no person is selected, every ratio is 1. A group of fewer than `min_people` is not compared, and is
    not the highest. Source: 29 CFR 1607.4(D), the four-fifths rule.
    """
    flags, codes = arrays.check_flags(selected, "selected"), arrays.check_codes(group)
    arrays.check_same_length(selected=flags, group=codes)
    rates = arrays.mean_by_group(flags, codes, min_people)
    ratios = rates.means / rates.highest if rates.highest > 0 else np.ones_like(rates.means)
    ratios = np.where(rates.compared, ratios, np.nan)
    return ImpactRatio(rates, ratios, arrays.divide(rates.lowest, rates.highest))


def measure_impact_ratio(
    selected: ArrayLike, group: ArrayLike, names: Sequence[str], min_people: int = MIN_GROUP_SIZE
) -> Measurement:
    """Measure DIS-1. Rows are ratios; groups of fewer than `min_people` are not compared."""
    impact = impact_ratio(selected, group, min_people)
    return compare_groups(IMPACT_RATIO, impact.worst, impact.ratios, impact.groups, names)


def measure_policy_impact(result: SimulationResult) -> Measurement:
    """Measure DIS-1 of the worst effect, of those that select enough people to be compared."""
    selections = select_by_effect(result)
    measured = [_measure(result, name, selected) for name, selected in selections.items()]
    worst = min(
        (each for each in measured if each.value is not None),
        key=lambda each: (each.value or 0.0, each.note),
        default=Measurement(IMPACT_RATIO, None),
    )
    skipped = sum(each.value is None for each in measured)
    note = f"{skipped} of {len(selections)} not compared: they reach too few people" if skipped else ""
    return evolve(worst, note=". ".join(filter(None, (worst.note, note))))


def _measure(result: SimulationResult, name: str, selected: Flags) -> Measurement:
    rate = float(selected.mean())
    min_people = max(MIN_GROUP_SIZE, math.ceil(MIN_SELECTED / rate)) if rate else selected.size + 1
    names = result.population.group_names
    measured = measure_impact_ratio(selected, result.people.group, names, min_people)
    left_out = any(row.value is None for row in measured.rows)
    small = f"groups of fewer than {min_people:,} people are shown and not compared"
    return evolve(measured, note=f"{name}. {small}" if left_out else name)


def select_by_effect(result: SimulationResult) -> dict[str, Flags]:
    """(N,) people treated well by each effect: reached by a benefit, or spared by another effect."""
    policy, scores = result.policies[0], result.scores[0]
    starts = {band.name: band.start for band in policy.bands}
    selections = {}
    for effect in policy.terms.effects:
        above = scores.points >= starts[effect.band]
        if effect.entry.direction is Side.FROM:
            selections[f"reached by: {effect.name}"] = scores.has_score & above
        else:
            selections[f"spared by: {effect.name}"] = ~(scores.has_score & ~above)
    return selections or {
        f"reached: the band {band.name}": scores.has_score & (scores.points >= band.start)
        for band in policy.bands
        if band.start > policy.base
    }


def target_points(policy: Policy) -> float:
    """The start of the highest band that brings a benefit; without one, of the first band above the base."""
    starts = {band.name: band.start for band in policy.bands}
    benefits = [starts[effect.band] for effect in policy.terms.effects if effect.entry.direction is Side.FROM]
    above_base = [start for start in starts.values() if start > policy.base]
    return max(benefits) if benefits else min(above_base, default=policy.high)
