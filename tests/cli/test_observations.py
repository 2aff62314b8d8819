"""``sesame observations``, and what other commands say of entries, values and names."""

import json
from pathlib import Path

import pytest

from sesame_sdk.catalogue.effects import effects
from sesame_sdk.catalogue.observations import observations
from sesame_sdk.hub.hub import Hub
from tests.catalogue.test_catalogues import ENTRY
from tests.cli.conftest import POLICIES, Run, data
from tests.hub.fixtures import Partner, kind
from tests.hub.test_kind_usage import KEPT, send


def test_both_catalogues_are_listed(run: Run) -> None:
    """Every entry, with what it is read from, and its words in two languages."""
    listed = data(run("observations", "list", "--json").out)
    assert [row["observation"] for row in listed] == list(observations())
    assert listed[0]["reads"] == "orders: completed"
    assert listed[0]["zh"] == "您保留的订单"
    listed = data(run("observations", "list", "--effects", "--json").out)
    assert [row["effect"] for row in listed] == list(effects())


def test_an_entry_is_shown_whole(run: Run) -> None:
    """As JSON, of either catalogue; an unknown one is an error."""
    assert data(run("observations", "show", "order_kept").out)["order_kept"]["source"] == "GL 177"
    assert data(run("observations", "show", "badge").out)["badge"]["without"]
    done = run("observations", "show", "order_eaten")
    assert done.code == 2
    assert "sesame observations list" in done.err


def test_an_entry_is_proposed_and_approved_by_two_people(run: Run, hub: Path, tmp_path: Path) -> None:
    """Each command says what is missing; the list names the people."""
    (tmp_path / "entry.toml").write_text(ENTRY, encoding="utf-8")
    of_hub = ("--hub", hub)
    done = run("observations", "propose", "entry.toml", "--by", "Tool library of Leeds", *of_hub)
    assert (done.code, "item_mended: 2 approvals missing" in done.err) == (0, True)
    assert (
        "1 approval missing" in run("observations", "approve", "item_mended", "--by", "Ann Lee", *of_hub).err
    )
    again = run("observations", "approve", "item_mended", "--by", "ann lee", *of_hub)
    assert again.code != 0
    assert "another person must approve it" in again.err
    done = run("observations", "approve", "item_mended", "--by", "Bo Chen", *of_hub)
    assert "approved for this hub" in done.err
    (row,) = data(run("observations", "proposals", "--json", *of_hub).out)
    assert (row["approved"], row["approved_by"]) == (True, ["Ann Lee", "Bo Chen"])


def test_a_policy_with_an_approved_entry_is_loaded(run: Run, hub: Path, tmp_path: Path) -> None:
    """By the hub that approved it; a check without a hub refuses it, and says what is missing."""
    (tmp_path / "entry.toml").write_text(ENTRY, encoding="utf-8")
    text = (POLICIES / "toolshed.toml").read_text().replace("item_returned_on_time", "item_mended")
    (tmp_path / "shed.toml").write_text(text + ENTRY.replace("[item", "[observations.item"), encoding="utf-8")
    assert run("policy", "load", "shed.toml", "--hub", hub).code == 3
    run("observations", "propose", "entry.toml", "--by", "Tool library of Leeds", "--hub", hub)
    for name in ("Ann Lee", "Bo Chen"):
        run("observations", "approve", "item_mended", "--by", name, "--hub", hub)
    assert run("policy", "load", "shed.toml", "--hub", hub).code == 0
    done = run("policy", "check", "shed.toml")
    assert (done.code, "sesame observations approve" in done.err) == (3, True)


def test_a_policy_in_doubt_is_loaded_with_the_name_of_who_reviewed_it(
    run: Run, hub: Path, tmp_path: Path
) -> None:
    """A library lends."""
    text = (POLICIES / "retail.toml").read_text().replace("retail-privileges", "loan-library", 1)
    (tmp_path / "shop.toml").write_text(text, encoding="utf-8")
    done = run("policy", "load", "shop.toml", "--hub", hub)
    assert done.code != 0
    assert "--reviewed-by NAME" in done.err
    assert run("policy", "load", "shop.toml", "--hub", hub, "--reviewed-by", "Ann Lee").code == 0


@pytest.fixture
def busy_hub(hub: Path) -> Path:
    """A hub with a shop that sends far more orders of a person than is usual."""
    with Hub.open(hub) as opened:
        shop = Partner.join("https://busy.example", opened, opened._clock, kind(KEPT, "order_kept"))
        opened.add_grants(grant for n in range(10) for grant in shop.grants(f"p{n}", KEPT))
        send(shop, KEPT, 40, days=0.2)
    return hub


def test_what_does_not_fit_is_told_to_operator_and_auditor(run: Run, busy_hub: Path) -> None:
    """By usage, doctor and audit; what fits is no note."""
    (row,) = data(run("observations", "usage", "--json", "--hub", busy_hub).out)
    assert (row["signals"], row["people"], row["share"]) == (400, 10, 1.0)
    assert row["remarks"] == ["40 events of one person in a month, 30 are usual"]
    checks = {check["check"]: check for check in data(run("doctor", "--json", "--hub", busy_hub).out)}
    assert checks["kinds"]["ok"]
    assert "1 do not fit their observation" in checks["kinds"]["detail"]
    audited = ("audit", POLICIES / "retail.toml", "--people", "1000", "--json")
    findings = json.loads(run(*audited, "--hub", busy_hub).out)["findings"]
    assert [finding["rule"] for finding in findings if finding["rule"] == "USE-1"] == ["USE-1"]
    assert not [one for one in json.loads(run(*audited).out)["findings"] if one["rule"] == "USE-1"]


def test_a_hub_where_all_fits_says_so(run: Run, hub: Path) -> None:
    """Without a note."""
    checks = {check["check"]: check for check in data(run("doctor", "--json", "--hub", hub).out)}
    assert checks["kinds"]["detail"] == "what partners send fits the observations"
