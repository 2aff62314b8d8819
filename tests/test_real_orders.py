"""The main job on real input: a shop's 320,705 order lines, from its file to the hub's ledger.

What was sent plus what was kept back, each with its reason, is what is in the file, to the penny; the
hub holds exactly what was sent under a grant; doing it again adds nothing.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sesame_retail import Orders

from examples import demo
from examples.shell_helpers import Workspace
from sesame_sdk import PartnerConfig, Signal, Skipped

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def file(shared_data: Path) -> Path:
    """The UCI "Online Retail" data."""
    return shared_data / "online-retail" / "online_retail.csv.gz"


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    """Totals that somebody else counted."""
    facts: dict[str, Any] = json.loads((shared_data / "online-retail" / "facts.json").read_text())
    return facts


@pytest.fixture(scope="module")
def cast(file: Path) -> demo.Participants:
    """The people; every tenth customer did not consent."""
    return demo.read_participants(file)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, cast: demo.Participants) -> Iterator[Workspace]:
    """A running hub that the partners joined and the people decided about."""
    with demo.start_hub(tmp_path_factory.mktemp("real"), cast) as stage:
        demo.add_partners(stage)
        demo.record_consents(stage, cast)
        yield stage


@pytest.fixture(scope="module")
def first(stage: Workspace, file: Path) -> dict[str, Any]:
    """The summary of the first upload of the file."""
    return post(stage, file)


def post(stage: Workspace, file: Path) -> dict[str, Any]:
    """Post the file as the shop would."""
    done: dict[str, Any] = json.loads(
        stage.sesame("post", file, "--config", "shop", "--provider", "retail", "--json")
    )
    return done


def test_every_line_is_sent_or_kept_back_with_a_reason_to_the_penny(
    stage: Workspace, file: Path, facts: dict[str, Any], first: dict[str, Any]
) -> None:
    """Lines, invoices, cancellations, customers and revenue add up to what others counted."""
    provider, pseudonymizer = Orders(), PartnerConfig.load(stage.folder / "shop").pseudonymizer
    orders = [order for order in provider.read(file) if not isinstance(order, Skipped)]
    outcomes = [list(provider.signals(order, pseudonymizer)) for order in orders]
    sent = [order for order, items in zip(orders, outcomes, strict=True) if isinstance(items[0], Signal)]
    kept = [item for items in outcomes for item in items if isinstance(item, Skipped)]

    assert sum(order.lines for order in sent) + sum(item.records for item in kept) == facts["rows"]
    assert len(orders) == facts["invoices"] == first["events"]
    assert sum(order.cancelled for order in orders) == facts["cancel_invoices"]
    assert len({order.customer for order in sent}) == facts["customers"]
    assert first["skipped"]["no customer"]["records"] == facts["missing_customer"]

    values = {"retail.order.spend": Decimal(0), "retail.order.returned": Decimal(0)}
    for signal in (item for items in outcomes for item in items if isinstance(item, Signal)):
        if signal.kind in values:
            values[signal.kind] += Decimal(str(signal.value))
    skipped_amount = sum(Decimal(skipped["amount"]) for skipped in first["skipped"].values())
    revenue = values["retail.order.spend"] - values["retail.order.returned"] + skipped_amount
    assert revenue.quantize(Decimal("0.01")) == Decimal(str(facts["net_revenue"]))
    assert sum(first["signals"].values()) == sum(
        isinstance(item, Signal) for items in outcomes for item in items
    )


def test_the_hub_holds_exactly_what_was_sent_under_a_grant(
    stage: Workspace, file: Path, cast: demo.Participants, first: dict[str, Any]
) -> None:
    """By id and value; the ledger has nothing of the people who did not consent."""
    provider, pseudonymizer = Orders(), PartnerConfig.load(stage.folder / "shop").pseudonymizer
    agreed: dict[bytes, float] = {}
    refused: set[bytes] = set()
    for order in provider.read(file):
        for item in () if isinstance(order, Skipped) else provider.signals(order, pseudonymizer):
            if isinstance(item, Signal):
                key = bytes.fromhex(item.id.replace("-", ""))[6:]
                if order.customer in cast.declined:
                    refused.add(key)
                else:
                    agreed[key] = item.value
    with closing(sqlite3.connect(stage.folder / "hub" / "hub.sqlite")) as ledger:
        stored = dict(ledger.execute("SELECT key, value FROM signals"))
        kept = b"".join(row[0] for row in ledger.execute("SELECT disclosures FROM envelopes"))
    assert stored == agreed
    assert refused
    assert refused.isdisjoint(stored)
    assert first["accepted"] == len(agreed)
    assert kept.count(b"~") - 1 >= len(agreed), "each kept signal can still be proved"
    assert first["accepted"] + first["duplicates"] + first["dropped"]["no_grant"] == sum(
        first["signals"].values()
    )


def test_a_second_run_adds_nothing(stage: Workspace, file: Path, first: dict[str, Any]) -> None:
    """The same orders have the same ids."""
    with closing(sqlite3.connect(stage.folder / "hub" / "hub.sqlite")) as ledger:
        before = ledger.execute("SELECT count(*), total(value) FROM signals").fetchone()
        second = post(stage, file)
        after = ledger.execute("SELECT count(*), total(value) FROM signals").fetchone()
    assert second["accepted"] == 0
    assert second["dropped"] == first["dropped"]
    assert second["duplicates"] == first["accepted"] + first["duplicates"]
    assert after == before
