"""The whole audit: what it refuses, what it warns of, and that it says the same twice."""

import json
import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from attrs import evolve, frozen

from sesame_sdk.audit.audit import audit, report_refusal, sort_refusals_first
from sesame_sdk.audit.metrics.definitions import METRICS
from sesame_sdk.audit.metrics.impact_ratio import select_by_effect
from sesame_sdk.audit.metrics.measurement import Measurement, Verdict
from sesame_sdk.audit.report.json_report import build_json
from sesame_sdk.audit.report.model import Report
from sesame_sdk.audit.simulation.population import Group
from sesame_sdk.audit.simulation.simulate import simulate
from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.codec import encode
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.terms import Terms
from sesame_sdk.scoring.policy_file import load_policy
from tests.audit.policies import BENEFIT, ORDERS, RETURNED, SPEND, TENURE, crowd, money, shop, tied

POLICIES = Path(__file__).parents[2] / "examples" / "policies"
REVIEW = """
[[bands]]
name = "fair"
from = 548

[[effects]]
effect = "free_express_delivery"
from = "good"

[[effects]]
effect = "refund_review"
below = "fair"
"""
RARE = """
[[bands]]
name = "excellent"
from = 900

[[effects]]
effect = "gift"
from = "excellent"
"""


def metric(report: Report, name: str) -> Measurement:
    """One of the report's metrics."""
    assert report.simulation
    return next(each for each in report.simulation.metrics if each.id == name)


def test_people_who_do_not_differ_are_treated_alike() -> None:
    """A policy within its bounds has no findings."""
    report = audit(shop(), crowd(10_000))
    assert report.findings == ()
    assert report.verdict is Verdict.CLEAN
    assert {each.verdict for each in report.simulation.metrics} == {Verdict.CLEAN}  # type: ignore[union-attr]


def test_every_metric_of_the_catalogue_is_there_once_in_its_order() -> None:
    """None is left out because it would be unwelcome."""
    report = audit(shop(), crowd(1000))
    assert report.simulation
    assert [each.metric for each in report.simulation.metrics] == list(METRICS)


@pytest.mark.parametrize(
    ("r", "verdict", "action"),
    [(0.0, Verdict.CLEAN, None), (0.3, Verdict.WARN, Action.WARN), (0.7, Verdict.REFUSE, Action.REFUSE)],
)
def test_a_policy_that_pays_for_money_is_warned_of_then_refused_as_incomes_part(
    r: float, verdict: Verdict, action: Action | None
) -> None:
    """The impact ratio falls below 0.80, then below 0.60."""
    report = audit(money(), crowd(10_000, correlation=tied(income=r)))
    assert metric(report, "DIS-1").verdict is verdict
    actual = [each for each in report.findings if each.rule == "DIS-1"]
    assert [each.action for each in actual] == ([action] if action else [])
    assert report.refused == (action is Action.REFUSE)


def test_a_group_with_less_income_gets_less_for_spending_and_not_for_orders() -> None:
    """The caller's correlation shows in the kind that it bears on, and there alone."""
    population = crowd(10_000, correlation=tied(income=0.5))
    report = audit(shop(SPEND, spend=0.05), population)
    medians = report.simulation.distribution.medians  # type: ignore[union-attr]
    assert medians["group A"] > medians["group B"] + 5
    medians = audit(shop(ORDERS), population).simulation.distribution.medians  # type: ignore[union-attr]
    assert medians["group A"] == pytest.approx(medians["group B"], abs=0.5)


def test_less_engagement_of_a_group_shows_in_exposure_and_burden() -> None:
    """Exposure falls, the top holds too few, and the qualified pay more."""
    report = audit(shop(ORDERS), crowd(10_000, correlation=tied(engagement=0.8)))
    even = audit(shop(ORDERS), crowd(10_000))
    assert metric(report, "EXPO-1").value < metric(even, "EXPO-1").value  # type: ignore[operator]
    assert metric(report, "FAIR-1").verdict is Verdict.WARN
    assert metric(report, "BRD-1").verdict is Verdict.WARN


@frozen
class NotVersion(GuardRule):
    """A further rule, as a plugin may bring one."""

    version: int
    id = "NVR-1"
    source = "a test"
    dated = date(2026, 11, 1)

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse one version."""
        if policy.version == self.version:
            yield self.refuse(f"policy {policy.name}", "it is refused", "load another")


def test_what_the_guard_refuses_is_not_played() -> None:
    """The report holds the findings and nothing else."""
    guard = Guard([NotVersion(1)])
    report = audit(shop(), crowd(), guard=guard, progress=lambda *_: pytest.fail("it was result"))
    assert [each.rule for each in report.findings] == ["NVR-1"]
    assert (report.policy, report.simulation, report.change) == (None, None, None)
    assert report.refused


def test_an_older_policy_that_the_guard_refuses_is_not_played_either() -> None:
    """What was once loaded may be refused today."""
    old = shop(old="version = 1", new="version = 3")
    with pytest.raises(GuardRefusedError, match="NVR-1"):
        audit(shop(), crowd(), baseline=old, guard=Guard([NotVersion(3)]))


def test_a_refused_file_makes_a_report_of_its_findings() -> None:
    """By the name of the file, with the guard's own words."""
    path = POLICIES / "refused" / "punishes_opinions.toml"
    with pytest.raises(GuardRefusedError) as error:
        load_policy(path)
    report = report_refusal("bad.toml", error.value)
    assert {each.rule for each in report.findings} == {"POL-1"}
    assert report.refused
    assert report.simulation is None


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        pytest.param("partner_cap = 30", "partner_cap = 60", "PTN-1", id="a partner that can do much"),
        pytest.param(
            "floor = -60\npartner_cap = 30",
            "floor = -60\npartner_cap = 40",
            "VOL-1",
            id="an event that takes much",
        ),
        pytest.param("cap = 90", "cap = 90\nexpires_days = 30000", "DATA-1", id="a kind kept without end"),
    ],
)
def test_a_policy_past_a_bound_is_warned_of_by_the_metric_that_it_passes(
    old: str, new: str, rule: str
) -> None:
    """Each gives one finding that names the kind or purpose and has a hint."""
    report = audit(shop(old=old, new=new), crowd(1000))
    actual = [each for each in report.findings if each.rule == rule]
    assert [each.action for each in actual] == [Action.WARN]
    assert actual[0].about == "policy shop"
    assert actual[0].hint
    assert report.verdict is Verdict.WARN


def test_a_fall_is_at_worst_all_that_one_partner_may_take() -> None:
    """What lowers never gives, so that no event takes anything back."""
    report = audit(shop(RETURNED, ORDERS), crowd(1000))
    assert metric(report, "VOL-1").value == pytest.approx(30 / 600)


def test_a_policy_without_efforts_has_no_burden_to_measure() -> None:
    """And says so, instead of calling it clean."""
    burden = metric(audit(shop(TENURE), crowd(1000)), "BRD-1")
    assert burden.verdict is Verdict.UNMEASURED
    assert "effort" in burden.note


def test_findings_have_refusals_first() -> None:
    """The order of rows does not change the result."""
    report = audit(
        shop(SPEND, spend=0.1, good=590, old="partner_cap = 30", new="partner_cap = 100"),
        crowd(10_000, correlation=tied(income=0.9)),
    )
    actions = [each.action for each in report.findings]
    assert actions[0] is Action.REFUSE
    assert Action.WARN in actions
    assert report.findings == sort_refusals_first(report.findings)


def test_equal_audits_give_equal_bytes_whatever_the_threads() -> None:
    """And another seed gives others."""
    output = [
        encode(build_json(audit(shop(), crowd(21_000, seed=seed), baseline=shop(orders=2), threads=threads)))
        for seed, threads in ((1, 1), (1, 2), (2, 2))
    ]
    assert output[0] == output[1] != output[2]


def test_the_document_is_json_without_nan_or_infinity() -> None:
    """With each verdict beside its value; of policies it has what they are known by."""
    output = build_json(audit(shop(), crowd(1000), baseline=shop(spend=0.05)))
    text = json.dumps(output, allow_nan=False)
    assert json.loads(text) == output
    assert output["policy"]["digest"] == shop().digest
    assert output["change"]["old_policy"]["digest"] == shop(spend=0.05).digest
    measured = output["simulation"]["metrics"]
    assert all(each["verdict"] in set(Verdict) for each in measured)
    assert all(each["value"] is None or math.isfinite(each["value"]) for each in measured)


def test_the_document_of_a_refused_policy_holds_nothing_but_findings() -> None:
    """No policy, no simulation, no change."""
    with pytest.raises(GuardRefusedError) as error:
        load_policy(POLICIES / "refused" / "punishes_opinions.toml")
    output = build_json(report_refusal("bad.toml", error.value))
    assert (output["policy"], output["simulation"], output["change"]) == (None, None, None)
    assert output["verdict"] == "refuse"
    assert len(output["findings"]) == 2


def test_an_adverse_effect_is_compared_by_the_people_it_spares() -> None:
    """Every person without a score is spared: no score is never a low score."""
    both = 'purposes = ["https://w3id.org/dpv#CustomerCare", '
    policy = shop(ORDERS, RETURNED, old=BENEFIT, new=REVIEW, both=both)
    population = crowd(10_000, correlation=tied(reliability=1.0))
    result = simulate(population, [policy])
    selected = select_by_effect(result)
    name = "spared by: A person looks at large refunds before they are paid"
    spared = selected[name]
    assert list(selected) == ["reached by: Free express delivery", name]
    scored = result.scores[0]
    assert spared[~scored.has_score].all()
    assert (spared == (~scored.has_score | (scored.points >= 548))).all()
    actual = metric(audit(policy, population), "DIS-1")
    assert actual.note.startswith("spared by: ")
    assert actual.worst_row.label == "group B"  # type: ignore[union-attr]


def test_without_effects_the_bands_above_the_base_are_compared() -> None:
    """Each is measured by itself, and the worst is reported."""
    bare = evolve(shop(), terms=Terms())
    result = simulate(crowd(1000), [bare])
    assert list(select_by_effect(result)) == ["reached: the band known", "reached: the band good"]


def test_an_effect_on_too_few_people_is_not_compared() -> None:
    """Nothing is concluded from a handful, and nothing is hidden."""
    rare = shop(old=BENEFIT, new=BENEFIT + RARE)
    actual = metric(audit(rare, crowd(10_000)), "DIS-1")
    assert actual.note == "reached by: Free express delivery. 1 of 2 not compared: they reach too few people"
    groups = (Group("group A", 0.5), Group("group B", 0.495), Group("group C", 0.005))
    small = metric(audit(shop(), crowd(10_000, groups=groups)), "DIS-1")
    assert [row.value is None for row in small.rows] == [False, False, True]
    assert "people are shown and not compared" in small.note
    unscored = audit(shop(good=900), crowd(1000))
    assert metric(unscored, "DIS-1").verdict is Verdict.UNMEASURED


@pytest.mark.parametrize("name", ["retail", "community", "matchmaking"])
def test_the_example_policies_are_clean_with_the_default_people(name: str) -> None:
    """They are what operators begin from."""
    report = audit(load_policy(POLICIES / f"{name}.toml"))
    assert report.findings == ()
    assert report.simulation
    assert {each.verdict for each in report.simulation.metrics} == {Verdict.CLEAN}
