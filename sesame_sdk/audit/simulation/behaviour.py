"""What simulated people do in the time that they are watched, as the signals that a policy weighs.

Rules:
    * only kinds that a policy weighs are played, and nobody does anything that a policy does not name
    * what lifts comes as often as people take part; what lowers also as often as they are unreliable,
      and the graver the rarer
    * money is lognormal about a share of the person's income; months of membership follow from the day of
      joining; everything else is counted one at a time
    * what a kind draws depends on the kind, the people and the seed, and on no other kind
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import numpy as np
from attrs import frozen
from numpy.random import Generator
from numpy.typing import NDArray

from sesame_sdk.audit.metrics.arrays import Codes, Flags, Numbers
from sesame_sdk.audit.simulation.people import LOYALTY, SPREAD, Membership, People, generator, membership
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.model.policy import Policy, Severity, Weighting
from sesame_sdk.scoring.scorecard import MICROSECONDS_A_DAY, microseconds

#: The day at whose start everybody is scored: fixed, so that a report is the same on any day.
AS_OF: Final = date(2026, 1, 1)
#: Events a year of somebody in the middle. Our choice, and so are all figures here.
LIFTING_A_YEAR: Final = 12.0
LOWERING_A_YEAR: Final = {Severity.MINOR: 1.5, Severity.SERIOUS: 0.2, Severity.GRAVE: 0.05}
#: One amount of money is this part of a month's income, at the median; and its spread.
AMOUNT: Final = 0.02
AMOUNT_SPREAD: Final = 0.8
#: Days in a unit of membership.
DAYS_IN: Final = {"day": 1.0, "week": 7.0, "month": 365 / 12, "year": 365.0}


@frozen
class Habit:
    """What people do that one kind records.

    Attributes:
        kind: its name.
        context: whose partners send it.
        unit: what a value of 1 means.
        sign: of the values that lift, and opposite to those that lower: -1 where the weight is below 0.
        lifts: whether any of it lifts a score, or at least does not lower it.
        lowers: whether any of it lowers.
        severity: how grave the lowering kind is.
    """

    kind: str
    context: str
    unit: str
    sign: int
    lifts: bool
    lowers: bool
    severity: Severity

    @property
    def is_money(self) -> bool:
        """Whether the unit is a currency (ISO 4217)."""
        return len(self.unit) == 3 and self.unit.isascii() and self.unit.isupper()

    @property
    def is_tenure(self) -> bool:
        """Whether it only tells how long somebody has been there."""
        return self.unit.removesuffix("s") in DAYS_IN and not self.lowers


@frozen(eq=False)
class Signals:
    """Signals in columns, as `counted` of the score's SQL text has them.

    Attributes:
        subject: (S,) number of the person among all people.
        partner: (S,) number of the partner in the kind's context.
        kind: (S,) number of the habit.
        value: (S,) in the kind's unit.
        occurred_at: (S,) microseconds since 1970, before the start of `AS_OF`.
    """

    subject: NDArray[np.int32]
    partner: NDArray[np.int16]
    kind: NDArray[np.int16]
    value: Numbers
    occurred_at: Codes

    def only(self, chosen: Flags) -> "Signals":
        """Those of the signals that are chosen."""
        return Signals(
            self.subject[chosen],
            self.partner[chosen],
            self.kind[chosen],
            self.value[chosen],
            self.occurred_at[chosen],
        )

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """By name, in the order of the attributes."""
        return {name: getattr(self, name) for name in ("subject", "partner", "kind", "value", "occurred_at")}


def habits(*policies: Policy) -> tuple[Habit, ...]:
    """Everything that the policies weigh; where two speak of one kind, as the first one sees it."""
    known: dict[str, Habit] = {}
    for policy in policies:
        for weighting in policy.weightings:
            known.setdefault(weighting.kind.name, _habit(weighting))
    return tuple(known.values())


def middle(population: Population) -> date:
    """The day that halves the time in which people are watched."""
    return AS_OF - timedelta(days=population.days // 2)


def act(population: Population, block: int, people: People, habits: tuple[Habit, ...]) -> Signals:
    """What `people` do, all of it."""
    joined = {
        context: membership(population, block, people, context)
        for context in dict.fromkeys(habit.context for habit in habits)
    }
    parts = [
        Signals(
            (who + people.first).astype(np.int32),
            partner.astype(np.int16),
            np.full(who.size, number, np.int16),
            value,
            when,
        )
        for number, habit in enumerate(habits)
        for who, partner, value, when in _streams(population, block, people, habit, joined[habit.context])
    ]
    return Signals(*(np.concatenate(columns) for columns in zip(*map(_tuple, parts), strict=True)))


_Stream = tuple[Codes, Codes, Numbers, Codes]


def _tuple(signals: Signals) -> tuple[NDArray[np.generic], ...]:
    return tuple(signals.columns().values())


def _habit(weighting: Weighting) -> Habit:
    kind = weighting.kind
    lowers = weighting.can_lower and weighting.weight != 0
    return Habit(
        kind=kind.name,
        context=kind.context,
        unit=kind.unit,
        sign=-1 if weighting.weight < 0 else 1,
        lifts=weighting.cap > 0 or not lowers,
        lowers=lowers,
        severity=weighting.severity,
    )


def _streams(
    population: Population, block: int, people: People, habit: Habit, joined: Membership
) -> Iterator[_Stream]:
    rng = generator(population.seed, block, f"kind {habit.kind}")
    if habit.is_tenure:
        yield from _tenure(population, habit, joined)
        return
    busy = people.engagement[joined.member] * np.minimum(joined.since, population.days) / 365
    if habit.lifts:
        yield _events(rng, population, people, habit, joined, busy * LIFTING_A_YEAR, habit.sign)
    if habit.lowers:
        failing = np.exp(-SPREAD * people.reliability[joined.member] - SPREAD**2 / 2)
        rate = busy * failing * LOWERING_A_YEAR[habit.severity]
        yield _events(rng, population, people, habit, joined, rate, -habit.sign)


def _events(
    rng: Generator,
    population: Population,
    people: People,
    habit: Habit,
    joined: Membership,
    rate: Numbers,
    sign: int,
) -> _Stream:
    """Each thing that happened: as often as `rate` says, at any time since the person joined."""
    events = np.repeat(np.arange(rate.size), rng.poisson(rate))
    who = joined.member[events]
    loyal = rng.random(events.size) < LOYALTY
    partner = np.where(loyal, joined.main[events], joined.second[events])
    watched = np.minimum(joined.since[events], population.days) * MICROSECONDS_A_DAY
    ago = (rng.random(events.size) * watched).astype(np.int64)
    value = np.ones(events.size)
    if habit.is_money:
        noise = np.exp(AMOUNT_SPREAD * rng.standard_normal(events.size))
        value = np.round(AMOUNT * people.income[who] * noise, 2)
    return who, partner, sign * value, microseconds(AS_OF) - 1 - ago


def _tenure(population: Population, habit: Habit, joined: Membership) -> Iterator[_Stream]:
    """How long each has been with each partner: told in the middle of the time, and the rest at its end."""
    late = population.days // 2
    unit = DAYS_IN[habit.unit.removesuffix("s")]
    by_then = np.floor(np.maximum(joined.since - late, 0) / unit)
    added = np.floor(joined.since / unit) - by_then
    other = joined.second != joined.main
    for value, day in ((by_then, middle(population)), (added, AS_OF)):
        for partner, there in ((joined.main, value > 0), (joined.second, (value > 0) & other)):
            when = np.full(int(there.sum()), microseconds(day) - 1, np.int64)
            yield joined.member[there], partner[there], habit.sign * value[there], when
