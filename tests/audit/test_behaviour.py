"""What simulated people do: as often, as much and as long as the settings say."""

import numpy as np
import pytest
from attrs import evolve

from sesame_sdk.audit.simulation import behaviour
from sesame_sdk.audit.simulation.behaviour import AS_OF, SignalColumns
from sesame_sdk.audit.simulation.people import MAX_TENURE_DAYS, People, draw_blocks, draw_membership
from sesame_sdk.audit.simulation.population import Correlation, Group, Market, Population
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.scoring.scorecard import MICROSECONDS_PER_DAY, to_microseconds
from tests.audit.policies import ORDERS, RETURNED, SPEND, TENURE, crowd, shop


def acted(policy: Policy, population: Population) -> tuple[People, SignalColumns]:
    """The first block of people, and what they did."""
    number, people = next(draw_blocks(population))
    return people, behaviour.generate_signals(population, number, people, behaviour.collect_habits(policy))


def of_kind(policy: Policy, signals: SignalColumns, kind: str) -> SignalColumns:
    """The signals of one kind."""
    names = [habit.kind for habit in behaviour.collect_habits(policy)]
    return signals.select(signals.kind == names.index(kind))


def test_the_same_seed_makes_the_same_people_and_the_same_deeds() -> None:
    """And another seed makes others."""
    one, two, other = (acted(shop(), crowd(1000, seed=seed)) for seed in (7, 7, 8))
    for first, second in zip(one[1].as_dict().values(), two[1].as_dict().values(), strict=True):
        assert (first == second).all()
    assert (one[0].income == two[0].income).all()
    assert not np.array_equal(one[0].income, other[0].income)


def test_a_kind_that_is_added_leaves_the_others_as_they_were() -> None:
    """So two policies can be compared over the same deeds."""
    few, more = shop(ORDERS, SPEND), shop()
    some, all_of_it = (acted(policy, crowd(1000))[1] for policy in (few, more))
    for kind in ("retail.order.completed", "retail.order.spend"):
        before, after = of_kind(few, some, kind), of_kind(more, all_of_it, kind)
        assert (before.value == after.value).all()
        assert (before.occurred_at == after.occurred_at).all()
        assert (before.subject == after.subject).all()


def test_only_what_the_policy_weighs_is_played() -> None:
    """Every number of a kind is that of a weighting."""
    policy = shop(SPEND, RETURNED)
    _, signals = acted(policy, crowd(1000))
    assert set(np.unique(signals.kind).tolist()) == {0, 1}


def test_everything_happens_while_people_are_watched() -> None:
    """Not before they joined, nor on the day of the score or later."""
    population = crowd(2000, days=100)
    people, signals = acted(shop(ORDERS), population)
    joined = draw_membership(population, 0, people, "retail")
    ago = to_microseconds(AS_OF) - signals.occurred_at
    assert ago.min() > 0
    assert ago.max() <= 100 * MICROSECONDS_PER_DAY
    since = np.zeros(people.size, np.int64)
    since[joined.member] = joined.since
    assert (ago <= since[signals.subject] * MICROSECONDS_PER_DAY).all()


def test_counts_are_poisson_about_engagement() -> None:
    """Twelve a year for somebody in the middle who was there all year; each counts one."""
    population = crowd(20_000, days=365)
    people, signals = acted(shop(ORDERS), population)
    joined = draw_membership(population, 0, people, "retail")
    whole_year = joined.member[joined.since >= 365]
    counts = np.bincount(signals.subject, minlength=people.size)[whole_year]
    expected = 12 * people.engagement[whole_year]
    assert counts.sum() == pytest.approx(expected.sum(), rel=0.01)
    # A Poisson's variance is its mean, so this is near 1.
    assert ((counts - expected) ** 2 / expected).mean() == pytest.approx(1, abs=0.1)
    assert set(signals.value.tolist()) == {1.0}


def test_money_follows_income_and_is_whole_pennies() -> None:
    """Who has twice as much spends twice as much at a time."""
    population = crowd(20_000, groups=(Group("group A", 0.5, income=2.0), Group("group B", 0.5)))
    people, signals = acted(shop(SPEND), population)
    rich = people.group[signals.subject] == 0
    assert np.median(signals.value[rich]) / np.median(signals.value[~rich]) == pytest.approx(2, rel=0.05)
    assert (np.round(signals.value, 2) == signals.value).all()
    assert np.median(signals.value[~rich]) == pytest.approx(0.02 * population.income, rel=0.05)


@pytest.mark.parametrize("measure", ["money", "count"])
def test_what_lowers_comes_seldom_from_the_reliable_and_seldomer_the_graver_it_is(measure: str) -> None:
    """By one kind, whose observation has each gravity."""
    counts = []
    grave = {"money": ("order_returned", "GBP"), "count": ("payment_late", "")}[measure]
    for observation, currency in (grave, ("payment_missed", ""), ("fraud_confirmed", "")):
        kind = SignalKind("retail.order.returned", observation, currency)
        weightings = tuple(evolve(one, kind=kind) for one in shop(RETURNED).weightings)
        people, signals = acted(evolve(shop(RETURNED), weightings=weightings), crowd(20_000))
        reliable = people.reliability[signals.subject] > 0
        assert reliable.sum() < 0.5 * (~reliable).sum()
        counts.append(signals.value.size)
    assert counts[0] > 5 * counts[1] > 10 * counts[2] > 0


def test_no_value_is_negative() -> None:
    """The weight has the sign of the observation's polarity."""
    _, signals = acted(shop(), crowd(5000))
    assert (signals.value > 0).all()


def test_membership_follows_from_the_day_of_joining_alone() -> None:
    """Split in the middle, the two parts add up to the whole months since, at each partner."""
    population = crowd(2000)
    people, signals = acted(shop(TENURE), population)
    joined = draw_membership(population, 0, people, "retail")
    total = np.zeros((people.size, 3))
    np.add.at(total, (signals.subject, signals.partner), signals.value)
    months = np.floor(joined.since * 12 / 365)
    assert (total[joined.member, joined.main] == months).all()
    assert (total[joined.member, joined.second] == months).all()
    assert signals.value.sum() == total.sum()
    assert months.max() <= MAX_TENURE_DAYS * 12 / 365


def test_partners_have_their_market_share_and_adoption() -> None:
    """To a hundredth or two, over many people."""
    population = crowd(20_000, markets=(Market("retail", (0.7, 0.3), adoption=0.6),))
    people, signals = acted(shop(ORDERS), population)
    assert draw_membership(population, 0, people, "retail").member.size / people.size == pytest.approx(
        0.6, abs=0.02
    )
    assert (signals.partner == 0).mean() == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("trait", ["income", "engagement", "reliability"])
@pytest.mark.parametrize("r", [-0.5, 0.0, 0.4])
def test_a_correlation_that_the_caller_sets_is_there_and_no_other_is(trait: str, r: float) -> None:
    """Measured between the order of the groups and the trait, the first group highest."""
    groups = (Group("group A", 0.2), Group("group B", 0.5), Group("group C", 0.3))
    population = evolve(Population(people=20_000), groups=groups, correlation=Correlation(**{trait: r}))
    _, people = next(draw_blocks(population))
    traits = {
        "income": np.log(people.income),
        "engagement": np.log(people.engagement),
        "reliability": people.reliability,
    }
    for name, values in traits.items():
        result = np.corrcoef(-people.group, values)[0, 1]
        assert result == pytest.approx(r if name == trait else 0, abs=0.03)


def test_people_come_in_blocks_and_every_one_of_them_once() -> None:
    """The last block holds the rest."""
    drawn = [(people.first, people.size) for _, people in draw_blocks(Population(people=45_000))]
    assert drawn == [(0, 20_000), (20_000, 20_000), (40_000, 5_000)]
