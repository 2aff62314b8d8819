"""The one SQL text: every engine and the plain formula agree, to the hundredth and without tolerance."""

import random
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.scoring.scorecard import POLICY_COLUMNS, SCORE_SQL, build_policy_rows
from tests.guard.builders import GOOD_KIND
from tests.scoring.engines import TODAY, in_duckdb, in_sqlite
from tests.scoring.reference import DAY, Counted, score
from tests.scoring.strategies import KINDS, policies, signals, some_signals

SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

SPEND = Weighting(
    kind=evolve(GOOD_KIND, name="retail.order.spend"),
    weight=0.01,
    floor=-50.0,
    cap=50.0,
    partner_cap=30.0,
    half_life_days=30.0,
    expires_days=90.0,
)
PLAIN = Policy("plain", 1, "retail", 550.0, 350.0, 950.0, (Band("all", 350.0),), (SPEND,))


def one(value: float, age: int = 0, partner: int = 1) -> Counted:
    """One signal of ada's spend."""
    return Counted(1, partner, SPEND.kind.name, value, age)


@given(policy=policies(), counted=some_signals)
@settings(SHARED_FOLDER)
@example(policy=PLAIN, counted=[one(0.5), one(1.0, 30 * DAY, 2), one(-0.5, 0, 3)])
def test_engines_and_formula_agree(policy: Policy, counted: list[Counted], tmp_path: Path) -> None:
    """Live SQLite, DuckDB over Parquet and the formula give the same hundredths, row for row."""
    expected = score(counted, policy)
    assert in_sqlite(counted, policy) == expected
    assert in_duckdb(counted, policy, tmp_path / "signals.parquet") == expected


@pytest.mark.parametrize(
    ("counted", "hundredths"),
    [
        pytest.param([one(100)], 100, id="a pound at a hundredth of a point is a point a hundred"),
        pytest.param([one(0.5)], 1, id="half a hundredth goes up"),
        pytest.param([one(-0.5)], 0, id="minus half a hundredth goes up"),
        pytest.param([one(1.0, 30 * DAY)], 1, id="a half after one half-life goes up"),
        pytest.param([one(100, 30 * DAY)], 50, id="one half-life"),
        pytest.param([one(100, 60 * DAY)], 25, id="two half-lives"),
        pytest.param([one(100, 90 * DAY)], 13, id="on its last day it counts"),
        pytest.param([one(100, -1)], 100, id="later today"),
        pytest.param([one(100, -400 * DAY)], 100, id="next year"),
        pytest.param([one(4000)], 3000, id="the partner's cap"),
        pytest.param([one(-4000)], -3000, id="the partner's cap, downwards"),
        pytest.param([one(4000, 0, 1), one(4000, 0, 2)], 5000, id="the kind's cap"),
        pytest.param([one(-4000, 0, 1), one(-4000, 0, 2)], -5000, id="the kind's floor"),
        pytest.param([one(9000), one(-8000)], 1000, id="sums are capped, not signals"),
        pytest.param([one(9000, 0, 1), one(-1000, 0, 2)], 2000, id="each partner is capped before they meet"),
        pytest.param([one(1.7e308), one(1.7e308)], 3000, id="beyond what a double adds up"),
        pytest.param([one(1.7e308), one(-1.7e308)], 0, id="and back"),
        pytest.param([one(5e-324)], 0, id="the smallest number that there is"),
    ],
)
def test_worked_values(counted: list[Counted], hundredths: int, tmp_path: Path) -> None:
    """By hand: a hundredth of a point a pound, half-life 30 days, 90 days at most, caps 30 and 50."""
    expected = {(1, SPEND.kind.name): hundredths, (1, ""): 55_000 + hundredths}
    assert score(counted, PLAIN) == expected
    assert in_sqlite(counted, PLAIN) == expected
    assert in_duckdb(counted, PLAIN, tmp_path / "signals.parquet") == expected


def test_a_half_that_a_product_misses_by_its_last_bit_goes_up() -> None:
    """3 micropoints after one half-life of a day come out as 1.4999999999999998, and count as 2."""
    fading = evolve(PLAIN, weightings=(evolve(SPEND, half_life_days=1.0),))
    assert in_sqlite([one(0.0003, DAY)] * 2500, fading)[1, ""] == 55_001


def test_a_person_whose_signals_are_all_expired_has_no_score(tmp_path: Path) -> None:
    """No score is not a low score: there is no row at all. Nor for kinds that the policy does not weigh."""
    past = [one(100, 90 * DAY + 1), Counted(2, 1, "retail.order.other", 1.0, 0)]
    assert in_sqlite(past, PLAIN) == {}
    assert in_duckdb(past, PLAIN, tmp_path / "signals.parquet") == {}


def test_a_score_depends_on_the_day_alone() -> None:
    """The same signals a half-life later are worth half; a leap year and the distant past do not matter."""
    for day in (date(1970, 1, 1), date(2000, 2, 29), date(2999, 12, 31)):
        assert in_sqlite([one(100, 30 * DAY)], PLAIN, day)[1, ""] == 55_050


@given(policy=policies(), counted=some_signals, seed=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_signals_never_matters(
    policy: Policy, counted: list[Counted], seed: random.Random
) -> None:
    """Whole micropoints add up the same in any order."""
    assert in_sqlite(seed.sample(counted, len(counted)), policy) == in_sqlite(counted, policy)


@given(policy=policies(), counted=some_signals)
@settings(deadline=None)
def test_reasons_add_up_to_the_score(policy: Policy, counted: list[Counted]) -> None:
    """Base and kinds make the total, but for what the range cuts off."""
    computed = in_sqlite(counted, policy)
    sums: dict[int, int] = defaultdict(lambda: round(policy.base * 100))
    for (subject, kind), hundredths in computed.items():
        sums[subject] += hundredths if kind else 0
    low, high = round(policy.low * 100), round(policy.high * 100)
    assert {subject: min(max(total, low), high) for subject, total in sums.items()} == {
        subject: hundredths for (subject, kind), hundredths in computed.items() if not kind
    }


@given(policy=policies(), counted=some_signals, partner=st.integers(1, 3))
@settings(deadline=None)
def test_no_partner_moves_a_score_by_more_than_its_caps(
    policy: Policy, counted: list[Counted], partner: int
) -> None:
    """With and without one partner's signals: a stolen key is worth the sum of its caps and no more."""
    limit = sum(round(weighting.partner_cap * 100) for weighting in policy.weightings)
    with_it = in_sqlite(counted, policy)
    without = in_sqlite([signal for signal in counted if signal.partner != partner], policy)
    for subject in (1, 2, 3):
        base = round(policy.base * 100)
        moved = with_it.get((subject, ""), base) - without.get((subject, ""), base)
        assert abs(moved) <= limit


@given(policy=policies(reward=True), counted=some_signals, more=signals(signed=False))
@settings(deadline=None)
def test_a_reward_never_lowers_a_score(policy: Policy, counted: list[Counted], more: Counted) -> None:
    """One more signal of a kind that counts upwards, by anybody and of any age."""
    before, after = (in_sqlite(given, policy) for given in (counted, [*counted, more]))
    key = (more.subject, "")
    assert after.get(key, 0) >= before.get(key, 0)


def test_threads_and_row_groups_do_not_change_a_score(tmp_path: Path) -> None:
    """A hundred thousand signals of awkward worth: one thread, two threads and SQLite agree exactly."""
    draw = random.Random(7)  # noqa: S311 - a seeded sample, no secret
    policy = evolve(
        PLAIN,
        weightings=tuple(evolve(SPEND, kind=evolve(SPEND.kind, name=kind), weight=0.0137) for kind in KINDS),
    )
    counted = [
        Counted(
            draw.randrange(50),
            draw.randrange(3),
            draw.choice(KINDS),
            draw.random() * 9 - 4,
            draw.randrange(80 * DAY),
        )
        for _ in range(100_000)
    ]
    path = tmp_path / "signals.parquet"
    computed = in_duckdb(counted, policy, path, threads=1)
    assert computed == in_duckdb(counted, policy, path, threads=2) == in_sqlite(counted, policy)
    assert computed == score(counted, policy)


def test_the_text_is_one_for_all_engines() -> None:
    """No parameters, no casts, no functions that some engine lacks; a policy row is text and doubles."""
    text = SCORE_SQL.upper()
    assert not any(word in text for word in ("?", ":", "$", "%", "CAST", "GREATEST", "LEAST", "ROUND"))
    (row,) = build_policy_rows(PLAIN, TODAY)
    assert len(row) == len(POLICY_COLUMNS)
    assert isinstance(row[0], str)
    assert all(type(number) is float for number in row[1:])
