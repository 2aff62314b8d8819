"""Small files made after public bug reports of other software, with the values that are right."""

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from sesame_retail import Order, Orders, kinds
from sesame_retail.files.mapping import parse_mapping
from sesame_retail.files.mapping_inference import propose_mapping

from sesame_sdk import PartnerConfig, Pseudonymizer, Signal, Skipped

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"
#: Lines and amount of each file.
FILES = {
    "01-stray-quote/orders.csv": (2000, "20000"),
    "03-german-quantity/bestellungen.csv": (4, "8660"),
    "04-us-dates/data.csv": (400, "4000"),
    "04-us-dates/nine-in-ten.csv": (200, "2000"),
    "05-float-customer/orders.csv": (3, "29.40"),
    "05-float-customer/orders.jsonl": (3, "29.40"),
    "05-float-customer/orders.parquet": (3, "29.40"),
    "06-nan-customer/orders.csv": (3, "60"),
    "06-nan-customer/orders.jsonl": (3, "60"),
    "06-nan-customer/orders.parquet": (3, "60"),
    "08-prefix-c/orders.csv": (3, "180"),
    "15-utf16/unicode-text.csv": (10, "100"),
    "16-shopify-export/orders_export.csv": (5, "65"),
    "28-order-twice/orders.csv": (2, "200"),
    "28-order-twice/orders-with-seconds.csv": (2, "200"),
    "35-six-decimals/orders.csv": (3, "195.49"),
}


@pytest.fixture(scope="module")
def cases() -> Path:
    """The folder of the cases; CI always has it."""
    if not CASES.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{CASES} must be there in CI")
        pytest.skip(f"needs the cases in {CASES}")
    return CASES


def proposed(file: Path) -> Orders:
    """A provider with the mapping that is proposed for a file, as it is printed."""
    return Orders.from_mapping(parse_mapping(tomllib.loads(propose_mapping(file))))


def read(file: Path) -> list[Order | Skipped]:
    """The orders of a file by its proposed mapping."""
    return list(proposed(file).read(file))


def orders(file: Path) -> list[Order]:
    """Those that can be read."""
    return [event for event in read(file) if isinstance(event, Order)]


@pytest.mark.parametrize("name", FILES)
def test_sent_and_kept_back_and_rejected_are_the_file(
    cases: Path, name: str, pseudonymizer: Pseudonymizer
) -> None:
    """By lines, and to the penny: what was returned was spent before."""
    lines, amount = 0, Decimal(0)
    for event in read(cases / name):
        for item in [event] if isinstance(event, Skipped) else Orders().signals(event, pseudonymizer):
            if isinstance(item, Skipped):
                lines, amount = lines + item.records, amount + item.amount
            elif item.kind == kinds.COMPLETED.name:
                lines += event.lines if isinstance(event, Order) else 0
            elif item.kind in {kind.name for kind in kinds.SPENT.values()}:
                amount += Decimal(repr(item.value))
    assert (lines, amount) == (FILES[name][0], Decimal(FILES[name][1]))


@pytest.mark.parametrize("name", FILES)
def test_a_proposed_mapping_can_be_loaded_and_reads_the_file(cases: Path, name: str) -> None:
    """All lines of each of these files can be read."""
    assert not [event for event in read(cases / name) if isinstance(event, Skipped) and event.line]


def test_a_stray_quote_is_text(cases: Path) -> None:
    """All 2,000 orders come out, and the one with the inch mark among them."""
    numbers = {order.number for order in orders(cases / "01-stray-quote/orders.csv")}
    assert numbers == {str(number) for number in range(5001, 7001)}


def test_quantities_and_prices_have_one_locale(cases: Path) -> None:
    """1.000 pieces at 0,50 are 500 euros."""
    totals = [order.total for order in orders(cases / "03-german-quantity/bestellungen.csv")]
    assert totals == [500, 750, 3, 7407]


@pytest.mark.parametrize("name", ["data.csv", "nine-in-ten.csv"])
def test_the_date_format_is_the_one_that_all_lines_fit(cases: Path, name: str) -> None:
    """Month before day, though the first lines, or most of the file, fit the other one too."""
    assert 'date_format = "%m/%d/%Y %H:%M"' in propose_mapping(cases / "04-us-dates" / name)


def test_dates_that_fit_two_formats_are_settled_by_their_order_or_asked_for(
    cases: Path, tmp_path: Path
) -> None:
    """Nine lines run in order as month/day only; the first eight of a file are in order both ways."""
    header, *lines = (cases / "04-us-dates/data.csv").read_text().splitlines()
    days = ("1/5", "1/7", "2/3", "2/9", "3/1", "3/11", "4/2", "4/8", "4/7")
    some = [line.replace("12/1/2010", f"{day}/2010") for line, day in zip(lines, days, strict=False)]
    (tmp_path / "some.csv").write_text("\n".join([header, *some]))
    text = propose_mapping(tmp_path / "some.csv")
    assert "dates fit both month/day and day/month: 7 of 8 lines run in order as month/day" in text
    (tmp_path / "first.csv").write_text("\n".join([header, *lines[:60:8]]))
    text = propose_mapping(tmp_path / "first.csv")
    assert "dates fit both month/day and day/month, and nothing in the file decides" in text
    assert "date_format" not in tomllib.loads(text)


@pytest.mark.parametrize("name", ["05-float-customer", "06-nan-customer"])
def test_every_form_of_a_file_gives_the_same_customers(cases: Path, name: str) -> None:
    """17850.0 is 17850, and NaN, NULL and null name nobody."""
    found = {
        form: [order.customer for order in orders(cases / name / f"orders.{form}")]
        for form in ("csv", "jsonl", "parquet")
    }
    wanted = ["17850", "13047", None] if name.startswith("05") else [None, None, "17850"]
    assert found == dict.fromkeys(found, wanted)


def test_guests_are_kept_back(cases: Path, pseudonymizer: Pseudonymizer) -> None:
    """Two lines, 50.00, without a pseudonym."""
    kept = [
        item
        for order in orders(cases / "06-nan-customer/orders.csv")
        for item in Orders().signals(order, pseudonymizer)
        if isinstance(item, Skipped)
    ]
    assert {item.reason for item in kept} == {"no customer"}
    assert sum(item.records for item in kept) == 2
    assert sum(item.amount for item in kept) == 50


def test_positive_amounts_are_no_returns(cases: Path) -> None:
    """Though their numbers begin with the usual prefix."""
    found = orders(cases / "08-prefix-c/orders.csv")
    assert [order.cancelled for order in found] == [False] * 3


def test_a_shopify_export_counts_what_was_paid(cases: Path, pseudonymizer: Pseudonymizer) -> None:
    """One order of 35.00; one of 10.00 that came back; two that are not paid."""
    sums, kept = Counter[str](), Counter[str]()
    for event in read(cases / "16-shopify-export/orders_export.csv"):
        for item in [event] if isinstance(event, Skipped) else Orders().signals(event, pseudonymizer):
            if isinstance(item, Signal):
                sums[item.kind] += Decimal(repr(item.value))
            else:
                kept[item.reason] += item.records
    assert kept == {"not paid": 2}
    assert (sums["retail.order.completed"], sums["retail.order.spend"]) == (2, 45)
    assert sums["retail.order.returned"] == 10


def test_a_corrected_time_keeps_the_natural_key(cases: Path, pseudonymizer: Pseudonymizer) -> None:
    """The ids of two exports differ in their time only, which is their first 48 bits."""
    exports = [
        [
            (item.kind, item.id.replace("-", "")[12:])
            for order in orders(cases / "28-order-twice" / name)
            for item in Orders().signals(order, pseudonymizer)
            if isinstance(item, Signal)
        ]
        for name in ("orders.csv", "orders-with-seconds.csv")
    ]
    assert exports[0] == exports[1]


def test_six_decimals_are_exact(cases: Path) -> None:
    """As PrestaShop stores them."""
    assert [order.total for order in orders(cases / "35-six-decimals/orders.csv")] == [
        Decimal("59.99"),
        Decimal(120),
        Decimal("15.50"),
    ]


@pytest.mark.parametrize("name", ["15-utf16/unicode-text.csv", "01-stray-quote/orders.csv"])
def test_a_file_that_is_followed_gives_what_it_gives_whole(cases: Path, name: str, tmp_path: Path) -> None:
    """In every encoding, by the proposed mapping, in a process of its own."""
    shop = PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9")
    (tmp_path / "m.toml").write_text(propose_mapping(cases / name))
    sesame = Path(sys.executable).with_name("sesame")
    done = subprocess.run(
        [sesame, "retail", "post", cases / name, "--config", shop.path, "--mapping", tmp_path / "m.toml",
         "--follow", "--idle-timeout", "0", "--json", "--rejects", tmp_path / "rejects"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 5, "the hub does not answer"
    assert json.loads(done.stdout)["signals"]["retail.order.completed"] == FILES[name][0]
