"""Simulated people, drawn block by block. Who they are comes from the settings, the seed and nothing else.

Every draw has a generator of its own, named by what is drawn. So a kind that a policy adds leaves all
other draws as they were, and two policies can be played with the same people.
"""

from collections.abc import Iterator
from hashlib import sha256

import numpy as np
from attrs import frozen
from numpy.random import PCG64, Generator, SeedSequence

from sesame_sdk.audit.metrics.arrays import Codes, Flags, Numbers
from sesame_sdk.audit.simulation.population import Correlation, Population

#: People that are drawn and scored at once: enough for the engine, few enough for 2 GB at a million.
BLOCK = 20_000
#: How far people differ in how much they take part, and in how often they fail: standard deviation of
#: the logarithm. At 0.7 the busiest sixth does twice what the middle does. Our choice.
SPREAD = 0.7
#: How many of a person's events fall to the partner that they use most. Our choice.
LOYALTY = 0.7
#: The longest that anybody has been with a partner, in days.
LONGEST = 1825


@frozen(eq=False)
class People:
    """Some people.

    Attributes:
        first: number of the first of them.
        group: (N,) number of the group.
        income: (N,) for a month, in the policy's money.
        engagement: (N,) how much of everything they do; 1 on average.
        reliability: (N,) the higher, the more seldom they fail; standard normal over all people.
    """

    first: int
    group: Codes
    income: Numbers
    engagement: Numbers
    reliability: Numbers

    @property
    def size(self) -> int:
        """How many."""
        return self.group.size


@frozen(eq=False)
class Membership:
    """Who of some people is with the partners of one context.

    Attributes:
        member: (M,) places in `People`.
        main: (M,) number of the partner that each uses most.
        second: (M,) number of the other; often the same.
        since: (M,) days, whole, that they have been there.
    """

    member: Codes
    main: Codes
    second: Codes
    since: Codes


def generator(seed: int, block: int, what: str) -> Generator:
    """The random numbers of one draw. There is no other source of chance in an audit."""
    name = int.from_bytes(sha256(what.encode()).digest()[:8], "big")
    return Generator(PCG64(SeedSequence(seed, spawn_key=(block, name))))


def blocks(population: Population) -> Iterator[tuple[int, People]]:
    """All people, at most `BLOCK` at a time, with the number of the block."""
    for number, first in enumerate(range(0, population.people, BLOCK)):
        yield number, _draw(population, number, first, min(BLOCK, population.people - first))


def membership(population: Population, block: int, people: People, context: str) -> Membership:
    """Who is with which partners of `context`."""
    market = population.market(context)
    rng = generator(population.seed, block, f"membership {context}")
    joined: Flags = rng.random(people.size) < market.adoption
    shares = np.asarray(market.shares) / sum(market.shares)
    main, second = (rng.choice(shares.size, people.size, p=shares) for _ in range(2))
    since = rng.integers(1, LONGEST + 1, people.size)
    member = np.flatnonzero(joined)
    return Membership(member, main[member], second[member], since[member])


def _draw(population: Population, block: int, first: int, size: int) -> People:
    rng = generator(population.seed, block, "people")
    shares = np.array([group.share for group in population.groups])
    factors = np.array([group.income for group in population.groups])
    group = rng.choice(shares.size, size, p=shares / shares.sum())
    place = _places(shares)[group]
    latent = rng.standard_normal((3, size))
    tied: Correlation = population.correlation
    income, engagement, reliability = (
        _tied(place, own, r)
        for own, r in zip(latent, (tied.income, tied.engagement, tied.reliability), strict=True)
    )
    return People(
        first,
        group,
        population.income * factors[group] * np.exp(population.income_spread * income),
        np.exp(SPREAD * engagement - SPREAD**2 / 2),
        reliability,
    )


def _places(shares: Numbers) -> Numbers:
    """(G,) the groups on a line, the first highest, with mean 0 and variance 1 over all people."""
    line = -np.arange(shares.size, dtype=np.float64)
    line -= np.average(line, weights=shares)
    variance = np.average(line**2, weights=shares)
    return np.asarray(line / np.sqrt(variance)) if variance else line


def _tied(place: Numbers, own: Numbers, r: float) -> Numbers:
    """A trait of variance 1 that correlates with the groups by `r`."""
    return np.asarray(r * place + np.sqrt(1 - r * r) * own) if place.any() else own
