"""What operators type when people use their rights, and a partner that fetches its notices."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sesame_sdk import PartnerConfig
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.signing.keys import KeyFile
from tests.cli.conftest import SHOP, Run, data
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, ORDER, Partner, manifest, policy, weighting
from tests.hub.process import free_port, serving

YESTERDAY = timestamps.utc_now() - timedelta(days=1)
WHY = ("--role", "disputes desk", "--reason", "the slip is genuine")


@pytest.fixture
def late(run: Run, tmp_path: Path) -> Iterator[str]:
    """The id of a signal of ada's, at a hub in ``hub`` that a shop in ``shop`` sends to."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    assert run("hub", "init", "hub", "--issuer", url).code == 0
    assert run("keys", "new", "shop", "--issuer", SHOP, "--hub-url", url).code == 0
    with Hub.open(tmp_path / "hub") as hub:
        key = PartnerConfig.load(tmp_path / "shop").signer
        assert isinstance(key, KeyFile)
        shop = Partner(SHOP, hub, timestamps.utc_now, key=key.current)
        hub.add_partner(SHOP, [key.public_jwk], not_before=YESTERDAY)
        shop.register(manifest(ORDERS, LATES))
        hub.set_policy(
            policy(weighting(ORDERS), weighting(LATES, weight=-7.0, floor=-60.0, expires_days=9.0))
        )
        hub.add_grants(shop.grants("ada", ORDER, LATE, given_at=YESTERDAY))
        signal = shop.signal("ada", "1", LATE, at=YESTERDAY)
        shop.send(signal, shop.signal("ada", "2", at=YESTERDAY))
    (tmp_path / "port").write_text(str(port))
    yield signal.id
    for left in tmp_path.glob("*.json"):
        assert left.stat().st_mode & 0o777 == 0o600


def test_a_dispute_from_its_opening_to_its_end(run: Run, late: str) -> None:
    """Each command says where it is, whether the signal counts, and what is to be done next by when."""
    opened = run("disputes", "open", "ada", late, "--partner", SHOP, "--reason", "I paid it", "--hub", "hub")
    assert (opened.code, opened.out) == (0, "")
    assert "dispute 1 is open; the signal does not count; next, by the end of" in opened.err
    again = run("disputes", "open", "ada", late, "--partner", SHOP, "--reason", "I did", "--hub", "hub")
    assert (again.code, "dispute 1 is open (see: sesame disputes show 1)" in again.err) == (4, True)
    (row,) = data(run("disputes", "list", "--hub", "hub", "--json").out)
    assert (row["deadline_status"], row["next"], row["signal"]) == ("open", "notify the source", late)
    assert data(run("disputes", "list", "--overdue", "--hub", "hub", "--json").out) == []
    assert "15" in run("disputes", "extend", "--help").out
    assert run("disputes", "extend", "1", *WHY, "--hub", "hub").code == 0
    assert "no disputes" in run("disputes", "list", "--person", "bob", "--hub", "hub").err
    assert "is upheld" in run("disputes", "decide", "1", "upheld", *WHY, "--hub", "hub").err
    done = run("disputes", "mark-notified", "1", "--role", "disputes desk", "--hub", "hub")
    assert "next, by the end of" in done.err
    assert run("disputes", "set-statement", "1", "Be kind", "--hub", "hub").code == 0
    too_long = run("disputes", "set-statement", "1", "word " * 101, "--hub", "hub")
    assert (too_long.code, "at most 100 words, not 101" in too_long.err) == (4, True)
    shown = run("disputes", "show", "1", "--hub", "hub")
    assert "the slip is genuine" in shown.out
    assert "the person's statement: Be kind" in shown.err
    (given,) = data(run("disputes", "list", "--hub", "hub", "--json").out)
    assert (given["state"], given["next"]) == ("upheld", "notify the source")


def test_a_review_ends_what_a_decision_did_not(run: Run, late: str) -> None:
    """The same role may not look at its own decision."""
    run("disputes", "open", "ada", late, "--partner", SHOP, "--reason", "I paid it", "--hub", "hub")
    assert "the signal counts" in run("disputes", "decide", "1", "rejected", *WHY, "--hub", "hub").err
    assert "does not count" in run("disputes", "request-review", "1", "--reason", "look", "--hub", "hub").err
    assert run("disputes", "review", "1", "confirmed", *WHY, "--hub", "hub").code == 4
    by = ("--role", "head of fairness", "--reason", "it is not")
    assert "is rejected" in run("disputes", "review", "1", "confirmed", *by, "--hub", "hub").err


def test_what_is_overdue_is_shown_in_red(
    run: Run, late: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And first; in colour where there are colours."""
    with Hub.open(tmp_path / "hub", clock=lambda: timestamps.utc_now() - timedelta(days=60)) as hub:
        hub.rights.open_dispute("ada", SHOP, late, "I paid it")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for words in (("disputes", "list"), ("disputes", "list", "--overdue"), ("notices", "list")):
        assert "\x1b[1;31moverdue" in run(*words, "--hub", "hub").out
    (row,) = data(run("notices", "list", "--hub", "hub", "--json").out)
    assert (row["deadline_status"], row["event"], row["notices"]) == ("overdue", "signal-disputed", 1)


def test_an_export_is_a_new_file_for_one_pair_of_eyes(run: Run, late: str, tmp_path: Path) -> None:
    """Nothing is overwritten, and what cannot be finished is not left."""
    assert run("people", "export", "ada", "--hub", "hub", "--output", "ada.json").code == 0
    whole = json.loads((tmp_path / "ada.json").read_text())
    assert late in {signal["id"] for signal in whole["signals"]}
    again = run("people", "export", "ada", "--hub", "hub", "--output", "ada.json")
    assert (again.code, "file already exists" in again.err) == (4, True)
    assert run("people", "export", "eve", "--hub", "hub", "--output", "eve.json").code == 4
    assert not (tmp_path / "eve.json").exists()
    assert run("people", "export", "ada", "--hub", "hub").code == 2
    assert data(run("people", "export", "--schema").out)["$id"] == whole["format"]


def test_an_erasure_asks_for_confirmation_and_lists_what_is_pending(
    run: Run, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a confirmation nothing happens; afterwards only the notice to the partner is pending."""
    assert late
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("people", "erase", "ada", "--hub", "hub").code == 130
    assert run("people", "export", "ada", "--hub", "hub", "--output", "ada.json").code == 0
    done = run("people", "erase", "ada", "--yes", "--no-vacuum", "--hub", "hub")
    assert "erased ada: 2 signal(s) in 1 envelope(s)" in done.err
    assert "1 partner(s) will be notified" in done.err
    assert "sesame hub vacuum" in done.err
    assert run("people", "erase", "ada", "--yes", "--hub", "hub").code == 4
    assert "1 erasure notice(s) are pending" in run("hub", "vacuum", "--hub", "hub").err
    token = run("notices", "export", SHOP, "--mark-delivered", "--hub", "hub").out
    assert token.count(".") == 2
    assert "no pending notices" in run("notices", "list", "--hub", "hub").err
    assert "pending" not in run("hub", "vacuum", "--hub", "hub").err


def test_a_partner_fetches_its_notices_once(run: Run, late: str, tmp_path: Path) -> None:
    """Acknowledged when they are printed, unless it only looks."""
    run("disputes", "open", "ada", late, "--partner", SHOP, "--reason", "I paid it", "--hub", "hub")
    with serving(tmp_path / "hub", int((tmp_path / "port").read_text())):
        for keep in (("--no-ack",), ()):
            (row,) = data(run("notices", "fetch", "--config", "shop", "--json", *keep).out)
            assert (row["event"], row["signal"], row["statement"]) == ("signal-disputed", late, "I paid it")
        assert "no new notices" in run("notices", "fetch", "--config", "shop").err
        run("disputes", "decide", "1", "upheld", *WHY, "--hub", "hub")
        (row,) = data(run("notices", "fetch", "--config", "shop", "--json").out)
        assert (row["event"], row["outcome"]) == ("dispute-decided", "upheld")
    shown = json.loads(run("disputes", "show", "1", "--hub", "hub", "--json").out)
    assert [due["deadline_status"] for due in shown["deadlines"]] == ["met", "met", "open", "met"]
