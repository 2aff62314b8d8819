"""From rows to scores with reasons that add up."""

from attrs import evolve
from hypothesis import given, settings

from sesame_sdk.model.policy import Band, Policy
from sesame_sdk.model.score import Contribution
from sesame_sdk.scoring.explain import scores
from tests.guard.builders import weighting
from tests.scoring.engines import TODAY, in_sqlite
from tests.scoring.reference import Counted
from tests.scoring.strategies import policies, some_signals
from tests.scoring.test_scorecard import PLAIN

BANDED = evolve(PLAIN, bands=(Band("ordinary", 350.0), Band("good", 600.0)), digest="digest")
KIND = PLAIN.weightings[0].kind.name


def test_a_score_says_what_it_is_made_of() -> None:
    """Points, band, day, policy, base, and a reason in the policy's words."""
    found = scores([("ada", KIND, 5_000), ("ada", "", 60_000)], BANDED, TODAY)["ada"]
    assert (found.points, found.band, found.as_of) == (600.0, "good", TODAY)
    assert (found.policy, found.base) == ("digest", 550.0)
    assert found.contributions == (Contribution(KIND, 5_000, "Spend"),)


def test_a_hundredth_below_the_band_is_below_it() -> None:
    """Bands begin at their first point exactly."""
    assert scores([("ada", "", 59_999)], BANDED, TODAY)["ada"].band == "ordinary"


def test_what_the_range_cuts_off_is_a_reason_of_its_own() -> None:
    """At either end, so that the reasons add up to the score."""
    narrow = evolve(PLAIN, low=540.0, high=560.0, bands=(Band("all", 540.0),))
    up = scores([("ada", KIND, 3_000), ("ada", "", 56_000)], narrow, TODAY)["ada"]
    assert up.contributions == (
        Contribution(KIND, 3_000, "Spend"),
        Contribution("", -2_000, "The score does not go above 560"),
    )
    down = scores([("ada", "", 54_000), ("ada", KIND, -3_000)], narrow, TODAY)["ada"]
    assert down.contributions[1] == Contribution("", 2_000, "The score does not go below 540")


def test_biggest_effects_come_first_whichever_way_they_go() -> None:
    """In any order of rows; equal ones by name."""
    kinds = ("retail.a.a", "retail.b.b", "retail.c.c", "retail.d.d")
    weighed = tuple(weighting(PLAIN.weightings[0], kind=kind) for kind in kinds)
    policy = evolve(PLAIN, weightings=weighed)
    rows = [
        ("ada", "retail.d.d", 10),
        ("ada", "", 54_920),
        ("ada", "retail.b.b", 10),
        ("ada", "retail.c.c", -100),
    ]
    found = scores([*rows, ("ada", "retail.a.a", 0)], policy, TODAY)["ada"]
    assert [part.kind for part in found.contributions] == [
        "retail.c.c",
        "retail.b.b",
        "retail.d.d",
        "retail.a.a",
    ]


def test_without_reasons_there_are_none() -> None:
    """For a reader, who needs none of them."""
    found = scores([("ada", KIND, 5_000), ("ada", "", 60_000)], PLAIN, TODAY, reasons=False)
    assert found["ada"].contributions == ()
    assert found["ada"].points == 600.0


def test_nobody_has_a_score_without_rows() -> None:
    """Who is not there has no score, which is not a low one."""
    assert scores([], PLAIN, TODAY) == {}


@given(policy=policies(), counted=some_signals)
@settings(deadline=None)
def test_any_score_can_be_explained(policy: Policy, counted: list[Counted]) -> None:
    """Base and reasons add up exactly, the points lie in the range, and reasons change no points."""
    found = in_sqlite(counted, policy)
    rows = [(subject, kind, hundredths) for (subject, kind), hundredths in found.items()]
    explained = scores(rows, policy, TODAY)
    bare = scores(rows, policy, TODAY, reasons=False)
    assert explained.keys() == bare.keys()
    for subject, score in explained.items():
        parts = sum(part.hundredths for part in score.contributions)
        assert round(policy.base * 100) + parts == round(score.points * 100)
        assert policy.low <= score.points <= policy.high
        assert score.points == bare[subject].points
