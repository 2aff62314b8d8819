"""Order lines read by DuckDB: what a text means, what a bad line costs, and how much memory it takes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sesame_retail import ColumnMapping, Order, Orders
from sesame_retail.files import order_sql
from sesame_retail.files.mapping import FileFormat, FileMapping, parse_mapping
from sesame_retail.files.order_lines import OrderLines

from sesame_sdk import InvalidInputError, Skipped, records

HEADER = "InvoiceNo,Description,Quantity,InvoiceDate,UnitPrice,CustomerID"


def test_a_bad_line_is_named_by_its_number_and_shown(tmp_path: Path) -> None:
    """After quoted fields with line feeds in them too."""
    good = "1,x,1,2026-01-01,1,ada"
    lines = [
        HEADER,
        good,
        '2,"one\ntwo",1,2026-01-01,1,ada',
        "3,x,one,2026-01-01,1,ada",
        "4,x",
        good,
        "5,x,1,?,1,ada",
    ]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(lines))
    skipped = [event for event in Orders().read(file) if isinstance(event, Skipped)]
    assert sorted((item.line, item.reason, item.text) for item in skipped) == [
        (5, "unreadable quantity", lines[3]),
        (6, "wrong number of columns", lines[4]),
        (8, "unreadable date", lines[6]),
    ]


_PEAK = """
import re, sys
from collections import deque
from pathlib import Path
from sesame_retail import Orders

deque(Orders().read(Path(sys.argv[1])), 0)
# Not `ru_maxrss`, which begins at the memory of the process that started this one.
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.long
def test_ten_times_the_file_takes_the_same_memory(tmp_path: Path) -> None:
    """100 MB of 220,000 orders, against 10 MB: DuckDB writes to disk what is beyond its limit."""
    peaks = []
    for orders in (22_000, 220_000):
        file = tmp_path / f"{orders}.csv"
        with file.open("w") as out:
            out.write(HEADER + "\n")
            for number in range(orders):
                line = f"{number},{'a thing of no matter ' * 3},2,2026-01-01 10:00:00,1.25,{number % 999}\n"
                out.write(line * 5)
        done = subprocess.run([sys.executable, "-c", _PEAK, file], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) / 1024)
    assert (tmp_path / "220000.csv").stat().st_size > 100_000_000
    assert max(peaks) < 400, peaks


def read_one(tmp_path: Path, *, decimal_comma: bool = False, **fields: str) -> Order | Skipped:
    """The outcome of one order line, whose delimiter is a tab."""
    values = {"no": "1", "at": "2026-01-01", "who": "ada", "n": "1", "p": "1", **fields}
    file = tmp_path / "one.csv"
    file.write_text("\t".join(values) + "\n" + "\t".join(values.values()) + "\n")
    columns = ColumnMapping("no", "at", "who", "n", "p")
    shop = Orders(columns, "", FileFormat(delimiter="\t", decimal_comma=decimal_comma))
    (event,) = shop.read(file)
    return event


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("59.990000", "59.99"),
        ("16.583333", "16.583333"),
        (".50", "0.5"),
        ("1,250.00", "1250"),
        ("1'250.00", "1250"),
        ("1\u2019250.00", "1250"),
        ("1\u202f249.90", "1249.9"),
        ("1\xa0249.90", "1249.9"),
        ("-5", "-5"),
        ("\u22125", "-5"),
        ("5.00-", "-5"),
        ("(5.00)", "-5"),
        ("\xa35.00", "5"),
        ("-\xa35.00", "-5"),
        ("5.00 GBP", "5"),
        ("\u20ac5.00", None),
        ("1,25", None),
        ("1.250,00", None),
        ("1,250'000", None),
        ("1e3", None),
        ("1_000", None),
        ("2.5500001907348633", None),
        ("#####", None),
        ("0x10", None),
        ("", None),
    ],
)
def test_money_is_read_in_any_exact_spelling(text: str, amount: str | None, tmp_path: Path) -> None:
    """The sign of another currency, and what is not exact, are unreadable: nothing is rounded."""
    event = read_one(tmp_path, p=text)
    if amount is None:
        assert event == Skipped("unreadable price", 1, column="p", form=records.value_form(text))
    else:
        assert isinstance(event, Order)
        assert event.total == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1.000", 1000), ("6,00", 6), ("1\u202f500", 1500), ("6", 6), ("6,5", None), ("6.00", None)],
)
def test_quantities_have_the_decimal_comma_too(text: str, amount: int | None, tmp_path: Path) -> None:
    """One locale a file: 1.000 pieces are a thousand."""
    event = read_one(tmp_path, decimal_comma=True, n=text)
    assert (event.total if isinstance(event, Order) else None) == amount


@pytest.mark.parametrize(
    "text",
    ["2026-05-01 10:00", "2026-05-01T10:00:00Z", "2026-05-01 06:00:00 -0400", "2026-05-01 10:00:00 UTC",
     "2026-05-01T12:00:00.000+02:00", "2026/05/01 10:00:00", "2026-05-01T10:00:00.000000000Z"],
)  # fmt: skip
def test_a_time_is_read_as_databases_and_platforms_write_it(text: str, tmp_path: Path) -> None:
    """With any offset, with a blank before it too, and with more digits than a clock has."""
    event = read_one(tmp_path, at=text)
    assert isinstance(event, Order)
    assert f"{event.placed_at:%Y-%m-%d %H:%M}" == "2026-05-01 10:00"


@pytest.mark.parametrize("text", ["epoch", "infinity", "2026-02-30", "01.05.2026", "20260501", "10:00"])
def test_a_text_that_is_no_time_is_unreadable(text: str, tmp_path: Path) -> None:
    """Also a word that DuckDB would take for a time."""
    assert read_one(tmp_path, at=text) == Skipped(
        "unreadable date", 1, Decimal(1), column="at", form=records.value_form(text)
    )


ids = st.one_of(
    st.text(alphabet="019.eE+#- \u00a0\u200bAaN\ufffd", max_size=12),
    st.sampled_from(
        ["17850.0", "NULL", "\\N", "9007199254740993.0", "9007199254740991.0", "1.5E+10", "None", "#####"]
    ),
    st.integers(0, 10**20).map(lambda number: f"{number}.0"),
)


@pytest.fixture(scope="module")
def database() -> Iterator[OrderLines]:
    """The rules in SQL."""
    with OrderLines(FileMapping()) as lines:
        yield lines


@settings(deadline=None)  # a database answers
@given(st.lists(ids, min_size=1, max_size=30))
@example([" 17850 ", "17850.00", "1E15", "0"])
def test_an_id_means_the_same_in_sql_and_in_python(database: OrderLines, texts: list[str]) -> None:
    """One set of rules, for orders in DuckDB and for the files of other plugins in Python."""

    def expected(text: str) -> str | None:
        try:
            return records.clean_id(text, "customer")
        except InvalidInputError:
            return "altered"

    rows = database.ask(
        "SELECT CASE WHEN is_altered(t, cleaned(t)) THEN 'altered' ELSE cleaned(t) END FROM"
        " (SELECT trimmed(unnest(?)) AS t)",
        texts,
    )
    assert [row[0] for row in rows] == [expected(text) for text in texts]


def write_rows(path: Path, rows: dict[str, list[object]]) -> Path:
    """A file of some rows, in the format that its name says."""
    if path.suffix == ".parquet":
        parquet.write_table(pa.table(rows), path)
    else:
        lines = (dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True))
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize("name", ["o.jsonl", "o.parquet"])
def test_numbers_that_a_double_does_not_hold_are_not_merged(name: str, tmp_path: Path) -> None:
    """Two customers beyond 2^53 would be one; both lines are rejected."""
    rows: dict[str, list[object]] = {
        "InvoiceNo": ["1", "2", "3"],
        "InvoiceDate": ["2026-01-01"] * 3,
        "CustomerID": [9007199254740992.0, 9007199254740994.0, 17850.0],
        "Quantity": [1, 1, 1],
        "UnitPrice": [2.55, 2.55, 2.55],
    }
    events = list(Orders().read(write_rows(tmp_path / name, rows)))
    assert [event.reason for event in events if isinstance(event, Skipped)] == ["unreadable customer"] * 2
    assert [event.customer for event in events if isinstance(event, Order)] == ["17850"]


def test_a_short_float_of_parquet_is_the_decimal_that_it_prints(tmp_path: Path) -> None:
    """2.55 in 32 bits is 2.55; a third is no decimal."""
    table = {
        "InvoiceNo": ["1", "2"],
        "InvoiceDate": ["2026-01-01"] * 2,
        "CustomerID": ["ada"] * 2,
        "Quantity": pa.array([3, 3], pa.int16()),
        "UnitPrice": pa.array([2.55, 1 / 3], pa.float32()),
    }
    parquet.write_table(pa.table(table), tmp_path / "o.parquet")
    rejected, order = Orders().read(tmp_path / "o.parquet")
    assert rejected == Skipped("unreadable price", 1, column="UnitPrice", form="9.99999999")
    assert isinstance(order, Order)
    assert order.total == Decimal("7.65")


NESTED = parse_mapping(
    {
        "cancelled_prefix": "",
        "columns": {
            "number": "order.id",
            "date": "order.at",
            "customer": "buyer.id",
            "quantity": "lines[].n",
            "price": "lines[].price",
        },
    }
)


def test_nested_json_lines_have_a_line_for_each_item(tmp_path: Path) -> None:
    """An object without items is one line that cannot be read, so that its order is not lost."""
    head = {"order": {"id": 7, "at": "2026-01-01"}, "buyer": {"id": 17850}}
    lines = [
        {**head, "lines": [{"n": 2, "price": 1.5}, {"n": 1, "price": "2.00"}]},
        {**head, "order": {"id": 8, "at": "2026-01-01"}, "lines": []},
    ]
    (tmp_path / "o.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    rejected, order = Orders.from_mapping(NESTED).read(tmp_path / "o.jsonl")
    assert isinstance(rejected, Skipped)
    assert (rejected.line, rejected.reason) == (2, "line without all its fields")
    assert isinstance(order, Order)
    assert (order.number, order.customer, order.lines, order.total) == ("7", "17850", 2, Decimal(5))


def test_half_a_surrogate_pair_in_a_field_that_is_not_read_costs_nothing(tmp_path: Path) -> None:
    """Text that was cut within an emoji; the order counts."""
    (tmp_path / "o.jsonl").write_text(
        '{"InvoiceNo":"1","Quantity":1,"InvoiceDate":"2026-01-01","UnitPrice":1,"CustomerID":1,'
        '"note":"cut \\ud83d"}\n'
    )
    (order,) = Orders().read(tmp_path / "o.jsonl")
    assert isinstance(order, Order)


def test_a_field_that_is_there_twice_is_rejected(tmp_path: Path) -> None:
    """Which of two customers it is cannot be known."""
    (tmp_path / "o.jsonl").write_text(
        '{"InvoiceNo":"1","Quantity":1,"InvoiceDate":"2026-01-01","UnitPrice":1,"CustomerID":1,"CustomerID":2}\n'
    )
    assert list(Orders().read(tmp_path / "o.jsonl")) == [Skipped("field that is there twice")]


def test_a_path_that_no_line_has_is_refused(tmp_path: Path) -> None:
    """A misspelt customer would make all orders those of guests."""
    (tmp_path / "o.jsonl").write_text(
        '{"InvoiceNo":"1","Quantity":1,"InvoiceDate":"2026-01-01","UnitPrice":1,"Customer":1}\n'
    )
    with pytest.raises(InvalidInputError, match="no line has CustomerID"):
        list(Orders().read(tmp_path / "o.jsonl"))


@pytest.mark.parametrize("text", ["'", "x'; DROP TABLE parsed; --", 'a"b', "$(x)", "{}"])
def test_a_name_from_outside_is_quoted(text: str, tmp_path: Path) -> None:
    """Names of columns, words of states, time zones: none is SQL."""
    (tmp_path / "o.csv").write_text(
        f'no,"{text.replace(chr(34), 2 * chr(34))}",who,sum,st\n1,2026-01-01,ada,5,{text[:1]}\n'
    )
    reading = {
        "columns": {"number": "no", "date": text, "customer": "who", "amount": "sum"},
        "states": {"counts": [text]},
    }
    (order,) = Orders.from_mapping(parse_mapping(reading)).read(tmp_path / "o.csv")
    assert isinstance(order, Order)
    assert order_sql.quote(text).count("'") % 2 == 0


def test_no_extension_is_downloaded() -> None:
    """A file that asks for one is not answered."""
    with OrderLines(FileMapping()) as lines:
        settings = dict(
            lines.ask("SELECT name, value FROM duckdb_settings() WHERE name LIKE '%load_known_extensions'")
            + lines.ask(
                "SELECT name, value FROM duckdb_settings() WHERE name LIKE '%install_known_extensions'"
            )
        )
    assert settings == {"autoload_known_extensions": "false", "autoinstall_known_extensions": "false"}
