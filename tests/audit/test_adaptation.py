"""Conformity loss: nothing where nothing leaks, and the more the more does."""

import numpy as np
import pytest

from sesame_sdk.audit.audit import audit
from sesame_sdk.audit.metrics.measurement import Measurement, Verdict
from sesame_sdk.audit.simulation.population import Leak, Market
from sesame_sdk.audit.simulation.simulate import OPTIONS, TOPICS, adapt_choices, simulate
from tests.audit.policies import crowd, leaking, shop


def loss(leak: Leak, **settings: float) -> Measurement:
    """CNF-2 of the shop's policy."""
    report = audit(shop(), crowd(2000, leak=leak, **settings))
    assert report.simulation
    return next(each for each in report.simulation.metrics if each.id == "CNF-2")


def test_without_a_leak_no_choice_changes() -> None:
    """Not by a hair: the policy has nothing to press with."""
    assert loss(leaking(0.0)).value == 0.0


def test_the_more_leaks_the_more_variety_is_lost() -> None:
    """First watched, then warned of, then refused."""
    result = [loss(leaking(amount)) for amount in (0.0, 0.1, 0.2, 0.6)]
    values = [each.value for each in result]
    assert values == sorted(values)
    assert [each.verdict for each in result[1:]] == [Verdict.CLEAN, Verdict.WARN, Verdict.REFUSE]


def test_only_the_choice_that_leaks_narrows_and_the_worst_counts() -> None:
    """Two free choices do not make up for one that is not."""
    result = loss(Leak(goods=0.6))
    rows = {row.label: row.value for row in result.rows}
    assert rows == {"what to write about": 0.0, "where goods come from": result.value, "whom to meet": 0.0}
    assert result.verdict is Verdict.REFUSE


@pytest.mark.parametrize("rationality", [0.0, 10.0, 100.0])
def test_the_more_people_answer_to_points_the_more_is_lost(rationality: float) -> None:
    """Who does not care for points keeps choosing as before, whatever leaks."""
    less, more = (loss(leaking(0.3), rationality=each).value for each in (rationality, rationality + 50))
    assert less is not None
    assert more is not None
    assert less < more
    assert (less == 0) == (rationality == 0)


def test_options_are_nameless_and_shares_are_shares() -> None:
    """Three topics of four options each; before, all are alike."""
    report = audit(shop(), crowd(2000, leak=leaking(0.4)))
    assert report.simulation
    for choice, topic in zip(report.simulation.choices, TOPICS.values(), strict=True):
        assert choice.topic == topic
        assert choice.options == OPTIONS == ("option 1", "option 2", "option 3", "option 4")
        assert choice.before == (0.25, 0.25, 0.25, 0.25)
        assert sum(choice.after) == pytest.approx(1)
        assert list(choice.after) == sorted(choice.after)


def test_people_without_a_score_do_not_adapt() -> None:
    """With few who take part, the whole changes little."""
    few = simulate(crowd(2000, leak=leaking(1.0), markets=(Market(adoption=0.05),)), [shop()])
    many = simulate(crowd(2000, leak=leaking(1.0), markets=(Market(adoption=1.0),)), [shop()])
    moved = [
        np.abs(np.array(each.after) - 0.25).max() for each in (adapt_choices(few)[0], adapt_choices(many)[0])
    ]
    assert moved[0] == pytest.approx(0.05 * moved[1], rel=0.6)
