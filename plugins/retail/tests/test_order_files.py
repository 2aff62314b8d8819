"""Order lines become orders, and a line that cannot be read stops nothing."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from sesame_retail import ColumnMapping, Order, Orders

from sesame_sdk import InvalidInputError, Skipped

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
Read = Callable[..., list[Order | Skipped]]
GOOD = "536365,85123A,A HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom"
ORDER = Order(
    "536365", "17850", datetime(2010, 12, 1, 8, 26, tzinfo=UTC), 1, Decimal("15.30"), cancelled=False
)


def line(**changed: str) -> str:
    """The good line with some fields changed; its invoice number too, so that it stands alone."""
    fields = {
        "number": "1",
        "quantity": "6",
        "at": "2010-12-01 08:26:00",
        "price": "2.55",
        "customer": "17850",
    }
    fields |= changed
    return "{number},85123A,A HOLDER,{quantity},{at},{price},{customer},United Kingdom".format(**fields)


def test_lines_of_one_invoice_become_one_order_wherever_they_stand(read: Read) -> None:
    """Lines are counted and their amounts summed exactly; other invoices may come between."""
    orders = read(line(price="0.1", quantity="3"), GOOD, line(price="0.2", quantity="-1"))
    assert orders == [
        Order("1", "17850", ORDER.placed_at, 2, Decimal("0.1"), cancelled=False),
        ORDER,
    ]


def test_an_order_is_placed_when_its_earliest_line_is(read: Read) -> None:
    """Whatever the order of the lines, so that another export gives the same signal ids."""
    early, late = line(at="2011-01-05 13:40:00"), line(at="2011-01-05 13:41:00")
    assert read(early, late) == read(late, early)
    assert read(late, early)[0].placed_at == datetime(2011, 1, 5, 13, 40, tzinfo=UTC)


def test_an_invoice_whose_lines_bear_two_dates_is_one_order_of_all_of_them(read: Read) -> None:
    """Its lines are counted and its amounts summed over both."""
    dates = ("2011-01-05 13:40:00", "2011-01-05 13:41:00", "2011-01-05 13:40:00")
    amounts = ("0.10", "0.20", "0.05")
    lines = [line(at=at, price=price, quantity="1") for at, price in zip(dates, amounts, strict=True)]
    placed = datetime(2011, 1, 5, 13, 40, tzinfo=UTC)
    assert read(*lines) == [Order("1", "17850", placed, 3, Decimal("0.35"), cancelled=False)]


def test_an_order_remembers_nothing_of_what_was_bought_or_where(read: Read) -> None:
    """Stock code, description and country are in no field of it."""
    assert not {"85123A", "HOLDER", "Kingdom"} & set(repr(read(GOOD)[0]).replace("'", " ").split())


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line(quantity="six"), "unreadable quantity"),
        (line(quantity=""), "unreadable quantity"),
        (line(quantity="1_0"), "unreadable quantity"),
        (line(quantity="1.5"), "unreadable quantity"),
        (line(price="cheap"), "unreadable price"),
        (line(price="NaN"), "unreadable price"),
        (line(price="1e300"), "unreadable price"),
        (line(price="٣"), "unreadable price"),
        (line(at="yesterday"), "unreadable date"),
        (line(at="0001-01-01T00:00:00+14:00"), "date before 1970"),
        (line(at="1969-12-31 23:59:59"), "date before 1970"),
        (line(number=""), "no invoice number"),
        (line(number="x" * 65), "unreadable invoice number"),
        (line(customer="1\x0085"), "unreadable customer"),
        ("536365,85123A", "wrong number of columns"),
        (line() + ",more", "wrong number of columns"),
    ],
)
def test_a_bad_line_is_kept_back_with_its_reason_and_the_rest_goes_on(
    read: Read, bad: str, reason: str
) -> None:
    """The good lines before and after it make their order."""
    rows = read(GOOD, bad, GOOD)
    kept = [one for one in rows if isinstance(one, Skipped)]
    assert [(one.reason, one.records) for one in kept] == [(reason, 1)]
    assert [one for one in rows if isinstance(one, Order)] == [
        Order("536365", "17850", ORDER.placed_at, 2, Decimal("30.60"), cancelled=False)
    ]


def test_what_a_line_with_a_bad_date_is_worth_is_not_lost(read: Read) -> None:
    """Its amount is known, and is skipped with it."""
    assert read(line(at="?")) == [Skipped("unreadable date", 1, Decimal("15.30"))]


def test_a_line_that_the_csv_reader_refuses_loses_no_other(read: Read) -> None:
    """Lines before it in the same gulp, and those after it, become orders."""
    endless = line(number='"' + "x" * 200_000).replace(",", " ")
    assert read(GOOD, endless, GOOD) == [
        Skipped("wrong number of columns"),
        evolve(ORDER, lines=2, total=Decimal("30.60")),
    ]


def test_an_invoice_with_several_customers_is_nobodys(read: Read) -> None:
    """Whose it is cannot be known: all of it is skipped."""
    assert read(line(), line(customer="2"), line(customer="")) == [
        Skipped("invoice with several customers", 3, Decimal("45.90"))
    ]


def test_two_customers_with_mangled_numbers_do_not_become_one(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are refused in a customer's number, and ignored in a description."""
    header, good = (
        b"InvoiceNo,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n",
        b"2010-12-01 08:26:00",
    )
    file = tmp_path / "latin.csv"
    file.write_bytes(header + b"1,caf\xe9,1," + good + b",1,1\n2,x,1," + good + b",1,\xe9\n")
    kept, order = Orders().read(file)
    assert kept == Skipped("unreadable customer", 1, Decimal(1))
    assert isinstance(order, Order)


def test_a_header_without_its_columns_is_rejected_by_their_names(read: Read) -> None:
    """The file as a whole is not an order file."""
    with pytest.raises(InvalidInputError, match="header: the header lacks Quantity, UnitPrice"):
        read(GOOD, header=HEADER.replace("Quantity", "Amount").replace("UnitPrice", "Price"))


def test_an_empty_file_is_rejected(tmp_path: Path) -> None:
    """No header, so no columns."""
    (tmp_path / "empty.csv").touch()
    with pytest.raises(
        InvalidInputError, match="lacks InvoiceNo, InvoiceDate, CustomerID, Quantity, UnitPrice"
    ):
        list(Orders().read(tmp_path / "empty.csv"))


def test_a_shop_with_other_columns_names_them(tmp_path: Path) -> None:
    """Column names and the mark of a cancellation are the shop's."""
    file = tmp_path / "own.csv"
    file.write_text("bestellung,datum,kunde,menge,preis\nS-1,2026-01-01T10:00:00+02:00,k1,-1,5\n")
    shop = Orders(ColumnMapping("bestellung", "datum", "kunde", "menge", "preis"), cancelled_prefix="S-")
    assert list(shop.read(file)) == [
        Order("S-1", "k1", datetime(2026, 1, 1, 8, tzinfo=UTC), 1, Decimal(-5), cancelled=True)
    ]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_every_form_of_the_file_gives_the_same_orders(form: str, packed: bool, tmp_path: Path) -> None:
    """CSV and JSON lines, gzipped or not; numbers in JSON may be numbers, a missing customer null."""
    values = {"Quantity": 6, "InvoiceDate": "2010-12-01 08:26:00", "UnitPrice": 2.55, "Country": "France"}
    rows = [
        {"InvoiceNo": "536365", "CustomerID": 17850, **values},
        {"InvoiceNo": 7, "CustomerID": None, **values},
    ]
    if form == "jsonl":
        text = "\n".join(json.dumps(row) for row in rows)
    else:
        text = "\n".join([",".join(rows[0]), *(",".join(str(v or "") for v in row.values()) for row in rows)])
    file = tmp_path / (f"orders.{form}.gz" if packed else f"orders.{form}")
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    nobodys = Order("7", None, ORDER.placed_at, 1, Decimal("15.30"), cancelled=False)
    assert list(Orders().read(file)) == [ORDER, nobodys]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"InvoiceNo": "1"}', "line without all its fields"),
        ("[1, 2]", "unreadable line"),
        ("{", "unreadable line"),
        ("[" * 100_000, "unreadable line"),
        (
            '{"InvoiceNo": "1", "Quantity": true, "InvoiceDate": "", "UnitPrice": 1, "CustomerID": 1}',
            "unreadable line",
        ),
    ],
    ids=["a field is missing", "a list", "broken off", "nested without end", "a field of the wrong type"],
)
def test_a_bad_json_line_is_kept_back(text: str, reason: str, tmp_path: Path) -> None:
    """It says which way it was bad, and stops nothing."""
    (tmp_path / "orders.jsonl").write_text(f"{text}\n\n")
    assert list(Orders().read(tmp_path / "orders.jsonl")) == [Skipped(reason)]


@pytest.mark.parametrize(
    "content",
    [b"not gzip", gzip.compress(b"InvoiceNo\n" * 999)[:-20], None],
    ids=["not gzip", "broken off", "not there"],
)
def test_a_file_that_cannot_be_opened_is_rejected_by_name(content: bytes | None, tmp_path: Path) -> None:
    """Broken packing, a broken-off download, no file at all: one of our errors."""
    file = tmp_path / "orders.csv.gz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInputError):
        list(Orders().read(file))
