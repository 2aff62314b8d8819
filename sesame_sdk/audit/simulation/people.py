"""Draws simulated people, block by block, from the settings and the seed alone.

Every draw has a random generator of its own, named by what is drawn. So a kind that a policy adds leaves all
other draws unchanged, and two policies can be simulated with the same people.
"""

from collections.abc import Iterator
from hashlib import sha256
from itertools import repeat

import numpy as np
from attrs import astuple, frozen
from numpy.random import PCG64, Generator, SeedSequence

from sesame_sdk.audit.arrays import Codes, Flags, Numbers
from sesame_sdk.audit.simulation.population import Population

#: People that are drawn and scored at once: enough for the engine, few enough for 2 GB at a million.
BLOCK_SIZE = 20_000
#: How far people differ in engagement and in reliability: standard deviation of the logarithm. At 0.7 the
#: most engaged sixth does twice what the median does. Our choice.
TRAIT_SPREAD = 0.7
#: Share of a person's events at the partner that they use most. Our choice.
LOYALTY = 0.7
MAX_TENURE_DAYS = 1825


@frozen(eq=False)
class People:
    """A block of people, or all of them."""

    first: int  # number of the first person
    group: Codes  # (N,) number of the group
    income: Numbers  # (N,) for a month, in the policy's money
    engagement: Numbers  # (N,) how much of everything they do; 1 on average
    reliability: Numbers  # (N,) the higher, the fewer lowering events; standard normal over all people

    @property
    def size(self) -> int:
        """Number of people."""
        return self.group.size


@frozen(eq=False)
class Membership:
    """Membership of people with the partners of one context."""

    member: Codes  # (M,) indices into `People`
    main: Codes  # (M,) number of the partner that each member uses most
    second: Codes  # (M,) number of the other partner; often the same
    since: Codes  # (M,) whole days of membership


def random_generator(seed: int, block: int, what: str) -> Generator:
    """Make the random generator of one draw. An audit has no other source of randomness."""
    name = int.from_bytes(sha256(what.encode()).digest()[:8], "big")
    return Generator(PCG64(SeedSequence(seed, spawn_key=(block, name))))


def draw_blocks(population: Population) -> Iterator[tuple[int, People]]:
    """Draw all people, at most `BLOCK_SIZE` at a time, with the number of the block."""
    for number, first in enumerate(range(0, population.people, BLOCK_SIZE)):
        yield number, _draw_people(population, number, first, min(BLOCK_SIZE, population.people - first))


def draw_membership(population: Population, block: int, people: People, context: str) -> Membership:
    """Draw who is a member with which partners of `context`."""
    market = population.find_market(context)
    rng = random_generator(population.seed, block, f"membership {context}")
    joined: Flags = rng.random(people.size) < market.adoption
    shares = np.asarray(market.shares) / sum(market.shares)
    main, second = (rng.choice(shares.size, people.size, p=shares) for _ in range(2))
    since = rng.integers(1, MAX_TENURE_DAYS + 1, people.size)
    member = np.flatnonzero(joined)
    return Membership(member, main[member], second[member], since[member])


def _draw_people(population: Population, block: int, first: int, size: int) -> People:
    rng = random_generator(population.seed, block, "people")
    shares = np.array([group.share for group in population.groups])
    factors = np.array([group.income for group in population.groups])
    group = rng.choice(shares.size, size, p=shares / shares.sum())
    rank = _standard_ranks(shares)[group]
    traits = rng.standard_normal((3, size))
    correlations = astuple(population.correlation)
    income, engagement, reliability = map(_correlate, repeat(rank), traits, correlations)
    return People(
        first,
        group,
        population.income * factors[group] * np.exp(population.income_spread * income),
        np.exp(TRAIT_SPREAD * engagement - TRAIT_SPREAD**2 / 2),
        reliability,
    )


def _standard_ranks(shares: Numbers) -> Numbers:
    """(G,) the rank of each group, the first highest, with mean 0 and variance 1 over all people."""
    ranks = -np.arange(shares.size, dtype=np.float64)
    ranks -= np.average(ranks, weights=shares)
    variance = np.average(ranks**2, weights=shares)
    return np.asarray(ranks / np.sqrt(variance)) if variance else ranks


def _correlate(rank: Numbers, trait: Numbers, r: float) -> Numbers:
    """A trait of variance 1 with correlation `r` to the rank of the groups."""
    return np.asarray(r * rank + np.sqrt(1 - r * r) * trait) if rank.any() else trait
