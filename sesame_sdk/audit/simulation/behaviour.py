"""Generates the signals of simulated people: the kinds that a policy weighs, and no others.

Rules:
    * raising events come as often as people are engaged; lowering events also as often as they are
      unreliable, and the graver the rarer
    * amounts of money are lognormal about a share of the person's income; membership follows from the day of
      joining; everything else is counted one at a time
    * the draws of a kind depend on the kind, the people and the seed, and on no other kind
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import numpy as np
from attrs import fields, frozen
from numpy.random import Generator
from numpy.typing import NDArray

from sesame_sdk.audit.arrays import Codes, Flags, Numbers
from sesame_sdk.audit.simulation.people import (
    LOYALTY,
    TRAIT_SPREAD,
    Membership,
    People,
    draw_membership,
    random_generator,
)
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.catalogue.observations import Gravity, Measure
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.scoring.scorecard import MICROSECONDS_PER_DAY, to_microseconds

#: The day of scoring: fixed, so that a report is the same on any day.
AS_OF: Final = date(2026, 1, 1)
#: Events a year of a person of median engagement. Our choice, as are all numbers here.
RAISING_EVENTS_PER_YEAR: Final = 12.0
LOWERING_EVENTS_PER_YEAR: Final = {Gravity.MINOR: 1.5, Gravity.SERIOUS: 0.2, Gravity.GRAVE: 0.05}
#: The median amount of money, as a share of a month's income; and its spread.
AMOUNT_PER_INCOME: Final = 0.02
AMOUNT_SPREAD: Final = 0.8
DAYS_PER_UNIT: Final = {Measure.DAYS: 1.0, Measure.MONTHS: 365 / 12}


@frozen
class Habit:
    """What people do that one kind records.

    Attributes:
        context: of the partners that send it.
        gravity: of conduct that lowers a score; None for what raises one.
    """

    kind: str
    context: str
    measure: Measure
    gravity: Gravity | None

    @property
    def is_money(self) -> bool:
        """Whether its values are amounts of money."""
        return self.measure is Measure.MONEY

    @property
    def is_tenure(self) -> bool:
        """Whether it states only how long a person has been a member."""
        return self.measure in DAYS_PER_UNIT


@frozen(eq=False)
class SignalColumns:
    """Signals in columns, as `counted` of the score's SQL text has them."""

    subject: NDArray[np.int32]  # (S,) number of the person among all people
    partner: NDArray[np.int16]  # (S,) number of the partner in the kind's context
    kind: NDArray[np.int16]  # (S,) number of the habit
    value: Numbers  # (S,) in the kind's unit
    occurred_at: Codes  # (S,) microseconds since 1970, before the start of `AS_OF`

    def select(self, flags: Flags) -> "SignalColumns":
        """Select the signals whose flag is set."""
        columns = self.as_dict()
        return SignalColumns(**{name: column[flags] for name, column in columns.items()})  # type: ignore[arg-type] # of the same types

    def as_dict(self) -> dict[str, NDArray[np.generic]]:
        """The columns by name, in the order of the attributes."""
        return {column.name: getattr(self, column.name) for column in fields(SignalColumns)}


def collect_habits(*policies: Policy) -> tuple[Habit, ...]:
    """Make a habit for each kind that the policies weigh; the first policy's counts if two weigh a kind."""
    habits: dict[str, Habit] = {}
    for policy in policies:
        for weighting in policy.weightings:
            habits.setdefault(weighting.kind.name, _make_habit(weighting))
    return tuple(habits.values())


def midpoint(population: Population) -> date:
    """The day in the middle of the simulated time."""
    return AS_OF - timedelta(days=population.days // 2)


def generate_signals(
    population: Population, block: int, people: People, habits: tuple[Habit, ...]
) -> SignalColumns:
    """Generate all signals of `people`."""
    memberships = {
        context: draw_membership(population, block, people, context)
        for context in dict.fromkeys(habit.context for habit in habits)
    }
    parts = [
        (
            (person + people.first).astype(np.int32),
            partner.astype(np.int16),
            np.full(person.size, number, np.int16),
            value,
            occurred_at,
        )
        for number, habit in enumerate(habits)
        for person, partner, value, occurred_at in _generate_kind(
            population, block, people, habit, memberships[habit.context]
        )
    ]
    return SignalColumns(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


#: Person, partner, value and time of each signal.
_Signals = tuple[Codes, Codes, Numbers, Codes]


def _make_habit(weighting: Weighting) -> Habit:
    kind = weighting.kind
    return Habit(kind.name, kind.context, kind.entry.measure, kind.entry.gravity)


def _generate_kind(
    population: Population, block: int, people: People, habit: Habit, joined: Membership
) -> Iterator[_Signals]:
    rng = random_generator(population.seed, block, f"kind {habit.kind}")
    if habit.is_tenure:
        yield from _generate_tenure(population, habit, joined)
        return
    activity = people.engagement[joined.member] * np.minimum(joined.since, population.days) / 365
    if habit.gravity is None:
        rate = activity * RAISING_EVENTS_PER_YEAR
    else:
        unreliability = np.exp(-TRAIT_SPREAD * people.reliability[joined.member] - TRAIT_SPREAD**2 / 2)
        rate = activity * unreliability * LOWERING_EVENTS_PER_YEAR[habit.gravity]
    yield _generate_events(rng, population, people, habit, joined, rate)


def _generate_events(
    rng: Generator,
    population: Population,
    people: People,
    habit: Habit,
    joined: Membership,
    rate: Numbers,
) -> _Signals:
    """Draw events at `rate`, each at any time since the person joined."""
    events = np.repeat(np.arange(rate.size), rng.poisson(rate))
    person = joined.member[events]
    loyal = rng.random(events.size) < LOYALTY
    partner = np.where(loyal, joined.main[events], joined.second[events])
    duration = np.minimum(joined.since[events], population.days) * MICROSECONDS_PER_DAY
    age = (rng.random(events.size) * duration).astype(np.int64)
    value = np.ones(events.size)
    if habit.is_money:
        noise = np.exp(AMOUNT_SPREAD * rng.standard_normal(events.size))
        value = np.round(AMOUNT_PER_INCOME * people.income[person] * noise, 2)
    return person, partner, value, to_microseconds(AS_OF) - 1 - age


def _generate_tenure(population: Population, habit: Habit, joined: Membership) -> Iterator[_Signals]:
    """Report each membership at the middle of the time, and what was added since at its end."""
    unit = DAYS_PER_UNIT[habit.measure]
    until_midpoint = np.floor(np.maximum(joined.since - population.days // 2, 0) / unit)
    added = np.floor(joined.since / unit) - until_midpoint
    other = joined.second != joined.main
    for value, day in ((until_midpoint, midpoint(population)), (added, AS_OF)):
        for partner, reported in ((joined.main, value > 0), (joined.second, (value > 0) & other)):
            occurred_at = np.full(int(reported.sum()), to_microseconds(day) - 1, np.int64)
            yield joined.member[reported], partner[reported], value[reported], occurred_at
