"""The way to the next band: it reaches it, nothing cheaper does, and it is the person's own to go."""

import math
import random
from pathlib import Path
from time import process_time

import pytest
from attrs import evolve
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sesame_sdk.model.explanation import NextBand, PartnerUnits
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.scoring.engines import CountedSignal
from sesame_sdk.scoring.explain import explain_score
from sesame_sdk.scoring.policy_file import load_policy
from sesame_sdk.scoring.recourse.search import Senders, find_cheapest
from tests.guard.builders import LOWERING, policy, weighting
from tests.scoring.engines import TODAY
from tests.scoring.people import (
    ABLE,
    ORDERS,
    RETURNS,
    SPEND,
    added,
    everything,
    order,
    people,
    policies,
    reference_total,
)
from tests.scoring.reference import DAY, start_of

START = start_of(TODAY)
LONG = settings(deadline=None, max_examples=60)


def next_band_of(
    signals: list[CountedSignal], by: Policy, able: dict[str, Senders] | None = None
) -> NextBand:
    """What there is to say of the next band."""
    explanation = explain_score(signals, by, TODAY, able)
    assert explanation
    assert explanation.next_band
    return explanation.next_band


@given(by=policies(), signals=people)
@LONG
def test_every_way_reaches_the_band(by: Policy, signals: list[CountedSignal]) -> None:
    """By the engine and by the reference, with the signals really there, and in whole units."""
    explanation = explain_score(signals, by, TODAY, ABLE)
    assume(explanation)
    assert explanation
    for way in explanation.next_band.plans if explanation.next_band else ():
        assert explanation.next_band
        after = explain_score([*signals, *added(way)], by, TODAY)
        assert after
        assert after.score.points >= explanation.next_band.start
        assert reference_total([*signals, *added(way)], by) == round(after.score.points * 100)
        for step in way.steps:
            assert step.units == sum(place.units for place in step.partners) > 0
            assert step.kind != RETURNS


@given(by=policies(), signals=people)
@LONG
def test_nothing_cheaper_reaches_the_band(by: Policy, signals: list[CountedSignal]) -> None:
    """Of all that could be done with three units of each kind at anybody, tried one by one."""
    explanation = explain_score(signals, by, TODAY, ABLE)
    assume(explanation)
    assert explanation
    if not explanation.next_band:
        return
    target = round(explanation.next_band.start * 100)
    enough = [
        effort
        for effort, more in everything(by, 3)
        if (reference_total([*signals, *more], by) or 0) >= target
    ]
    least = explanation.next_band.plans[0].effort if explanation.next_band.plans else math.inf
    assert least <= min(enough, default=math.inf) + 1e-9


@given(
    stairs=st.lists(
        st.lists(st.tuples(st.integers(1, 30), st.integers(1, 9)), min_size=1, max_size=4), max_size=3
    ),
    missing=st.integers(1, 60),
)
def test_the_cheapest_of_all_combinations_is_found(stairs: list[list[tuple[int, int]]], missing: int) -> None:
    """Of every combination of steps, tried one by one."""
    rising = [
        [
            (sum(add for add, _ in steps[: at + 1]), float(sum(cost for _, cost in steps[: at + 1])))
            for at in range(len(steps))
        ]
        for steps in stairs
    ]
    options: list[tuple[int, float]] = [(0, 0.0)]
    for steps in rising:
        options = [(a + b, c + d) for a, c in options for b, d in [(0, 0.0), *steps]]
    least = min((cost for reached, cost in options if reached >= missing), default=None)
    picks = find_cheapest(rising, missing)
    if picks is None:
        assert least is None
    else:
        chosen = [steps[at - 1] for steps, at in zip(rising, picks, strict=True) if at]
        assert sum(reached for reached, _ in chosen) >= missing
        assert sum(cost for _, cost in chosen) == least


def test_the_option_names_its_partner_and_its_points() -> None:
    """40 points are missing, at 4 each: ten orders, at the partner that sends them already."""
    by = policy(weighting(effort=1.0), LOWERING, bands=(Band("low", 350.0), Band("good", 594.0)))
    (way,) = next_band_of([order()], by).plans
    (step,) = way.steps
    assert (step.kind, step.reason, step.units, step.points) == (ORDERS, "Orders that you kept", 10, 40.0)
    assert step.partners == (PartnerUnits("one", 10),)
    assert way.effort == 10.0


def test_where_one_partner_is_full_the_rest_is_done_at_another() -> None:
    """At most 60 from one partner, which gives 56 already: one order there and three at a new one."""
    by = policy(weighting(effort=1.0), bands=(Band("low", 350.0), Band("good", 620.0)))
    able = {ORDERS: Senders(("one",), further=1)}
    (way,) = next_band_of([order(14.0)], by, able).plans
    assert way.steps[0].partners == (PartnerUnits("one", 1), PartnerUnits("", 3))
    assert not next_band_of([order(14.0)], by, {ORDERS: Senders(("one",))}).plans


def test_where_one_kind_is_capped_another_goes_with_it() -> None:
    """The one of most points for its effort first, and no unit too many."""
    orders = weighting(effort=1.0, cap=20.0)
    months = weighting(kind="retail.customer.tenure", weight=2.0, effort=3.0)
    by = policy(orders, months, bands=(Band("low", 350.0), Band("good", 575.0)))
    able = {ORDERS: Senders(further=1), months.kind.name: Senders(further=1)}
    way, months_alone = next_band_of([order(0.0)], by, able).plans
    assert [step.units for step in months_alone.steps] == [13]
    assert [(step.kind, step.units) for step in way.steps] == [(ORDERS, 5), (months.kind.name, 3)]
    assert way.effort == 5 + 9


def test_money_is_exact_to_the_unit_however_much_it_takes() -> None:
    """A hundredth of a point a pound, 43.21 points missing."""
    spend = weighting(
        kind=SPEND, observation="order_spend", currency="GBP", weight=0.01, effort=0.5, partner_cap=100.0
    )
    by = policy(spend, bands=(Band("low", 350.0), Band("good", 593.21)))
    (way,) = next_band_of([order(0.0, kind=SPEND)], by).plans
    assert (way.steps[0].units, way.steps[0].unit, way.steps[0].hundredths) == (4_321, "GBP", 4_321)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(weighting(), id="nothing that can be done about it"),
        pytest.param(weighting(effort=1.0, weight=-4.0), id="more of it takes points"),
        pytest.param(weighting(effort=1.0, floor=-10.0), id="more of it may take points"),
        pytest.param(weighting(effort=1.0, cap=0.0), id="it cannot lift"),
        pytest.param(weighting(effort=1.0, cap=49.99), id="it does not lift far enough"),
        pytest.param(weighting(effort=1.0, weight=0.00001), id="an unreachable amount"),
        pytest.param(weighting(effort=1.0, weight=0.0), id="it is worth nothing"),
    ],
)
def test_what_a_person_cannot_do_is_never_suggested(kind: Weighting) -> None:
    """And then nothing is: no way, and no waiting."""
    by = policy(weighting(kind="retail.customer.tenure", weight=0.0), kind)
    explanation = next_band_of([order(0.0, kind="retail.customer.tenure")], by)
    assert explanation.plans == ()
    assert (explanation.waiting.reached_on, explanation.waiting.searched_until) == (None, None)


def test_a_kind_without_a_sender_is_never_suggested() -> None:
    """No partner may send it, and there is no other partner."""
    by = policy(weighting(effort=1.0, partner_cap=100.0))
    assert next_band_of([order()], by).plans
    assert not next_band_of([order()], by, {}).plans
    assert not next_band_of([order()], by, {ORDERS: Senders()}).plans


def test_in_the_highest_band_there_is_nothing_to_reach() -> None:
    """None, rather than a band that is not there."""
    explanation = explain_score(
        [order(50.0)], policy(weighting(effort=1.0), bands=(Band("all", 350.0),)), TODAY
    )
    assert explanation
    assert explanation.next_band is None


def test_what_the_range_hides_has_to_be_gained_as_well() -> None:
    """Twenty points below the end of the range are still to be made up for."""
    by = policy(
        weighting(effort=1.0, partner_cap=100.0),
        weighting(LOWERING, floor=-80.0),
        low=490.0,
        base=550.0,
        bands=(Band("low", 490.0), Band("good", 510.0)),
    )
    lost = [CountedSignal(partner, RETURNS, 40.0, START) for partner in ("one", "two")]
    explanation = next_band_of(lost, by)
    assert explanation.missing_points == 40.0
    assert explanation.plans[0].steps[0].units == 10


def test_explaining_five_hundred_signals_takes_no_more_than_a_blink() -> None:
    """With every kind open to be done, and returns to wait for; the best of five."""
    retail = load_policy(Path(__file__).parents[3] / "examples" / "policies" / "retail.toml")
    open_to_all = evolve(
        retail, weightings=tuple(evolve(one, effort=1.0) for one in retail.weightings), digest=""
    )
    draw = random.Random(7)  # noqa: S311 - a seeded sample, no secret
    kinds = [one.kind.name for one in retail.weightings]
    signals = [
        CountedSignal(
            f"https://{draw.randrange(3)}.example",
            draw.choice(kinds),
            2 * draw.random(),
            START - draw.randrange(1500) * DAY,
        )
        for _ in range(500)
    ]
    assert min(_seconds(signals, open_to_all) for _ in range(5)) < 0.05


def _seconds(signals: list[CountedSignal], by: Policy) -> float:
    begun = process_time()
    assert explain_score(signals, by, TODAY)
    return process_time() - begun
