"""DIS-1: whether groups pass at like rates."""

import math
from collections.abc import Sequence

import numpy as np
from attrs import evolve, frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit.metrics import arrays
from sesame_sdk.audit.metrics.arrays import ByGroup, Flags, Numbers
from sesame_sdk.audit.metrics.definitions import IMPACT_RATIO
from sesame_sdk.audit.metrics.measurement import FEWEST, Measurement, measured_groups
from sesame_sdk.audit.simulation.simulate import SimulationResult
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.terms import Consequence, Side


@frozen(eq=False)
class Impact:
    """Selection by group.

    Attributes:
        groups: people and selection rates, each 0 to 1.
        ratios: (G,) rate / the highest rate; NaN for a group that is not compared.
        worst: the smallest ratio, 0 to 1; NaN where no group is compared.
    """

    groups: ByGroup
    ratios: Numbers
    worst: float


def impact_ratio(selected: ArrayLike, group: ArrayLike, fewest: int = 1) -> Impact:
    """Selection rate of each group, and its ratio to the highest.

        ratio(g) = (selected in g / people in g) / max over h of (selected in h / people in h)

    Where nobody is selected at all, nobody is behind: every ratio is 1.

    Args:
        selected: (N,) bools, whether each person passes.
        group: (N,) whole numbers from 0.
        fewest: a smaller group is not compared, and is not the highest.

    Raises:
        Rejected: an array is of the wrong kind, or the two differ in length.

    Source: 29 CFR 1607.4(D), the four-fifths rule.
    """
    chosen, codes = arrays.flags(selected, "selected"), arrays.codes(group)
    arrays.same_length(selected=chosen, group=codes)
    rates = arrays.by_group(chosen, codes, fewest)
    highest = rates.highest
    ratios = rates.means / highest if highest > 0 else np.ones_like(rates.means)
    ratios = np.where(rates.compared, ratios, np.nan)
    return Impact(rates, ratios, arrays.ratio(rates.lowest, highest))


def measure_impact_ratio(selected: ArrayLike, group: ArrayLike, names: Sequence[str]) -> Measurement:
    """DIS-1 with its verdict. Rows are ratios; groups of fewer than `FEWEST` are not compared."""
    impact = impact_ratio(selected, group, FEWEST)
    return measured_groups(IMPACT_RATIO, impact.worst, impact.ratios, impact.groups, names)


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
