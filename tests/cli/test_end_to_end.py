"""The way of a signal, typed: post, score, explain, rank, withdraw."""

import pytest

from examples.shell_helpers import Workspace
from sesame_sdk import PartnerConfig
from tests.cli.conftest import BAIHE, RANKING, SHOP, agree, data
from tests.commands import run_sesame

pytestmark = pytest.mark.long

# One order of 30.00 thirty-one days before the day, 12.50 taken back, one month.
COMPLETED = 4 * 0.5 ** (30.583333 / 365)


@pytest.fixture(scope="module")
def posted(workspace: Workspace) -> Workspace:
    """Ada agreed, ben did not, and the shop posted."""
    agree(workspace, "ada")
    workspace.sesame("post", "orders.csv", "--config", "shop", "--provider", "retail")
    return workspace


def test_a_second_post_of_the_same_file_counts_nothing_twice(posted: Workspace) -> None:
    """And says what became of every signal and every line that stayed."""
    done = data(posted.sesame("post", "orders.csv", "--config", "shop", "--provider", "retail", "--json"))
    assert done["events"] == 4
    assert done["signals"] == {
        "retail.order.completed": 2,
        "retail.order.spend": 2,
        "retail.order.returned": 1,
        "retail.customer.tenure": 2,
    }
    assert done["skipped"] == {"no customer": {"items": 1, "records": 1, "amount": "12.50"}}
    assert (done["accepted"], done["duplicates"]) == (0, 4)
    assert done["dropped"] == {"no_grant": 3}


def test_explain_adds_up_and_names_each_reason(posted: Workspace) -> None:
    """Base and contributions are the score, to the hundredth."""
    score = data(posted.sesame("explain", "ada", "--context", "retail", "--hub", "hub", "--json"))["score"]
    parts = {part["kind"]: part["hundredths"] for part in score["contributions"]}
    assert set(parts) == {
        "retail.order.completed",
        "retail.order.spend",
        "retail.order.returned",
        "retail.customer.tenure",
    }
    assert round(score["points"] * 100) == round(score["base"] * 100) + sum(parts.values())
    assert parts["retail.order.completed"] == round(COMPLETED * 100)
    assert parts["retail.order.returned"] < 0


def test_a_person_who_did_not_agree_has_no_score_and_that_is_no_error(posted: Workspace) -> None:
    """No score is a full answer."""
    done = run_sesame(posted.folder, "explain", "ben", "--context", "retail", "--hub", "hub")
    assert done.returncode == 0
    assert "not a low score" in done.stderr


def test_a_reader_sees_points_and_band_and_no_reasons(posted: Workspace) -> None:
    """The reasons belong to the person; unknown people look like those who did not agree."""
    pseudonymizer = PartnerConfig.load(posted.folder / "baihe").pseudonymizer
    subjects = [pseudonymizer.pseudonym(person) for person in ("ada", "ben", "unknown")]
    reading = ("--config", "baihe", "--purpose", RANKING, "--context", "matchmaking", "--json")
    ada, ben, unknown = data(posted.sesame("score", *subjects, *reading))
    assert ada["points"] > 550
    assert {**ben, "subject": ""} == {**unknown, "subject": ""}
    assert ben["points"] is None


def test_each_read_is_there_for_the_person_to_see(posted: Workspace) -> None:
    """Who, why and when."""
    pseudonymizer = PartnerConfig.load(posted.folder / "baihe").pseudonymizer
    reading = ("--config", "baihe", "--purpose", RANKING, "--context", "matchmaking")
    before = data(posted.sesame("explain", "ada", "--context", "retail", "--hub", "hub", "--json"))["reads"]
    posted.sesame("score", pseudonymizer.pseudonym("ada"), *reading)
    after = data(posted.sesame("explain", "ada", "--context", "retail", "--hub", "hub", "--json"))["reads"]
    assert len(after) == len(before) + 1
    assert after[-1]["purpose"] == RANKING


def test_a_read_for_a_purpose_that_was_not_registered_is_refused(posted: Workspace) -> None:
    """Exit code 4, one line, and a hint."""
    care = "https://w3id.org/dpv#CustomerCare"
    done = run_sesame(
        posted.folder, *("score", "x", "--config", "baihe", "--purpose", care, "--context", "matchmaking")
    )
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "purpose" in done.stderr


def test_a_withdrawal_takes_effect_at_once(posted: Workspace) -> None:
    """The reader gets no score any more, and the shop's signals no longer count."""
    agree(posted, "ben")
    posted.sesame("post", "orders.csv", "--config", "shop", "--provider", "retail")
    reading = ("--config", "baihe", "--purpose", RANKING, "--context", "matchmaking", "--json")
    subject = PartnerConfig.load(posted.folder / "baihe").pseudonymizer.pseudonym("ben")
    assert data(posted.sesame("score", subject, *reading))[0]["points"] is not None
    posted.sesame("grants", "withdraw", "--person", "ben", "--partner", SHOP, "--hub", "hub")
    assert data(posted.sesame("score", subject, *reading))[0]["points"] is None
    posted.sesame("grants", "withdraw", "--person", "ben", "--partner", BAIHE, "--hub", "hub")
    rows = data(posted.sesame("grants", "list", "--person", "ben", "--hub", "hub", "--json"))
    assert [row["valid"] for row in rows] == [False, False]


def test_without_the_crossing_in_the_grant_nothing_from_the_shop_counts(posted: Workspace) -> None:
    """CTX-1: another context counts only where the grant to read names it."""
    agree(posted, "cy", crossing=None)
    (posted.folder / "cy.csv").write_text(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "2001,A,thing,2,2026-05-01 10:00:00,12.50,cy,Here\n"
    )
    posted.sesame("post", "cy.csv", "--config", "shop", "--provider", "retail")
    subject = PartnerConfig.load(posted.folder / "baihe").pseudonymizer.pseudonym("cy")
    reading = ("--config", "baihe", "--purpose", RANKING, "--context", "matchmaking", "--json")
    assert data(posted.sesame("score", subject, *reading))[0]["points"] is None
    assert data(posted.sesame("explain", "cy", "--context", "retail", "--hub", "hub", "--json"))["score"]
