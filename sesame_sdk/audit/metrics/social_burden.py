"""BRD-1: the effort that a score costs the qualified people of each group.

A policy says for each kind what effort one more takes (`Weighting.effort`). For a simulated person

    effort of one more = effort / engagement                           if it is counted: it takes time
                       = effort * median income / the person's income  if it is money: it takes income

and one more gives `weight` points, until the kind's cap, or that of all its partners together, is reached.
The cheapest points are bought first. Kinds without an effort grow with time alone. If no effort takes a
person to the target, the cost of all points on offer is counted: a lower bound of the true cost.
"""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit import arrays
from sesame_sdk.audit.arrays import Flags, GroupMeans, Numbers
from sesame_sdk.audit.metrics.definitions import SOCIAL_BURDEN
from sesame_sdk.audit.metrics.measurement import MIN_GROUP_SIZE, Measurement, compare_groups
from sesame_sdk.audit.simulation.behaviour import collect_habits
from sesame_sdk.audit.simulation.simulate import SimulationResult


@frozen(eq=False)
class SocialBurden:
    """The qualified of each group with their mean least cost, and highest mean / lowest, 1 or more.

    The ratio is infinite where one group passes for free or a qualified person can never pass; NaN where no
    group is compared.
    """

    groups: GroupMeans
    ratio: float


def social_burden(
    cost: ArrayLike, qualified: ArrayLike, group: ArrayLike, min_people: int = 1
) -> SocialBurden:
    """Mean least cost to pass of the qualified in each group, and highest / lowest.

        burden(g) = E[ least cost of an action after which the person passes | qualified, in g ]

    (N,) `cost` is 0 or more, in any one unit; infinite for people who never can. A group with fewer than
    `min_people` qualified is not compared. Source: Milli et al. 2019, The Social Cost of Strategic
    Classification.
    """
    costs = arrays.check_numbers(cost, "cost", min_value=0, allow_infinite=True)
    codes, able = arrays.check_codes(group), arrays.check_flags(qualified, "qualified")
    arrays.check_same_length(cost=costs, qualified=able, group=codes)
    groups = arrays.mean_by_group(costs[able], codes[able], min_people)
    return SocialBurden(groups, arrays.divide(groups.highest, groups.lowest))


def measure_social_burden(
    cost: ArrayLike, qualified: ArrayLike, group: ArrayLike, names: Sequence[str]
) -> Measurement:
    """Measure BRD-1. Rows are mean costs; fewer than `MIN_GROUP_SIZE` qualified are not compared."""
    burden = social_burden(cost, qualified, group, MIN_GROUP_SIZE)
    return compare_groups(SOCIAL_BURDEN, burden.ratio, burden.groups.means, burden.groups, names)


def least_effort(result: SimulationResult, target: float) -> tuple[Numbers, Flags] | None:
    """(N,) least effort that takes each person to `target` points, and (N,) whether none does.

    None if no kind states an effort.
    """
    policy, scores, people = result.policies[0], result.scores[0], result.people
    is_money = {habit.kind: habit.is_money for habit in collect_habits(policy)}
    prices, caps, earned = [], [], []
    for at, kind in enumerate(policy.weightings):
        if kind.effort is None or kind.weight <= 0 or kind.cap <= 0:
            continue
        relative_income = people.income / result.population.income
        ease = relative_income if is_money[kind.kind.name] else people.engagement
        prices.append(kind.effort / kind.weight / ease)
        partners = len(result.population.find_market(kind.kind.context).shares)
        caps.append(min(kind.cap, partners * kind.partner_cap))
        earned.append(scores.parts[:, at] / 100)
    if not prices:
        return None
    price, cap = np.stack(prices), np.array(caps)[:, None]
    missing = np.maximum(target - scores.points, 0.0)
    cost, left = _buy_cheapest(price, np.maximum(cap - np.stack(earned), 0.0), missing)
    out_of_reach = left > 1e-9
    return np.where(out_of_reach, (price * cap).sum(axis=0), cost), out_of_reach


def _buy_cheapest(price: Numbers, available: Numbers, missing: Numbers) -> tuple[Numbers, Numbers]:
    """The cost of the missing points, cheapest first, and the points still missing at the end."""
    order = np.argsort(price, axis=0, kind="stable")
    cost, left = np.zeros(missing.size), missing.copy()
    ordered = (np.take_along_axis(price, order, 0), np.take_along_axis(available, order, 0))
    for unit_price, points in zip(*ordered, strict=True):
        taken = np.minimum(left, points)
        cost += taken * unit_price
        left -= taken
    return cost, left
