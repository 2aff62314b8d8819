"""FA*IR: every top holds enough of the group, or the answer says from where on it cannot."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sesame_baihe import FairnessRule, RankingResult, rank

from sesame_sdk import InvalidInputError, fa_ir_table

NAMES = tuple(f"p{number:02}" for number in range(40))
flags = st.lists(st.booleans(), min_size=1, max_size=40)
shares = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])


def ranked(of_group: Sequence[bool], fair: FairnessRule | None, top: int | None = None) -> RankingResult:
    """The group last: relevance falls from place to place, and all others have a head start."""
    names = NAMES[: len(of_group)]
    relevance = [(0.4 if group else 0.9) - place / 100 for place, group in enumerate(of_group)]
    return rank(names, relevance, {names[0]: 700.0}, fairness_rule=fair, top=top)


def group(of_group: Sequence[bool]) -> frozenset[str]:
    """Their names."""
    return frozenset(name for name, one in zip(NAMES, of_group, strict=False) if one)


def test_the_table_is_that_of_the_paper() -> None:
    """Zehlike et al. 2017: ten places, half of the candidates, alpha 0.1."""
    assert fa_ir_table(10, 0.5).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 3, 3]
    result = ranked([False] * 10 + [True] * 10, FairnessRule(NAMES[10:20], adjusted=False), top=10)
    assert result.parameters.fairness is not None
    assert result.parameters.fairness.required == (0, 0, 0, 1, 1, 1, 2, 2, 3, 3)
    assert [one.profile in NAMES[10:20] for one in result.profiles] == [
        counts == 1 for counts in (0, 0, 0, 1, 0, 0, 1, 0, 1, 0)
    ]


@given(of_group=flags, share=shares, adjusted=st.booleans(), top=st.integers(1, 45))
def test_every_top_holds_enough_wherever_the_group_has_enough(
    of_group: list[bool], share: float, adjusted: bool, top: int
) -> None:
    """The error names the first place that cannot be filled, no later and no sooner."""
    result = ranked(of_group, FairnessRule(group(of_group), share, adjusted=adjusted), top)
    rule = result.parameters.fairness
    assert rule is not None
    members = [one.profile in group(of_group) for one in result.profiles]
    counts = [sum(members[: place + 1]) for place in range(len(members))]
    short = [
        place for place, (have, need) in enumerate(zip(counts, rule.required, strict=True), 1) if have < need
    ]
    impossible = [place for place, need in enumerate(rule.required, 1) if need > sum(of_group)]
    assert short == impossible
    assert rule.fails_at == (impossible[0] if impossible else None)


@given(of_group=flags, share=shares, top=st.none() | st.integers(1, 45))
def test_the_order_within_a_group_does_not_change(
    of_group: list[bool], share: float, top: int | None
) -> None:
    """Within the group and within the others, best first as before; no profile is lost or repeated."""
    plain = [one.profile for one in ranked(of_group, None).profiles]
    result = ranked(of_group, FairnessRule(group(of_group), share), top)
    now = [one.profile for one in result.profiles]
    for side in (group(of_group), frozenset(NAMES) - group(of_group)):
        mine = [name for name in now if name in side]
        assert mine == [name for name in plain if name in side][: len(mine)]
    assert len(now) == len(set(now)) == min(top or len(plain), len(plain))


@given(of_group=flags, share=shares)
def test_only_moved_profiles_are_marked(of_group: list[bool], share: float) -> None:
    """The order by relevance alone is not touched, and neither is what anybody came to."""
    plain, result = ranked(of_group, None), ranked(of_group, FairnessRule(group(of_group), share))
    before = [one.profile for one in plain.profiles]
    lifted = {one.profile for place, one in enumerate(result.profiles) if before.index(one.profile) > place}
    assert {one.profile for one in result.profiles if one.explanation.moved_up} == lifted <= group(of_group)
    assert all(("moved up" in one.describe()) is one.explanation.moved_up for one in result.profiles)
    assert result.parameters.fairness is not None
    assert result.parameters.fairness.moved_up == len(lifted)
    assert result.order_without_score == plain.order_without_score
    assert {one.profile: one.blended for one in result.profiles} == {
        one.profile: one.blended for one in plain.profiles
    }


def test_an_empty_group_fails_the_rule() -> None:
    """Group members that are no candidates are an error."""
    rule = ranked([False] * 10, FairnessRule(["stranger"], share=0.5)).parameters.fairness
    assert rule is not None
    assert rule.fails_at is not None
    assert "cannot hold from rank" in ranked([False] * 10, FairnessRule([], share=0.5)).parameters.describe()


def test_only_the_first_thousand_places_are_checked() -> None:
    """Later places keep their order."""
    names = [f"p{number:04}" for number in range(1_500)]
    relevance = [1 - number / 2_000 for number in range(1_500)]
    result = rank(names, relevance, {}, fairness_rule=FairnessRule(names[1_400:], share=0.1, adjusted=False))
    assert result.parameters.fairness is not None
    assert len(result.parameters.fairness.required) == 1_000
    tail = [one.profile for one in result.profiles[1_000:]]
    assert tail == sorted(tail)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 1.5}, "share: must be 0 to 1"),
        ({"share": float("nan")}, "share: must be 0 to 1"),
        ({"alpha": 1.0}, "alpha: must be 0 to less than 1"),
    ],
)
def test_a_rule_that_makes_no_sense_is_rejected(options: dict[str, float], message: str) -> None:
    """Before anybody is ranked."""
    with pytest.raises(InvalidInputError, match=message):
        FairnessRule(["a"], **options)
