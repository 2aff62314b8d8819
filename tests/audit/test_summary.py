"""The summary of simulated people: no score is never low, and every figure adds up."""

import numpy as np
import pytest

from sesame_sdk.audit.report.build import summarize_simulation
from sesame_sdk.audit.report.model import SimulationSummary
from sesame_sdk.audit.simulation import behaviour
from sesame_sdk.audit.simulation.behaviour import AS_OF
from sesame_sdk.audit.simulation.people import draw_blocks
from sesame_sdk.audit.simulation.population import Market
from sesame_sdk.audit.simulation.simulate import SimulationResult, adapt_choices, simulate
from sesame_sdk.errors import InvalidInputError
from tests.audit.policies import crowd, shop
from tests.scoring.reference import Counted, score, start_of


@pytest.fixture(scope="module")
def result() -> SimulationResult:
    """Some people under the shop's policy."""
    return simulate(crowd(4000), [shop()])


@pytest.fixture(scope="module")
def shown(result: SimulationResult) -> SimulationSummary:
    """The summary of the simulated people."""
    return summarize_simulation(result, (), adapt_choices(result))


def test_scores_are_those_of_the_slow_reference() -> None:
    """The engine was given the same signals, and its rows came back to the right people."""
    population, policy = crowd(300), shop()
    _, people = next(draw_blocks(population))
    signals = behaviour.generate_signals(population, 0, people, behaviour.collect_habits(policy))
    names = [habit.kind for habit in behaviour.collect_habits(policy)]
    start = start_of(AS_OF)
    reported = [
        Counted(int(who), int(partner), names[kind], float(value), start - int(when))
        for who, partner, kind, value, when in zip(*signals.as_dict().values(), strict=True)
    ]
    expected = score(reported, policy)
    scored = simulate(population, [policy]).scores[0]
    kinds = [weighting.kind.name for weighting in policy.weightings]
    for who in range(people.size):
        assert scored.has_score[who] == ((who, "") in expected)
        assert scored.hundredths[who] == expected.get((who, ""), round(policy.base * 100))
        assert scored.parts[who].tolist() == [expected.get((who, kind), 0) for kind in kinds]


def test_blocks_and_threads_change_nothing() -> None:
    """Two blocks of people, by one thread and by two."""
    one, two = (simulate(crowd(21_000), [shop()], threads=threads).scores[0] for threads in (1, 2))
    assert (one.hundredths == two.hundredths).all()
    assert (one.parts == two.parts).all()
    assert (one.has_score == two.has_score).all()


def test_a_person_without_signals_has_no_score_and_neutral_points(result: SimulationResult) -> None:
    """The policy's base, and never the low end of the range."""
    scored = result.scores[0]
    assert 0 < (~scored.has_score).mean() < 0.5
    assert set(scored.points[~scored.has_score].tolist()) == {result.policies[0].base}
    assert not scored.parts[~scored.has_score].any()


def test_a_spread_adds_up_for_each_group_and_spans_the_range(shown: SimulationSummary) -> None:
    """Of people who have a score; medians lie within."""
    spread = shown.distribution
    assert (spread.edges[0], spread.edges[-1]) == (350.0, 950.0)
    for name in ("group A", "group B"):
        assert sum(spread.shares[name]) == pytest.approx(1)
        assert 350 < spread.medians[name] < 950


def test_attention_is_shared_out_whole_at_every_rank(shown: SimulationSummary) -> None:
    """And at the last rank each group has about its share of the people, for no group differs."""
    curve = shown.exposure
    assert list(curve.ranks) == sorted(set(curve.ranks))
    assert curve.ranks[-1] == 4000
    assert sum(curve.people.values()) == pytest.approx(1)
    for at in range(len(curve.ranks)):
        assert sum(line[at] for line in curve.shares.values()) == pytest.approx(1)
    assert curve.shares["group A"][-1] == pytest.approx(curve.people["group A"], abs=0.02)


def test_the_typical_score_is_the_median_and_adds_up(
    result: SimulationResult, shown: SimulationSummary
) -> None:
    """As many people above as below; `Score` itself refuses reasons that do not add up."""
    scored = result.scores[0]
    points = scored.points[scored.has_score]
    assert (points < shown.typical_score.points).sum() <= points.size / 2
    assert (points > shown.typical_score.points).sum() <= points.size / 2
    assert shown.typical_score.contributions
    assert all(part.reason for part in shown.typical_score.contributions)


def test_rewards_are_what_the_kinds_gave_and_took(result: SimulationResult, shown: SimulationSummary) -> None:
    """Biggest mean first; with the base they make the mean score, nothing being cut off here."""
    scored, rewards = result.scores[0], shown.rewards
    assert [reward.mean_points for reward in rewards] == sorted(
        (reward.mean_points for reward in rewards), reverse=True
    )
    mean = scored.points[scored.has_score].mean()
    assert 550 + sum(reward.mean_points for reward in rewards) == pytest.approx(mean)
    returned = next(reward for reward in rewards if reward.kind == "retail.order.returned")
    assert returned.min_points < returned.mean_points < 0 == returned.max_points
    assert 0 < returned.share_affected < 1


def test_each_half_of_the_time_is_scored_by_itself(result: SimulationResult) -> None:
    """People are as they were, so both halves come out alike, and below the whole."""
    early, late = (half.points[half.has_score].mean() for half in result.halves)
    whole = result.scores[0]
    assert early == pytest.approx(late, abs=3)
    assert late < whole.points[whole.has_score].mean()


def test_a_simulation_without_scores_is_an_error() -> None:
    """A population of a hundred with one participant in a hundred, and a seed without any."""
    for seed in range(1, 50):
        population = crowd(100, seed=seed, markets=(Market("retail", (1.0,), adoption=0.01),))
        result = simulate(population, [shop()])
        if not result.scores[0].has_score.any():
            with pytest.raises(InvalidInputError, match="no simulated person has a score"):
                summarize_simulation(result, (), adapt_choices(result))
            return
    pytest.fail("somebody always had a score")


def test_progress_is_reported_after_every_block() -> None:
    """How many are done, and how many there are."""
    reported: list[tuple[int, int]] = []
    simulate(crowd(20_100), [shop()], progress=lambda done, total: reported.append((done, total)))
    assert reported == [(20_000, 20_100), (20_100, 20_100)]


def test_what_lowers_is_kept_for_volatility(result: SimulationResult) -> None:
    """As positive values, for each kind that can lower."""
    assert set(result.falls) == {"retail.order.returned"}
    assert np.all(result.falls["retail.order.returned"] > 0)
