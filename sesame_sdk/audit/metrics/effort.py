"""The least effort that takes each simulated person to a score: what BRD-1 compares between groups.

A policy says for each kind what one more takes (`Weighting.effort`). For a simulated person

    effort of one more = effort / engagement                          what is counted takes time
                       = effort * median income / the person's income  what is money takes income

and one more gives `weight` points, until the kind's cap, or that of all its partners together, is full. The
cheapest points come first. Kinds without an effort only wait. For whoever cannot get there by any
effort, all that the open kinds could ever take is counted: their true cost is more than that.
"""

import numpy as np
from attrs import frozen

from sesame_sdk.audit.metrics.arrays import Flags, Numbers
from sesame_sdk.audit.simulation.behaviour import Habit, habits
from sesame_sdk.audit.simulation.people import People
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.audit.simulation.simulate import SimulationResult
from sesame_sdk.model.policy import Weighting


@frozen(eq=False)
class Effort:
    """What it takes.

    Attributes:
        cost: (N,) in the unit of the policy's efforts, 0 for whoever is there.
        beyond: (N,) whether no effort takes the person there.
    """

    cost: Numbers
    beyond: Flags


def least_effort(played: SimulationResult, target: float) -> Effort | None:
    """What takes each person to `target` points; None where no kind says what effort it takes."""
    policy, scored = played.policies[0], played.scored[0]
    acts = {habit.kind: habit for habit in habits(policy)}
    open_kinds = [
        (at, each, each.effort / each.weight)
        for at, each in enumerate(policy.weightings)
        if each.effort is not None and each.weight > 0 and each.cap > 0
    ]
    if not open_kinds:
        return None
    prices = np.stack(
        [_price(played.people, played.population, acts[one.kind.name], base) for _, one, base in open_kinds]
    )
    caps = np.array([_room(one, played.population) for _, one, _ in open_kinds])
    filled = np.stack([scored.parts[:, at] / 100 for at, _, _ in open_kinds])
    room = np.maximum(caps[:, None] - filled, 0.0)
    needed = np.maximum(target - scored.points, 0.0)
    cost, left = _cheapest(prices, room, needed)
    beyond = left > 1e-9
    whole = (prices * caps[:, None]).sum(axis=0)
    return Effort(np.where(beyond, whole, cost), beyond)


def _cheapest(prices: Numbers, room: Numbers, needed: Numbers) -> tuple[Numbers, Numbers]:
    """What the points cost, cheapest first, and what is still missing at the end."""
    order = np.argsort(prices, axis=0, kind="stable")
    cost, left = np.zeros(needed.size), needed.copy()
    for price, points in zip(
        np.take_along_axis(prices, order, 0), np.take_along_axis(room, order, 0), strict=True
    ):
        taken = np.minimum(left, points)
        cost += taken * price
        left -= taken
    return cost, left


def _price(people: People, population: Population, habit: Habit, base: float) -> Numbers:
    """(N,) effort for a point."""
    if habit.is_money:
        return np.asarray(base * population.income / people.income)
    return np.asarray(base / people.engagement)


def _room(weighting: Weighting, population: Population) -> float:
    """The most points that the kind can give where everybody may use every partner."""
    partners = len(population.market(weighting.kind.context).shares)
    return min(weighting.cap, partners * weighting.partner_cap)
