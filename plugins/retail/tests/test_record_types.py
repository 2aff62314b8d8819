"""Returns, cancellations, corrections and exchanges in one file, and what a mapping says of them."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sesame_retail import Order, Orders
from sesame_retail.files import mapping, mapping_inference
from sesame_retail.files.mapping import ColumnMapping, FileFormat, FileMapping
from sesame_retail.money import Currencies

from sesame_sdk import ConfigurationError, Pseudonymizer, Signal, Skipped

HEADER = "no,at,who,sum,what,of,cur,test,staff"
COLUMNS = ColumnMapping(
    "no",
    "at",
    "who",
    amount="sum",
    currency="cur",
    record_type="what",
    order="of",
    test="test",
    staff="staff",
)
SHOP = Orders(
    COLUMNS, cancelled_prefix="", file_format=FileFormat(currencies=Currencies(rates={"EUR": Decimal("0.5")}))
)
LINES = (
    "1,2026-01-01,ada,60,order,,,,",
    "1,2026-01-01,ada,40,order,,,,",
    "R1,2026-01-05,ada,-30,return,1,,,",
    "1,2026-01-07,ada,20,correction,,,,",
    "X1,2026-01-08,ada,-25,exchange,,,,",
    "X1,2026-01-08,ada,35,exchange,,,,",
    "1,2026-01-09,ada,,cancel,,,,",
    "2,2026-01-10,ada,50,order,,EUR,,",
    "3,2026-01-10,ada,50,order,,JPY,,",
    "4,2026-01-10,ada,5,order,,,yes,",
    "5,2026-01-10,ada,6,order,,,,1",
    "9,2026-01-11,ada,,cancel,,,,",
)
Wrote = Callable[..., Path]


@pytest.fixture
def wrote(tmp_path: Path) -> Wrote:
    """A file of some lines."""

    def write(*lines: str) -> Path:
        file = tmp_path / "orders.csv"
        file.write_text("\n".join((HEADER, *lines)))
        return file

    return write


def sums(file: Path, pseudonymizer: Pseudonymizer) -> tuple[Counter[str], set[str], Counter[str]]:
    """Of a file: each kind's sum, the ids, and the lines skipped by reason."""
    made, ids, kept = Counter[str](), set(), Counter[str]()
    for event in SHOP.read(file):
        outcomes = [event] if isinstance(event, Skipped) else SHOP.signals(event, pseudonymizer)
        for one in outcomes:
            if isinstance(one, Signal):
                made[one.kind] += Decimal(repr(one.value)) if one.id not in ids else 0
                ids.add(one.id)
            else:
                kept[one.reason] += one.records
    return made, ids, kept


def test_the_outcome_of_an_order_is_exact_to_the_penny(wrote: Wrote, pseudonymizer: Pseudonymizer) -> None:
    """100 ordered, 30 returned, 20 more, the rest cancelled; an exchange is no order; euros at their rate."""
    made, _, kept = sums(wrote(*LINES), pseudonymizer)
    assert made["retail.order.completed"] == 2
    assert made["retail.order.spend"] == 100 + 20 + 35 + 25
    assert made["retail.order.returned"] == 30 + 25 + 90
    assert kept == {
        "another currency: JPY": 1,
        "test order": 1,
        "staff order": 1,
        "cancellation of an order that is not in the file": 1,
    }


def test_amounts_of_two_currencies_are_never_added_up(tmp_path: Path, pseudonymizer: Pseudonymizer) -> None:
    """Each has its own kind and unit; skipped input is counted apart; yen have no kind."""
    file = tmp_path / "orders.csv"
    lines = (
        "1,2026-01-01,ada,60,order,,EUR,,",
        "1,2026-01-02,ada,-10,return,,EUR,,",
        "1,2026-01-09,ada,,cancel,,EUR,,",
        "2,2026-01-01,ada,40,order,,,,",
        "2,2026-01-09,ada,,cancel,,EUR,,",
        "3,2026-01-01,,30,order,,EUR,,",
        "4,2026-01-01,,20,order,,,,",
        "5,never,ada,7,order,,USD,,",
        "6,2026-01-01,ada,1,order,,EUR,,",
        "6,2026-01-01,ada,1,order,,,,",
        "7,2026-01-01,ada,9000,order,,JPY,,",
    )
    file.write_text("\n".join((HEADER, *lines)))
    made, kept = Counter[str](), {}
    shop = Orders(COLUMNS, cancelled_prefix="")
    for event in shop.read(file):
        for one in [event] if isinstance(event, Skipped) else shop.signals(event, pseudonymizer):
            if isinstance(one, Signal):
                made[one.kind] += Decimal(repr(one.value))
            else:
                kept[one.reason] = one.amount
    assert {kind: made[kind] for kind in made if "spend" in kind or "returned" in kind} == {
        "retail.order.spend": 40,
        "retail.order.spend.eur": 60,
        "retail.order.returned.eur": 10 + 50,
    }
    assert kept == {
        "no customer": 20,
        "no customer, in EUR": 30,
        "unreadable date, in USD": 7,
        "invoice in several currencies": 0,
        "another currency: JPY": 9000,
        "cancellation of an order that is not in the file, in EUR": 0,
    }


@pytest.mark.long  # a database is opened for each file
@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, pseudonymizer: Pseudonymizer, dice: Random
) -> None:
    """The same sums and the very same ids, whatever comes before or after what."""
    shuffled = list(LINES)
    dice.shuffle(shuffled)
    folder = tmp_path_factory.mktemp("records")
    (folder / "a.csv").write_text("\n".join((HEADER, *LINES)))
    (folder / "b.csv").write_text("\n".join((HEADER, *shuffled)))
    assert sums(folder / "a.csv", pseudonymizer) == sums(folder / "b.csv", pseudonymizer)


@pytest.mark.parametrize("form", ["csv.zst", "jsonl.zst", "parquet"])
def test_every_format_gives_the_same_orders(form: str, tmp_path: Path) -> None:
    """Numbers may be numbers there, and customers fractions, as software writes them beside nulls."""
    rows = {
        "InvoiceNo": ["7", "8"],
        "InvoiceDate": ["2026-01-01 10:00:00"] * 2,
        "CustomerID": [17850.0, None],
        "Quantity": [2, -1],
        "UnitPrice": [2.55, 1.0],
    }
    plain = tmp_path / "orders.csv"
    plain.write_text(
        "InvoiceNo,InvoiceDate,CustomerID,Quantity,UnitPrice\n"
        "7,2026-01-01 10:00:00,17850,2,2.55\n8,2026-01-01 10:00:00,,-1,1.0\n"
    )
    file = tmp_path / f"other.{form}"
    if form == "parquet":
        parquet.write_table(pa.table(rows), file)
    elif form == "csv.zst":
        pack = zstandard.ZstdCompressor().compress
        half = plain.read_bytes()
        file.write_bytes(pack(half[:40]) + pack(half[40:]))
    else:
        lines = [json.dumps({name: column[at] for name, column in rows.items()}) for at in (0, 1)]
        text = "\n".join(lines).replace("17850.0", "17850")
        file.write_bytes(zstandard.ZstdCompressor().compress(text.encode()))
    assert list(Orders().read(file)) == list(Orders().read(plain))
    assert len(list(Orders().read(plain))) == 2


@pytest.mark.parametrize("name", ["bad.parquet", "bad.csv.zst", "bad.csv.gz"])
def test_a_hostile_file_is_one_of_our_errors(name: str, tmp_path: Path) -> None:
    """Whatever its name promises."""
    for content in (b"", b"PAR1" * 99, gzip.compress(b"x" * 99)[:-9], b"\x28\xb5\x2f\xfd" + b"\xff" * 40):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=r".") as raised:
            list(Orders().read(tmp_path / name))
        assert type(raised.value).__module__ == "sesame_sdk.errors"


def test_a_mapping_beside_the_file_is_used(tmp_path: Path) -> None:
    """Semicolons, decimal commas, days before months, the shop's own clock."""
    (tmp_path / "o.csv").write_text(
        "Bestellnummer;Kundennummer;Bestelldatum;Betrag\n1;k;01.07.2026 00:30;1.234,50\n"
    )
    proposed = mapping_inference.propose_mapping(tmp_path / "o.csv")
    zone = proposed.replace('# time_zone = "Europe/London"', 'time_zone = "Europe/Berlin" #')
    (tmp_path / "o.csv.toml").write_text(zone)
    (order,) = Orders().read(tmp_path / "o.csv")
    assert isinstance(order, Order)
    assert (order.total, order.customer) == (Decimal("1234.5"), "k")
    assert f"{order.placed_at:%Y-%m-%d %H:%M}" == "2026-06-30 22:30"


def test_a_mapping_is_proposed_in_spite_of_bad_lines(tmp_path: Path) -> None:
    """Nine lines in ten say how dates and amounts are written; what is missing is named."""
    good = "".join(f"{n};k;0{n}.07.2026;1.234,50;JPY\n" for n in range(1, 10))
    file = tmp_path / "o.csv"
    file.write_text(f"Bestellnummer;Kundennummer;Bestelldatum;Betrag;Waehrung\n{good}10;k;gestern;viel;EUR\n")
    proposed = mapping_inference.propose_mapping(file)
    assert "decimal_comma = true" in proposed
    assert 'date_format = "%d.%m.%Y"' in proposed
    assert '# JPY = "?"' in proposed
    assert "EUR" not in proposed
    file.write_text("colour,size\nred,1\n")
    assert "# number = ?  not recognised, but required" in mapping_inference.propose_mapping(file)
    assert '# the file has: "colour", "size"' in mapping_inference.propose_mapping(file)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.234,50", "1234.50"),
        ("1,5", "1.5"),
        ("12", "12"),
        ("-1.234.567", "-1234567"),
        ("1.5", None),
        ("1.2345", None),
    ],
)
def test_a_decimal_comma_takes_no_point_for_one(text: str, amount: str | None, tmp_path: Path) -> None:
    """Points separate thousands there, or the amount is unreadable: 1.5 must not become 15."""
    (tmp_path / "o.csv").write_text(f"no;at;who;sum\n1;2026-01-01;ada;{text}\n")
    columns = ColumnMapping("no", "at", "who", amount="sum")
    shop = Orders(columns, "", FileFormat(delimiter=";", decimal_comma=True))
    (event,) = shop.read(tmp_path / "o.csv")
    if amount is None:
        assert event == Skipped("unreadable amount", column="sum")
    else:
        assert isinstance(event, Order)
        assert event.total == Decimal(amount)


def test_what_is_proposed_for_the_usual_columns_is_the_usual(tmp_path: Path) -> None:
    """A file as the data set has it needs no mapping."""
    (tmp_path / "o.csv").write_text(
        "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\nC1,-1,2026-01-01 10:00,1.5,1,UK\n"
    )
    (tmp_path / "m.toml").write_text(mapping_inference.propose_mapping(tmp_path / "o.csv"))
    assert mapping.load_mapping(tmp_path / "m.toml") == FileMapping()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[columns]\nnumbr = 'x'", "columns 'numbr'"),
        ("[columns]\nnumber = 1", "number"),
        ("colour = 'red'", "mapping 'colour'"),
        ("delimiter = ';;'", "delimiter"),
        ("encoding = 'klingon'", "encoding"),
        ("time_zone = '../../etc/passwd'", "time_zone"),
        ("currency = 'JPY'", "currency"),
        ("currency = 'euro'", "currency"),
        ("[rates]\nEUR = -1", "rates"),
        ("[rates]\nEUR = 'much'", "rates"),
        ("[record_types]\ngift = ['x']", "record_types 'gift'"),
        ("columns = 1", "columns"),
        ("=", "cannot be read"),
    ],
)
def test_a_mapping_that_is_wrong_says_where(text: str, message: str, tmp_path: Path) -> None:
    """One error, with the field's name."""
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        mapping.load_mapping(tmp_path / "m.toml")


def test_the_mapping_in_the_readme_is_one(tmp_path: Path) -> None:
    """Word by word."""
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (tmp_path / "m.toml").write_text(readme.partition("```toml\n")[2].partition("```")[0])
    loaded = mapping.load_mapping(tmp_path / "m.toml")
    assert loaded.columns.in_use["amount"] == "Betrag"
    assert "price" not in loaded.columns.in_use
    assert loaded.file_format.record_types["retoure"] == "return"
    assert loaded.file_format.currencies.convert(100, "") == 86
