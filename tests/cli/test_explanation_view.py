"""``sesame explain``: reasons against first, what would have to change, and estimates that say so."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sesame_sdk.cli.explanation_view import print_explanation
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import create_hub
from sesame_sdk.model.policy import Band
from sesame_sdk.scoring.engines import CountedSignal
from sesame_sdk.scoring.explain import explain_score
from sesame_sdk.scoring.policy_file import load_policy
from sesame_sdk.scoring.recourse.search import Senders
from tests.cli.conftest import POLICIES, Run, data
from tests.guard.builders import LOWERING, policy, weighting
from tests.hub.fixtures import HUB, LONG_AGO, Partner
from tests.scoring.engines import TODAY
from tests.scoring.reference import start_of

START = start_of(TODAY)
EXPLAIN = ("explain", "dee", "--context", "retail", "--hub")


@pytest.fixture(scope="module")
def hub_of_dee(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a hub that stands at a day; dee kept an order there, at the shop."""
    path = create_hub(tmp_path_factory.mktemp("dee") / "hub", issuer=HUB, as_of=TODAY).path
    retail = load_policy(POLICIES / "retail.toml")
    kinds = [one.kind for one in retail.weightings]
    with Hub.open(path) as hub:
        shop = Partner.join("https://shop.example", hub, timestamps.utc_now, *kinds)
        hub.set_policy(retail)
        hub.add_grants(shop.grants("dee", *(one.name for one in kinds), given_at=LONG_AGO))
        kept = shop.signal("dee", "1", "retail.order.completed", at=datetime(2026, 5, 1, tzinfo=UTC))
        spent = shop.signal("dee", "2", "retail.order.spend", 25.0, at=datetime(2026, 5, 1, tzinfo=UTC))
        assert shop.send(kept, spent).accepted == 2
    return path


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> pytest.CaptureFixture[str]:
    """What is printed, on a line of any width."""
    monkeypatch.delenv("COLUMNS", raising=False)
    return capsys


def order(value: float = 1.0, kind: str = "retail.order.completed") -> CountedSignal:
    """A signal of today."""
    return CountedSignal("https://shop.example", kind, value, START)


def test_the_way_to_the_next_band_is_a_sentence(shown: pytest.CaptureFixture[str]) -> None:
    """What, how many, where, for how many points; or until when to wait."""
    losing = weighting(LOWERING, weight=-14.0, half_life_days=None, expires_days=247.0)
    by = policy(weighting(effort=1.0), losing, bands=(Band("low", 350.0), Band("good", 552.0)))
    explanation = explain_score([order(), order(1.0, LOWERING.kind.name)], by, TODAY)
    assert explanation
    print_explanation("ada", explanation)
    out = shown.readouterr().out
    assert (
        "To reach 'good' (12 points away): 3 more of 'Orders that you kept' at https://shop.example "
        "(12 points), or wait until 2027-02-04." in out
    )
    assert "Orders that you kept: 4 points each, 100 at most, at most 60 from any one partner." in out
    assert "https://shop.example/disputes" in out


def test_reasons_against_come_first_and_four_of_them(shown: pytest.CaptureFixture[str]) -> None:
    """The rest is one line, and what is shown adds up to the score."""
    kinds = [f"retail.lost.{letter}" for letter in "abcdef"]
    lost = [
        weighting(LOWERING, kind=kind, weight=-float(at), code=f"L{at}")
        for at, kind in enumerate(kinds, start=1)
    ]
    by = policy(*lost, weighting())
    explanation = explain_score([order(), *(order(kind=kind) for kind in kinds)], by, TODAY)
    assert explanation
    print_explanation("ada", explanation)
    out = shown.readouterr().out
    assert re.findall(r"\bL\d\b", out) == ["L6", "L5", "L4", "L3"]
    assert "2 more, each with a smaller effect" in out
    amounts = [float(each) for each in re.findall(r"^\s*(-?\d+\.\d+)\t", out, re.MULTILINE)]
    assert sum(amounts[:-1]) == pytest.approx(amounts[-1])


def test_a_score_without_adverse_reasons_says_so(shown: pytest.CaptureFixture[str]) -> None:
    """And that nothing they can do reaches the next band, where that is so."""
    explanation = explain_score([order()], policy(weighting()), TODAY)
    assert explanation
    print_explanation("ada", explanation)
    out = shown.readouterr().out
    assert "Nothing takes points away." in out
    assert "nothing that you can do alone reaches it today, nor does waiting." in out


def test_the_highest_band_is_called_that(shown: pytest.CaptureFixture[str]) -> None:
    """There is nothing to reach."""
    explanation = explain_score([order(20.0)], policy(weighting()), TODAY)
    assert explanation
    print_explanation("ada", explanation)
    assert "'good' is the highest band." in shown.readouterr().out


def test_money_and_new_partners_are_named_as_such(shown: pytest.CaptureFixture[str]) -> None:
    """An amount in its currency, at a partner who has no name yet."""
    by = policy(weighting(observation="order_spend", currency="GBP", weight=0.02, effort=1.0))
    able = {"retail.order.completed": Senders(further=1)}
    explanation = explain_score([order(0.0)], by, TODAY, able)
    assert explanation
    print_explanation("ada", explanation)
    assert (
        "GBP 2,500 more of 'What you spent on orders that you kept' at a partner new to you (50 points)."
        in shown.readouterr().out
    )


def test_colours_mean_taken_and_given(
    shown: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost points are red and gained points are green; without colour support there are no colours."""
    explanation = explain_score([order(), order(kind=LOWERING.kind.name)], policy(), TODAY)
    assert explanation
    print_explanation("ada", explanation)
    assert "\x1b" not in shown.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    print_explanation("ada", explanation)
    out = shown.readouterr().out
    assert re.search(r"\x1b\[31m *-1\.00", out)
    assert re.search(r"\x1b\[32m *4\.00", out)


def test_an_estimate_says_that_it_is_one(hub_of_dee: Path, run: Run) -> None:
    """Two more orders; the score itself stays."""
    before = data(run(*EXPLAIN, hub_of_dee, "--json").out)
    done = run(
        *EXPLAIN, hub_of_dee, "--what-if", "retail.order.completed=1", "--what-if", "retail.order.completed=1"
    )
    assert done.code == 0
    assert "This is an estimate" in done.out
    asked = (*EXPLAIN, hub_of_dee, "--what-if", "retail.order.completed=2", "--json")
    estimate = data(run(*asked).out)["estimate"]
    assert estimate["is_estimate"] is True
    assert estimate["score"]["points"] == round(before["score"]["points"] + 8, 2)
    assert data(run(*EXPLAIN, hub_of_dee, "--json").out) == before


def test_reasons_are_shown_in_the_language_of_the_person(hub_of_dee: Path, run: Run) -> None:
    """The words of the catalogue, in the table, in steps and as JSON; the amounts are the same."""
    english, chinese = (
        data(run(*EXPLAIN, hub_of_dee, "--language", language, "--json").out) for language in ("en", "zh")
    )
    assert {part["reason"] for part in chinese["positive"]} == {"您保留的订单", "您在保留的订单上的消费"}
    assert [part["hundredths"] for part in chinese["positive"]] == [
        part["hundredths"] for part in english["positive"]
    ]
    (step, *_) = chinese["next_band"]["plans"][0]["steps"]
    assert step["reason"] in {"您保留的订单", "您在保留的订单上的消费"}
    assert "您保留的订单" in run(*EXPLAIN, hub_of_dee, "--language", "zh").out


def test_json_has_the_whole_explanation(hub_of_dee: Path, run: Run) -> None:
    """The JSON output has the score as before and the details of the explanation."""
    document = data(run(*EXPLAIN, hub_of_dee, "--json").out)
    assert document["person"] == "dee"
    assert document["adverse"] == []
    assert {part["kind"] for part in document["positive"]} >= {"retail.order.completed", "retail.order.spend"}
    assert document["next_band"]["name"] == "good"
    assert document["disputes"] == "https://shop.example/disputes"
    assert len(document["policy_text"]) == 5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("retail.order.completed", "--what-if: is not KIND=VALUE"),
        ("retail.order.completed=lots", "--what-if: is not KIND=VALUE"),
        ("retail.order.completed=nan", "--what-if value: must be finite"),
        ("orders=1", "--what-if kind: has an invalid format"),
        ("retail.order.completed=-1", "value: retail.order.completed must not be negative"),
        ("retail.order.other=1", "kind: retail.order.other is not a kind of the policy retail-privileges"),
    ],
)
def test_what_cannot_be_estimated_is_rejected(hub_of_dee: Path, run: Run, asked: str, message: str) -> None:
    """Exit code 4, one line, and nothing printed as data."""
    done = run(*EXPLAIN, hub_of_dee, "--what-if", asked)
    assert (done.code, done.out) == (4, "")
    assert message in done.err
    assert done.err.count("\n") == 1
