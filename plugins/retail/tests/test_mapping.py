"""A proposed mapping: platforms by their headers, other files by names and values."""

import json
import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from sesame_retail import Orders
from sesame_retail.files import mapping
from sesame_retail.files.mapping import FileMapping, parse_mapping
from sesame_retail.files.mapping_inference import load_presets, propose_mapping

from sesame_sdk import InvalidInputError, Pseudonymizer, Signal, Skipped

PLATFORMS = Path(__file__).parent / "platforms"


def outcome(
    file: Path, reading: FileMapping, pseudonymizer: Pseudonymizer
) -> tuple[dict[str, Decimal], dict[str, int]]:
    """The sum of each kind but tenure, and the lines that are kept back or rejected, by reason."""
    shop = Orders.from_mapping(reading)
    sums, kept = Counter[str](), Counter[str]()
    for event in shop.read(file):
        for item in [event] if isinstance(event, Skipped) else shop.signals(event, pseudonymizer):
            if isinstance(item, Skipped):
                kept[item.reason] += item.records
            elif item.kind != "retail.customer.tenure":
                sums[item.kind.removeprefix("retail.order.")] += Decimal(repr(item.value))
    return dict(sums), dict(kept)


@pytest.mark.parametrize(
    ("name", "sums", "kept"),
    [
        (
            "shopify.csv",
            {"completed": 3, "spend": Decimal("95.50"), "returned": Decimal("45.50")},
            {"not paid": 4, "no customer": 1},
        ),
        (
            "woocommerce.csv",
            {"completed": 3, "spend": Decimal(90), "returned": Decimal(30)},
            {"not paid": 2, "cancelled": 2},
        ),
        (
            "woocommerce_export.csv",
            {"completed": 4, "spend.eur": Decimal("134.90"), "returned.eur": Decimal("45.00")},
            {"not paid, in EUR": 2, "cancelled, in EUR": 2, "no customer, in EUR": 1},
        ),
        (
            "magento.csv",
            {"completed": 4, "spend": Decimal(1350), "returned": Decimal(75)},
            {"not paid": 3, "cancelled": 1},
        ),
        (
            "prestashop.csv",
            {"completed": 3, "spend": Decimal("195.49"), "returned": Decimal("15.50")},
            {"not paid": 1, "cancelled": 1, "no customer": 1},
        ),
        (
            "bigcommerce.csv",
            {"completed": 4, "spend.usd": Decimal(100), "returned.usd": Decimal(35)},
            {"not paid, in USD": 2, "cancelled, in USD": 2, "no customer, in USD": 1},
        ),
        ("ebay.csv", {"completed": 2, "spend": Decimal("38.98")}, {"not paid": 2}),
        (
            "etsy.csv",
            {"completed": 3, "spend.usd": Decimal(90), "returned.usd": Decimal(40)},
            {"not paid, in USD": 1, "cancelled, in USD": 1},
        ),
        (
            "amazon.txt",
            {"completed": 2, "spend": Decimal("44.97")},
            {"not paid": 1, "cancelled": 1},
        ),
    ],
)
def test_a_platforms_export_is_known_by_its_header(
    name: str, sums: dict[str, Decimal], kept: dict[str, int], pseudonymizer: Pseudonymizer
) -> None:
    """What each state means is part of it: pending, voided, cancelled, refunded in whole or in part."""
    text = propose_mapping(PLATFORMS / name)
    preset = load_presets()[name.partition(".")[0]]["preset"]["name"]
    assert f"# this is {preset}\n" in text
    assert outcome(PLATFORMS / name, parse_mapping(tomllib.loads(text)), pseudonymizer) == (sums, kept)


def test_every_preset_has_a_file_and_can_be_loaded() -> None:
    """None is only written down."""
    presets = load_presets()
    assert {file.name.partition(".")[0] for file in PLATFORMS.iterdir()} == set(presets)
    for preset in presets.values():
        assert parse_mapping(preset["mapping"]).columns.number in preset["preset"]["header"]


def propose(
    tmp_path: Path, text: str, name: str = "o.csv", encoding: str = "utf-8"
) -> tuple[str, FileMapping]:
    """The proposed mapping of a file, as text and loaded."""
    (tmp_path / name).write_bytes(text.encode(encoding))
    proposed = propose_mapping(tmp_path / name)
    (tmp_path / "m.toml").write_text(proposed)
    return proposed, mapping.load_mapping(tmp_path / "m.toml")


def test_a_german_excel_file_is_loaded_at_the_first_try(tmp_path: Path, pseudonymizer: Pseudonymizer) -> None:
    """Encoding, delimiter, locale, date format, currency by its sign, and the prefix of returns."""
    lines = [
        "Bestellübersicht Mai;;;;",
        "",
        "Beleg-Nr.;Bestelldatum;Kunden-Nr.;Währung;Gesamtbetrag",
        "R-1001;13.05.2026 10:15;4711;€;1.234,50",
        "R-1002;14.05.2026 11:00;4712;€;99,00",
        "G-7;15.05.2026 09:00;4711;€;-34,50",
    ]
    text, reading = propose(tmp_path, "\r\n".join(lines), encoding="cp1252")
    assert tomllib.loads(text)["encoding"] == "cp1252"
    assert reading.file_format.decimal_comma
    assert reading.file_format.date_format == "%d.%m.%Y %H:%M"
    sums, kept = outcome(tmp_path / "o.csv", reading, pseudonymizer)
    assert sums == {"completed": 2, "spend.eur": Decimal("1333.50"), "returned.eur": Decimal("34.50")}
    assert kept == {}


def test_nested_json_lines_are_mapped_by_paths(tmp_path: Path, pseudonymizer: Pseudonymizer) -> None:
    """The order's own fields, and the items of its list."""
    line = {
        "order": {"id": 7, "created_at": "2026-05-01T10:00:00Z", "currency": "EUR"},
        "customer": {"id": 17850, "email": "ada@example.org"},
        "lines": [{"sku": "A", "quantity": 2, "price": 10.0}, {"sku": "B", "quantity": 1, "price": "5.50"}],
    }
    text, reading = propose(tmp_path, json.dumps(line) + "\n", "o.jsonl")
    columns = tomllib.loads(text)["columns"]
    assert columns == {
        "number": "order.id",
        "date": "order.created_at",
        "customer": "customer.id",
        "quantity": "lines[].quantity",
        "price": "lines[].price",
        "currency": "order.currency",
    }
    assert outcome(tmp_path / "o.jsonl", reading, pseudonymizer) == (
        {"completed": 1, "spend.eur": Decimal("25.50")},
        {},
    )


def test_columns_are_known_by_their_values_too(tmp_path: Path) -> None:
    """A date, an e-mail address and a currency under names that say nothing."""
    text, reading = propose(
        tmp_path,
        "Order,a,b,c,Total\n1,2026-05-01,ada@example.org,EUR,5\n2,2026-05-02,bob@example.org,USD,6\n",
    )
    columns = reading.columns
    assert (columns.date, columns.customer, columns.currency) == ("a", "b", "c")
    assert "its pseudonym is sent, never the address" in text


def test_a_cashier_does_not_make_orders_of_staff(tmp_path: Path) -> None:
    """The column holds names; one with yes and no is taken."""
    header = "Order,Date,Customer,Total,Employee\n"
    text, reading = propose(tmp_path, header + "1,2026-05-01,ada,5,Kim\n2,2026-05-01,bob,6,Lee\n")
    assert reading.columns.staff == ""
    assert '"Employee" holds no flags' in text
    _, reading = propose(tmp_path, header + "1,2026-05-01,ada,5,yes\n2,2026-05-01,bob,6,no\n")
    assert reading.columns.staff == "Employee"


def test_a_column_may_be_ignored(tmp_path: Path) -> None:
    """It is neither proposed nor mentioned."""
    file = tmp_path / "o.csv"
    file.write_text("Order,Date,Customer,Total,Status\n1,2026-05-01,ada,5,odd\n")
    assert "Status" in propose_mapping(file)
    assert "Status" not in propose_mapping(file, ["Status"])


def test_words_that_are_not_known_are_asked_for(tmp_path: Path) -> None:
    """A line in such a state is rejected with its column until the mapping says what it means."""
    text, reading = propose(
        tmp_path, "Order,Date,Customer,Total,Status\n1,2026-05-01,ada,5,paid\n2,2026-05-01,ada,5,Teleported\n"
    )
    assert '# under [states], say what "teleported" means' in text
    rejected, _ = Orders.from_mapping(reading).read(tmp_path / "o.csv")
    assert isinstance(rejected, Skipped)
    assert (rejected.line, rejected.reason, rejected.column) == (3, "unknown state", "Status")
    (tmp_path / "m.toml").write_text(text + '\n[states]\nignored = ["teleported"]\n')
    _, kept = Orders.from_mapping(mapping.load_mapping(tmp_path / "m.toml")).read(tmp_path / "o.csv")
    assert kept == Skipped("state that the mapping ignores", 1, Decimal(5))


def test_an_unknown_currency_is_named(tmp_path: Path) -> None:
    """In the proposal, and among what is kept back, with its amount."""
    text, reading = propose(tmp_path, "Order,Date,Customer,Total,Currency\n1,2026-05-01,ada,500,JPY\n")
    assert '# JPY = "?"' in text
    assert list(Orders.from_mapping(reading).read(tmp_path / "o.csv")) == [
        Skipped("another currency: JPY", 1, Decimal(500))
    ]


def test_zero_is_a_guest_where_the_mapping_says_so(tmp_path: Path) -> None:
    """It is proposed; without it, 0 is a customer."""
    text = "Order,Date,Customer,Total\n1,2026-05-01,0,5\n2,2026-05-01,0.0,5\n3,2026-05-01,7,5\n"
    _, reading = propose(tmp_path, text)
    customers = [order.customer for order in Orders.from_mapping(reading).read(tmp_path / "o.csv")]  # type: ignore[union-attr]
    assert customers == [None, None, "7"]


def test_columns_of_the_order_are_carried_to_its_other_lines(tmp_path: Path) -> None:
    """Customer and currency are on the first line only, as is the total."""
    _, reading = propose(
        tmp_path,
        "Order,Date,Customer,Currency,Total\n1,2026-05-01,ada,EUR,5\n1,2026-05-01,,,\n2,2026-05-02,bob,USD,6\n",
    )
    first, second = Orders.from_mapping(reading).read(tmp_path / "o.csv")
    assert (first.customer, first.currency, first.lines, first.total) == ("ada", "EUR", 2, 5)  # type: ignore[union-attr]
    assert (second.currency, second.total) == ("USD", 6)  # type: ignore[union-attr]


def test_a_parquet_file_is_mapped(tmp_path: Path) -> None:
    """By its columns and all its rows."""
    table = {"Order": [1], "Date": ["05/13/2026"], "Customer": [7.0], "Total": [5.25]}
    parquet.write_table(pa.table(table), tmp_path / "o.parquet")
    reading = parse_mapping(tomllib.loads(propose_mapping(tmp_path / "o.parquet")))
    (order,) = Orders.from_mapping(reading).read(tmp_path / "o.parquet")
    assert (order.customer, order.total) == ("7", Decimal("5.25"))  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["", "\n\n", "one column\n1\n", "\x00\x01\x02"])
def test_what_is_no_table_is_refused(text: str, tmp_path: Path) -> None:
    """By one error, rather than a mapping that cannot be loaded."""
    with pytest.raises(InvalidInputError, match="has no header of several columns"):
        propose(tmp_path, text)


def test_a_file_without_lines_gets_a_mapping_that_can_be_loaded(tmp_path: Path) -> None:
    """It names what is missing."""
    text, _ = propose(tmp_path, "colour,size\n")
    assert "# number = ?  not recognised, but required" in text


def test_a_signal_is_not_made_of_an_address(tmp_path: Path, pseudonymizer: Pseudonymizer) -> None:
    """The customer's e-mail address is in no signal."""
    _, reading = propose(tmp_path, "Order,Date,Email,Total\n1,2026-05-01,ada@example.org,5\n")
    shop = Orders.from_mapping(reading)
    signals = [item for order in shop.read(tmp_path / "o.csv") for item in shop.signals(order, pseudonymizer)]  # type: ignore[arg-type]
    assert all(isinstance(item, Signal) and "ada" not in repr(item) for item in signals)
