"""Names in, places out: whose scores are looked at, why somebody stands there, who is first of equals."""

import math
import re
from collections.abc import Sequence
from hashlib import blake2b, sha256
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sesame_baihe import FairnessRule, RankingResult, rank, ranking, score_blend

from sesame_sdk import InvalidInputError

NAMES = tuple("abcdefghijklmnopqrstuvwxyz")
shares = st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.75, 1.0])
points = st.sampled_from([350.0, 500.0, 612.37, 650.0, 950.0, None])
people = st.lists(st.tuples(shares, points), min_size=1, max_size=26)
weights = st.sampled_from([0.0, 0.25, 0.3, 0.5])
People = list[tuple[float, float | None]]


def ranked(of: People, names: Sequence[str] = NAMES, **options: object) -> RankingResult:
    """Rank pairs of relevance and score."""
    scores = {name: score for name, (_, score) in zip(names, of, strict=False) if score is not None}
    return rank(names[: len(of)], [near for near, _ in of], scores, **options)


class Scores:
    """A score source over a mapping."""

    def __init__(self, scores: dict[str, float]) -> None:
        self.scores, self.stale = scores, False
        self.asked: list[tuple[str, ...]] = []

    @property
    def state(self) -> "Scores":
        """It is its own."""
        return self

    def points(self, subjects: Sequence[str]) -> np.ndarray:
        """NaN for none, and for all where it is stale."""
        self.asked.append(tuple(subjects))
        return np.array([math.nan if self.stale else self.scores.get(one, math.nan) for one in subjects])


def slowly(of: People, weight: float, member: str, average: float | None) -> list[tuple[object, ...]]:
    """Name, relevance, score, blend and its parts of everybody, best first: one person after the other."""
    key = sha256(member.encode()).digest()
    rows: list[tuple[object, ...]] = []
    for name, (near, score) in zip(NAMES, of, strict=False):
        first, second = near, 0.0
        if average is not None:
            first = near * (1 - weight)
            second = ((average if score is None else score) - 350.0) * (weight / 600.0)
        tie = blake2b(name.encode(), digest_size=8, key=key).digest()
        rows.append((-(first + second), tie, name, near, score, first + second, first, second))
    return [row[2:] for row in sorted(rows)]


@given(
    of=people,
    weight=weights,
    top=st.integers(1, 30),
    viewer=st.sampled_from(["", "ada"]),
    block=st.integers(1, 9),
)
def test_a_ranking_is_exactly_that_of_the_slow_and_obvious_way(
    of: People, weight: float, top: int, viewer: str, block: int
) -> None:
    """Places, relevance, scores, blends and reasons to the last bit; equals by a keyed hash of both names."""
    known = [score for _, score in of if score is not None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_blend, "BLOCK_SIZE", block)
        patch.setattr(ranking, "BLOCK_SIZE", block)
        patch.setattr(ranking, "FIRST_ROUND_SIZE", 1)
        average = score_blend.average_scores(np.array([*known, math.nan]), (350.0, 950.0)).points
        output = ranked(of, score_weight=weight, top=top, viewer=viewer)
    assert average == (pytest.approx(math.fsum(known) / len(known), rel=1e-9) if known else None)
    result = [
        (one.profile, one.relevance, one.score, one.blended, one.explanation.relevance, one.explanation.score)
        for one in output.profiles
    ]
    assert result == slowly(of, weight, viewer, average)[:top]
    bare = slowly([(near, None) for near, _ in of], weight, viewer, None)
    assert output.order_without_score == tuple(row[0] for row in bare[:top])


@given(of=people, weight=weights, top=st.integers(1, 30), shuffle=st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_how_the_candidates_come(
    of: People, weight: float, top: int, shuffle: Random
) -> None:
    """Equals included, and those who are cut off at the end among equals."""
    pairs = list(zip(NAMES, of, strict=False))
    other = shuffle.sample(pairs, len(pairs))
    mixed = ranked([one for _, one in other], [name for name, _ in other], score_weight=weight, top=top)
    assert mixed == ranked(of, score_weight=weight, top=top)


@given(of=people, weight=weights)
def test_the_reasons_add_up_in_doubles_and_in_print(of: People, weight: float) -> None:
    """The figures that a member reads add up as they stand there."""
    for place in ranked(of, score_weight=weight).profiles:
        assert place.explanation.relevance + place.explanation.score == place.blended
        *parts, total = (round(float(one) * 10_000) for one in re.findall(r"\d\.\d{4}", place.describe()))
        assert sum(parts) == total == round(place.blended * 10_000)


@given(of=people, weight=weights, who=st.integers(0, 25), points=st.sampled_from([350.0, 500.0, 640.1]))
def test_no_score_ranks_as_an_average_score(of: People, weight: float, who: int, points: float) -> None:
    """With a score at or under the average of the others they come to no more than without one."""
    who %= len(of)
    others = [score for at, (_, score) in enumerate(of) if at != who and score is not None]
    score = min([points, math.fsum(others) / len(others)]) if others else None
    with_one = [*of[:who], (of[who][0], score), *of[who + 1 :]]
    without = [*of[:who], (of[who][0], None), *of[who + 1 :]]
    came_to = [
        next(one.blended for one in ranked(these, score_weight=weight).profiles if one.profile == NAMES[who])
        for these in (without, with_one)
    ]
    assert came_to[0] >= came_to[1] - 1e-9


@given(of=people, weight=weights)
def test_the_order_without_the_score_is_that_of_relevance(of: People, weight: float) -> None:
    """Whatever the scores; and it is the order of a site without any score."""
    output = ranked(of, score_weight=weight)
    near = dict(zip(NAMES, (one for one, _ in of), strict=False))
    shown = [near[name] for name in output.order_without_score]
    assert shown == sorted(shown, reverse=True)
    bare = ranked([(one, None) for one, _ in of])
    assert (
        output.order_without_score == bare.order_without_score == tuple(one.profile for one in bare.profiles)
    )


def test_ties_are_broken_differently_for_each_viewer() -> None:
    """So no profile is always first among equals, and each page is the same when it is opened again."""
    equals = [(0.5, 600.0)] * 26
    orders = {
        member: [one.profile for one in ranked(equals, viewer=member).profiles] for member in ("ada", "bob")
    }
    assert orders["ada"] != orders["bob"]
    assert orders["ada"] == [one.profile for one in ranked(equals, viewer="ada").profiles]
    first = {ranked(equals, viewer=str(number), top=1).profiles[0].profile for number in range(100)}
    assert len(first) > 13


def test_a_source_is_read_once_for_the_candidates_only() -> None:
    """A person without consent is not in it, and counts as average."""
    scores = Scores({"a": 900.0, "stranger": 950.0})
    output = rank(["a", "b"], [0.5, 0.5], scores)
    assert scores.asked == [("a", "b")]
    assert {one.profile: one.score for one in output.profiles} == {"a": 900.0, "b": None}


def test_a_stale_source_leaves_the_order_to_relevance() -> None:
    """Old scores are not used, and not passed off as none."""
    scores = Scores({"a": 950.0, "b": 350.0})
    scores.stale = True
    output = rank(["a", "b"], [0.25, 0.5], scores)
    assert [one.profile for one in output.profiles] == ["b", "a"]
    assert output.parameters.describe() == "The scores are out of date: relevance alone decides."


def test_the_parameters_say_weight_range_neutral_value_and_rule() -> None:
    """All that made the order, in one line for the member."""
    fair = FairnessRule(["c"], share=0.5, adjusted=False)
    output = ranked(
        [(0.5, 350.0), (0.5, 950.0), (0.5, None)],
        score_weight=0.25,
        reciprocal_relevance=[0.5] * 3,
        fairness_rule=fair,
    )
    assert output.parameters.describe() == (
        "Relevance is the harmonic mean of both sides' relevance. "
        "blended = 0.75 relevance + 0.25 score, scores from 350 to 950 as 0 to 1. "
        "1 of 3 have no score and get the mean, 0.5000. Other sites' signals can only raise a score. "
        "The site's fairness rule (FA*IR, share 0.50) holds; 0 profiles moved up."
    )


def test_why_is_one_line() -> None:
    """With a score, without one, and with no score for any candidate."""
    output = ranked([(0.75, 950.0), (0.5, None)], score_weight=0.25)
    assert [one.describe() for one in output.profiles] == [
        "0.5625 for relevance 0.75 + 0.2500 for score 950.00 = 0.8125",
        "0.3750 for relevance 0.50 + 0.2500 for no score, counted as average = 0.6250",
    ]
    assert ranked([(0.75, None)]).profiles[0].describe() == "0.7500 for relevance 0.75 = 0.7500"


def test_no_candidates_give_an_empty_result() -> None:
    """With every option, too."""
    output = rank([], [], {}, reciprocal_relevance=[], fairness_rule=FairnessRule([]), top=5)
    assert (output.profiles, output.order_without_score) == ((), ())


@pytest.mark.long
def test_a_million_equals_are_ranked_in_bounded_time() -> None:
    """The worst case for who is first of equals: all are looked at, once."""
    names = [f"p{number}" for number in range(1_000_000)]
    output = rank(names, np.full(1_000_000, 0.5), Scores({}), top=5)
    turned = rank(names[::-1], np.full(1_000_000, 0.5), Scores({}), top=5)
    assert output.order_without_score == turned.order_without_score


@pytest.mark.parametrize(
    ("names", "relevance", "scores", "message"),
    [
        (["a", "a"], [0.1, 0.2], {}, "candidates: must be names without duplicates"),
        ("ab", [0.1, 0.2], {}, "candidates: must be names without duplicates"),
        (["a"], [0.1, 0.2], {}, "relevance: must have one value for each candidate"),
        (["a"], [math.nan], {}, "relevance: must be from 0 to 1"),
        (["a"], [0.5], {"a": 2000.0}, "scores: must be from 350 to 950, or NaN"),
        (["a"], [0.5], {"a": "much"}, "scores: must return numbers"),
        (["a"], [0.5], object(), "scores: must return numbers"),
    ],
)
def test_what_makes_no_sense_is_rejected_by_name(
    names: list[str], relevance: list[float], scores: dict[str, object], message: str
) -> None:
    """And never with a value of somebody's in it."""
    with pytest.raises(InvalidInputError) as caught:
        rank(names, relevance, scores)
    assert message in str(caught.value)


def test_a_source_with_another_number_of_scores_is_rejected() -> None:
    """Not one number a candidate."""

    class Short(Scores):
        def points(self, subjects: Sequence[str]) -> np.ndarray:
            return np.zeros(len(subjects) + 1)

    with pytest.raises(InvalidInputError, match="scores: must return one score for each candidate"):
        rank(["a"], [0.5], Short({}))
