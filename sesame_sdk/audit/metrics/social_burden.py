"""BRD-1 and DATA-1: what a score costs those whom it is about, in effort and in data."""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from sesame_sdk.audit.metrics import arrays
from sesame_sdk.audit.metrics.arrays import ByGroup, Flags, Numbers
from sesame_sdk.audit.metrics.definitions import DATA_EXPOSURE, SOCIAL_BURDEN
from sesame_sdk.audit.metrics.measurement import FEWEST, Measurement, measured_groups, rows_of
from sesame_sdk.audit.simulation.behaviour import Habit, habits
from sesame_sdk.audit.simulation.people import People
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.audit.simulation.simulate import SimulationResult
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.policy import Weighting


@frozen(eq=False)
class Burden:
    """What passing costs.

    Attributes:
        groups: the qualified of each group, and their mean least cost.
        ratio: the highest mean / the lowest, 1 or more; infinite where one group passes for nothing, or
            somebody qualified can never pass; NaN where no group is compared.
    """

    groups: ByGroup
    ratio: float


@frozen(eq=False)
class DataExposure:
    """How much of people's data goes round.

    Attributes:
        ratio: all of it / the least that is needed; infinite where none is needed.
        purposes: (P,) the same for each purpose.
    """

    ratio: float
    purposes: Numbers


def social_burden(cost: ArrayLike, qualified: ArrayLike, group: ArrayLike, fewest: int = 1) -> Burden:
    """Mean least cost to pass of the qualified in each group, and the highest over the lowest.

        burden(g) = E[ least cost of an action after which the person passes | qualified, in g ]

    Args:
        cost: (N,) least cost to pass, 0 or more, in any one unit; infinite for whoever never can.
        qualified: (N,) bools: whether the person deserves to pass.
        group: (N,) whole numbers from 0.
        fewest: a group with fewer qualified people is not compared.

    Raises:
        InvalidInputError: an array is of the wrong kind, or they differ in length.

    Source: Milli et al. 2019, The Social Cost of Strategic Classification.
    """
    costs, codes = arrays.numbers(cost, "cost", least=0, infinite=True), arrays.codes(group)
    able = arrays.flags(qualified, "qualified")
    arrays.same_length(cost=costs, qualified=able, group=codes)
    groups = arrays.by_group(costs[able], codes[able], fewest)
    return Burden(groups, arrays.ratio(groups.highest, groups.lowest))


def data_exposure(
    recipients: ArrayLike, fields: ArrayLike, days: ArrayLike, least: ArrayLike
) -> DataExposure:
    """Product of recipients, fields and days, against the least that the purpose needs.

    Args:
        recipients: (P,) how many partners hold the data, for each purpose.
        fields: (P,) how many fields of a person each of them holds.
        days: (P,) for how long.
        least: (P,) the same product, had each purpose no more than it needs.

    Raises:
        InvalidInputError: a number is negative or not finite, or the arrays differ in length.

    Source: GDPR 5(1)(c), data minimisation.
    """
    held = {"recipients": recipients, "fields": fields, "days": days, "least": least}
    sides = {name: arrays.numbers(values, name, least=0) for name, values in held.items()}
    arrays.same_length(**sides)
    needed = sides.pop("least")
    product = sides["recipients"] * sides["fields"] * sides["days"]
    each = [arrays.ratio(has, needs) for has, needs in zip(product, needed, strict=True)]
    return DataExposure(arrays.ratio(product.sum(), needed.sum()), np.asarray(each, np.float64))


def measure_social_burden(
    cost: ArrayLike, qualified: ArrayLike, group: ArrayLike, names: Sequence[str]
) -> Measurement:
    """BRD-1 with its verdict. Rows are mean costs; fewer than `FEWEST` qualified are not compared."""
    burden = social_burden(cost, qualified, group, FEWEST)
    return measured_groups(SOCIAL_BURDEN, burden.ratio, burden.groups.means, burden.groups, names)


def measure_data_exposure(
    recipients: ArrayLike, fields: ArrayLike, days: ArrayLike, least: ArrayLike, purposes: Sequence[str]
) -> Measurement:
    """DATA-1 with its verdict, on the worst purpose: one that is spared does not excuse another's excess."""
    if not np.size(recipients):
        raise InvalidInputError("must hold a purpose", field="recipients")
    found = data_exposure(recipients, fields, days, least)
    return Measurement(DATA_EXPOSURE, float(found.purposes.max()), rows_of(purposes, found.purposes))


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
