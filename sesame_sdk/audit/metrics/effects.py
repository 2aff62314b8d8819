"""Whom a policy's effects meet among the simulated people, and whether groups fare alike: DIS-1 of a policy.

Whoever has no score is treated as everybody is: no benefit reaches them, and everything else spares
them. A policy without effects is judged by who reaches each band above its base.
"""

import math

from attrs import evolve

from sesame_sdk.audit.metrics.arrays import Flags
from sesame_sdk.audit.metrics.definitions import IMPACT_RATIO
from sesame_sdk.audit.metrics.impact_ratio import impact_ratio
from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.metrics.tables import FEWEST, measured_groups
from sesame_sdk.audit.simulation.simulate import SimulationResult
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.terms import Consequence, Side

#: A group must be expected to have so many selected people, or it is not compared. With fewer, chance alone
#: would take a ratio below 0.80 more than once in a hundred audits. Our choice.
FEWEST_SELECTED = 250


def impact(played: SimulationResult) -> Measurement:
    """DIS-1 of the worst effect, of those that meet or spare enough people to be compared."""
    chosen = selections(played)
    found = [_compared(played, name, selected) for name, selected in chosen.items()]
    worst = min(
        (each for each in found if each.value is not None),
        key=lambda each: (each.value or 0.0, each.note),
        default=Measurement(IMPACT_RATIO, None),
    )
    few = sum(each.value is None for each in found)
    left = f"{few} of {len(chosen)} not compared: they reach too few people" if few else ""
    return evolve(worst, note=". ".join(filter(None, (worst.note, left))))


def _compared(played: SimulationResult, name: str, selected: Flags) -> Measurement:
    rate = float(selected.mean())
    fewest = max(FEWEST, math.ceil(FEWEST_SELECTED / rate)) if rate else selected.size + 1
    found = impact_ratio(selected, played.people.group, fewest)
    names = played.population.names
    measured = measured_groups(IMPACT_RATIO, found.worst, found.ratios, found.groups, names)
    left_out = any(row.value is None for row in measured.rows)
    small = f"groups of fewer than {fewest:,} people are shown and not compared"
    return evolve(measured, note=f"{name}. {small}" if left_out else name)


def selections(played: SimulationResult) -> dict[str, Flags]:
    """(N,) who fares well by each effect: whom a benefit reaches, whom anything else spares."""
    policy, scored = played.policies[0], played.scored[0]
    starts = {band.name: band.start for band in policy.bands}
    found = {}
    for effect in policy.terms.effects:
        reached = scored.points >= starts[effect.band]
        met = scored.has & (reached if effect.side is Side.FROM else ~reached)
        good = effect.consequence is Consequence.BENEFIT
        found[f"{'to reach' if good else 'to be spared'}: {effect.name}"] = met if good else ~met
    bands = {
        f"to reach: the band {band.name}": scored.has & (scored.points >= band.start)
        for band in policy.bands
        if band.start > policy.base
    }
    return found or bands


def target_of(policy: Policy) -> float:
    """The points that open everything: where the highest band with a benefit begins.

    Without benefits it is the first band above the base.
    """
    starts = {band.name: band.start for band in policy.bands}
    given = [
        starts[effect.band]
        for effect in policy.terms.effects
        if effect.consequence is Consequence.BENEFIT and effect.side is Side.FROM
    ]
    above = [start for start in starts.values() if start > policy.base]
    return max(given) if given else min(above, default=policy.high)
