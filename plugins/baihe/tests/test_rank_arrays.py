"""The blend, its top k, and that a missing score is no disadvantage."""

import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sesame_baihe import ranking, score_blend
from sesame_baihe.ranking import ArrayRanking, explain, rank_arrays

from sesame_sdk import InvalidInputError

NAN = math.nan
RANGE = (350.0, 950.0)
# Few different values, so that ties are the rule; eighths are exact in binary.
shares = st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.75, 1.0])
points = st.sampled_from([350.0, 500.0, 650.0, 800.0, 950.0, NAN])
candidates = st.lists(st.tuples(shares, points), min_size=1, max_size=40)
weights = st.sampled_from([0.0, 0.25, 0.5])


def ranked(
    people: Sequence[tuple[float, float]], weight: float = 0.25, top: int | None = None
) -> ArrayRanking:
    """Rank pairs of relevance and score."""
    relevance, scores = zip(*people, strict=True)
    return rank_arrays(relevance, scores, score_weight=weight, score_range=RANGE, top=top)


def short_blocks(patch: pytest.MonkeyPatch, block: int) -> None:
    """As if there were many more candidates than that."""
    patch.setattr(ranking, "BLOCK_SIZE", block)
    patch.setattr(ranking, "FIRST_ROUND_SIZE", 1)
    patch.setattr(score_blend, "BLOCK_SIZE", block)


def slowly(people: Sequence[tuple[float, float]], weight: float) -> list[int]:
    """The same order, once more in plain Python."""
    known = [(score - 350) / 600 for _, score in people if not math.isnan(score)]
    neutral = sum(known) / len(known) if known else None

    def blended(relevance: float, score: float) -> float:
        if neutral is None:
            return relevance
        return (1 - weight) * relevance + weight * (neutral if math.isnan(score) else (score - 350) / 600)

    keys = [round(blended(*one), 9) for one in people]
    return sorted(range(len(people)), key=lambda place: -keys[place])


@given(people=candidates, weight=weights, block=st.integers(1, 9))
def test_the_order_is_that_of_the_slow_and_obvious_way(
    people: list[tuple[float, float]], weight: float, block: int
) -> None:
    """Whatever the ties, and wherever a block ends. Differences of rounding count as none."""
    with pytest.MonkeyPatch.context() as patch:
        short_blocks(patch, block)
        result = ranked(people, weight)
    expected = slowly(people, weight)
    value = dict(zip(result.order.tolist(), result.blended.tolist(), strict=True))
    assert sorted(result.order.tolist()) == sorted(expected)
    assert [value[place] for place in result.order.tolist()] == pytest.approx(
        [value[place] for place in expected]
    )
    alone = sorted(range(len(people)), key=lambda place: -people[place][0])
    assert result.order_without_score.tolist() == alone


@given(people=candidates, weight=weights, top=st.integers(1, 50), block=st.integers(1, 9))
def test_the_best_are_the_beginning_of_the_whole_order(
    people: list[tuple[float, float]], weight: float, top: int, block: int
) -> None:
    """A smaller limit changes no place; a limit above the number returns all."""
    whole = ranked(people, weight)
    with pytest.MonkeyPatch.context() as patch:
        short_blocks(patch, block)
        best = ranked(people, weight, top)
    assert best.order.tolist() == whole.order.tolist()[:top]
    assert best.order_without_score.tolist() == whole.order_without_score.tolist()[:top]


@given(people=candidates, weight=weights)
def test_having_no_score_changes_nothing_on_average(people: list[tuple[float, float]], weight: float) -> None:
    """The mean blend of all is that of relevance and of the known scores: no profile pays for the others."""
    result = ranked(people, weight)
    known = [(score - 350) / 600 for _, score in people if not math.isnan(score)]
    relevance = np.mean([one for one, _ in people])
    expected = (1 - weight) * relevance + weight * np.mean(known) if known else relevance
    assert result.blended.mean() == pytest.approx(expected)
    assert result.parameters.without_score == len(people) - len(known)


@given(
    people=candidates.filter(lambda people: any(not math.isnan(score) for _, score in people)), weight=weights
)
def test_no_score_ranks_as_the_average_score(people: list[tuple[float, float]], weight: float) -> None:
    """Give everybody without a score the mean of the others: no blend moves."""
    result = ranked(people, weight)
    mean = 350 + 600 * result.parameters.neutral
    filled = ranked([(near, mean if math.isnan(score) else score) for near, score in people], weight)
    by_place = [dict(zip(one.order.tolist(), one.blended.tolist(), strict=True)) for one in (result, filled)]
    assert by_place[0] == pytest.approx(by_place[1])


@given(relevance=st.lists(st.floats(0, 1), min_size=1, max_size=40), weight=weights)
def test_where_no_score_is_known_relevance_alone_decides(relevance: list[float], weight: float) -> None:
    """Both orders are the same, to the last bit, and the parameters say that no score was used."""
    result = ranked([(one, NAN) for one in relevance], weight)
    assert result.order.tolist() == result.order_without_score.tolist()
    assert result.blended.tolist() == sorted(relevance, reverse=True)
    assert result.parameters.neutral is None


@given(people=candidates, weight=weights, who=st.integers(0, 39))
def test_a_higher_score_never_costs_a_place(
    people: list[tuple[float, float]], weight: float, who: int
) -> None:
    """Against everybody else who has a score; those without one follow the mean."""
    who %= len(people)
    known = [one for place, one in enumerate(people) if place == who or not math.isnan(one[1])]
    who = sum(not math.isnan(score) for _, score in people[:who])
    low, high = ((*known[:who], (known[who][0], score), *known[who + 1 :]) for score in (400.0, 900.0))
    assert ranked(high, weight).order.tolist().index(who) <= ranked(low, weight).order.tolist().index(who)


@given(people=candidates, weight=weights, block=st.integers(1, 9), shuffle=st.randoms(use_true_random=False))
def test_the_same_candidates_come_to_the_same_values_whichever_way_they_come(
    people: list[tuple[float, float]], weight: float, block: int, shuffle: Random
) -> None:
    """To the last bit, for the mean too: a sum of doubles would depend on who comes first."""
    other = shuffle.sample(people, len(people))
    with pytest.MonkeyPatch.context() as patch:
        short_blocks(patch, block)
        result = ranked(other, weight)
    assert result.blended.tolist() == ranked(people, weight).blended.tolist()
    assert result.parameters == ranked(people, weight).parameters


@given(scores=st.lists(st.integers(35_000, 95_000), min_size=1, max_size=60), without=st.integers(0, 60))
def test_the_neutral_value_is_the_mean_of_the_known_scores(scores: list[int], without: int) -> None:
    """Scores are whole hundredths; `fsum` says what the mean is."""
    people = [(0.5, score / 100) for score in scores] + [(0.5, NAN)] * without
    mean = math.fsum(score / 100 for score in scores) / len(scores)
    assert ranked(people).parameters.neutral == pytest.approx((mean - 350) / 600, rel=1e-9, abs=1e-9)


@given(score=st.integers(35_000, 95_000), relevance=st.floats(0, 1), weight=weights)
def test_where_all_others_have_one_score_no_score_counts_exactly_as_that(
    score: int, relevance: float, weight: float
) -> None:
    """Not a hair less, which would put them last of equals."""
    points = score / 100
    result = ranked([(relevance, points), (relevance, NAN), (relevance, points)], weight)
    assert len(set(result.blended.tolist())) == 1
    assert result.order.tolist() == [0, 1, 2]


@given(people=candidates, weight=weights)
def test_the_reasons_add_up_to_the_blend_to_the_last_bit(
    people: list[tuple[float, float]], weight: float
) -> None:
    """The explanation of a profile without a score names the average."""
    result = ranked(people, weight)
    near, scores = np.array(people)[result.order].T
    for why, value, score in zip(
        explain(result.blend, near, scores), result.blended.tolist(), scores, strict=True
    ):
        assert why.relevance + why.score == value
        if math.isnan(score):
            assert why.difference_to_average == 0


@pytest.mark.parametrize("score_range", [(-100.0, 0.0), (0.0, 1.0), (-5.0, 5.0), (999_999.0, 1_000_000.0)])
def test_any_range_of_scores_does(score_range: tuple[float, float]) -> None:
    """Negative ones, narrow ones, far ones."""
    low, high = score_range
    middle = (low + high) / 2
    result = rank_arrays([0.5] * 4, [low, high, middle, NAN], score_weight=0.5, score_range=score_range)
    assert result.blended.tolist() == [0.75, 0.5, 0.5, 0.25]
    assert result.parameters.neutral == 0.5


def test_a_million_candidates_come_out_as_by_sorting_all() -> None:
    """Many thousands of them in other blocks than the best."""
    random = np.random.default_rng(7)
    relevance, scores = random.random(1_000_000), random.uniform(*RANGE, 1_000_000)
    scores[random.random(1_000_000) < 0.3] = NAN
    best = rank_arrays(relevance, scores, score_weight=0.3, score_range=RANGE, top=50)
    neutral = float(np.nanmean(scores))
    slow = 0.7 * relevance + 0.3 * (np.where(np.isnan(scores), neutral, scores) - 350) / 600
    assert best.order.tolist() == np.argsort(-slow)[:50].tolist()
    assert best.order_without_score.tolist() == np.argsort(-relevance)[:50].tolist()


def test_ties_keep_the_given_order() -> None:
    """Across blocks too: of 40,000 equals the best 50 are the first 50."""
    result = ranked([(0.5, 500.0)] * 40_000, top=50)
    assert result.order.tolist() == result.order_without_score.tolist() == list(range(50))


def test_rising_values_are_the_worst_case_and_come_out_right() -> None:
    """Each block beats all before it."""
    relevance = np.linspace(0, 1, 50_000)
    result = rank_arrays(relevance, np.full(50_000, 500.0), score_weight=0.3, score_range=RANGE, top=3)
    assert result.order.tolist() == [49_999, 49_998, 49_997]


def test_the_parameters_are_shown() -> None:
    """Weight, range, how many there were, how many without a score, and what those were given."""
    used = ranked([(0.5, 350.0), (0.5, 950.0), (0.5, NAN)], 0.25).parameters
    assert (used.score_weight, used.score_range, used.candidates) == (0.25, RANGE, 3)
    assert (used.without_score, used.neutral) == (1, 0.5)


def test_no_candidates_give_an_empty_order() -> None:
    """Not an error."""
    result = rank_arrays([], [], score_weight=0.3, score_range=RANGE)
    assert (len(result.order), len(result.order_without_score), result.parameters.neutral) == (0, 0, None)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"relevance": [1.1]}, "relevance: must be from 0 to 1"),
        ({"relevance": [-0.1]}, "relevance: must be from 0 to 1"),
        ({"relevance": [NAN]}, "relevance: must be from 0 to 1"),
        ({"relevance": ["much"]}, "relevance: must be numbers"),
        ({"relevance": [[0.5]]}, "relevance: must be one row of numbers"),
        ({"relevance": [0.5, 0.5]}, "scores: must have one value for each candidate: 2, not 1"),
        ({"scores": [349.0]}, "scores: must be from 350 to 950, or NaN"),
        ({"scores": [math.inf]}, "scores: must be from 350 to 950"),
        ({"score_weight": 0.6}, "score_weight: must be from 0 to 0.5"),
        ({"score_weight": -0.1}, "score_weight: must be from 0 to 0.5"),
        ({"score_weight": NAN}, "score_weight: must be from 0 to 0.5"),
        ({"score_range": (950.0, 350.0)}, "score_range: must go from a lower to a higher score"),
        ({"score_range": (350.0, NAN)}, "score_range: must go from a lower to a higher score"),
        ({"score_range": (0.0, 1e9)}, "score_range: must go from a lower to a higher score"),
        ({"score_range": (0.0, 0.5)}, "score_range: must go from a lower to a higher score"),
        ({"relevance": 0.5}, "relevance: must be one row of numbers"),
        ({"relevance": [-0.0, 2.0]}, "scores: must have one value for each candidate: 2, not 1"),
        ({"top": 0}, "top: must be at least 1"),
    ],
)
def test_what_is_out_of_bounds_is_rejected_by_name(changed: dict[str, object], message: str) -> None:
    """The message names the argument and its bounds."""
    good = {"relevance": [0.5], "scores": [500.0], "score_weight": 0.3, "score_range": RANGE}
    with pytest.raises(InvalidInputError) as caught:
        rank_arrays(**{**good, **changed})
    assert message in str(caught.value)
