"""A copy of a text file has one record a line, and a stray quote costs no other line."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sesame_retail import Order, Orders
from sesame_retail.files import text_files
from sesame_retail.files.text_files import Dialect

from sesame_sdk import InvalidInputError, Skipped

HEADER = "InvoiceNo,Description,Quantity,InvoiceDate,UnitPrice,CustomerID"


def copied(text: bytes, width: int, size: int = text_files.BLOCK) -> list[str]:
    """The lines of the copy of a file that is read some bytes at a time."""
    blocks = text_files.whole_lines(text[at : at + size] for at in range(0, len(text), size))
    out = io.BytesIO()
    text_files.copy_records(blocks, out, Dialect("utf-8", ",", tuple("x" * width)))
    return out.getvalue().decode().split("\n")[:-1]


# A line within a field that is a record by itself cannot be told from one after a stray quote.
cells = st.one_of(st.text(alphabet='a," é', max_size=6), st.text(alphabet="a\n é", max_size=6))


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=8), st.integers(1, 60))
@example([["1", "a\nb", '"'], ["2", "", ""]], 3)
def test_what_the_csv_module_writes_is_read_as_it_was(rows: list[list[str]], size: int) -> None:
    """Whatever the cells; a line feed within one becomes a vertical tab, and lines keep their number."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    lines = copied(out.getvalue().encode(), 3, size)
    assert len(lines) == out.getvalue().count("\n")
    found = [row for row in csv.reader(line for line in lines if line) if row]
    wanted = [[cell.replace("\n", "\v") for cell in row] for row in rows]
    assert _filled(found) == _filled(wanted)


def _filled(rows: list[list[str]]) -> list[list[str]]:
    """Rows that hold more than quotes and separators; others may pass for blank lines."""
    return [row for row in rows if any(cell.strip(' ,"\v') for cell in row)]


@given(
    st.integers(0, 5), st.sampled_from(['"', '"12 INCH', 'A "B', 'A" x 4"', '5" disc', 'say ""hi', '"a" b'])
)
def test_a_stray_quote_costs_at_most_its_own_line(at: int, text: str) -> None:
    """The lines before and after it are as they were."""
    lines = [f'{n},"quoted, {n}",{n}' if n % 2 else f"{n},plain,{n}" for n in range(6)]
    lines[at] = f"{at},{text},{at}"
    found = list(csv.reader(copied("\n".join([*lines, ""]).encode(), 3)))
    assert [row[0] for row in found] == [str(n) for n in range(6)]
    others = [n for n in range(6) if n != at]
    assert [found[n] for n in others] == [
        [str(n), f"quoted, {n}" if n % 2 else "plain", str(n)] for n in others
    ]


def write(tmp_path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    """A file of orders under the usual header."""
    file = tmp_path / "orders.csv"
    file.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return file


GOOD = "1,x,1,2026-01-01,1,ada"


def test_a_field_with_line_feeds_is_one_line_and_the_numbers_of_others_stay(tmp_path: Path) -> None:
    """The note of the last column too; the line after it is named by its number in the file."""
    file = write(tmp_path, HEADER, '1,"one\ntwo\n\nthree",1,2026-01-01,1,ada', "", "2,x,1,?,1,ada", GOOD)
    rejected, *orders = Orders().read(file)
    assert isinstance(rejected, Skipped)
    assert (rejected.line, rejected.reason, rejected.column, rejected.form) == (
        7,
        "unreadable date",
        "InvoiceDate",
        "?",
    )
    assert sum(order.lines for order in orders if isinstance(order, Order)) == 2


def test_what_stands_above_the_header_is_left_out(tmp_path: Path) -> None:
    """A separator line, the title of a report, a blank line; line numbers count them."""
    header, good = HEADER.replace(",", ";"), GOOD.replace(",", ";")
    file = write(tmp_path, "sep=;", "Orders of May", "", header, good, ";;;;;", "2;x;one;2026-01-01;1;ada")
    rejected, order = Orders().read(file)
    assert isinstance(order, Order)
    assert isinstance(rejected, Skipped)
    assert (rejected.line, rejected.column) == (7, "Quantity")


def test_a_wanted_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two is meant cannot be known; another column may be there twice."""
    with pytest.raises(InvalidInputError, match="the header has CustomerID twice"):
        list(Orders().read(write(tmp_path, f"{HEADER},CustomerID", f"{GOOD},bob")))
    (order,) = Orders().read(write(tmp_path, f"{HEADER},Description", f"{GOOD},y"))
    assert isinstance(order, Order)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_a_byte_order_mark_decides_the_encoding(encoding: str, tmp_path: Path) -> None:
    """Whatever the mapping says."""
    plain = encoding.removesuffix("-bom")
    mark = "\ufeff" if encoding.endswith("-bom") else ""
    file = write(tmp_path, mark + HEADER, "1,x,1,2026-01-01,1,Åsa", encoding=plain)
    (order,) = Orders().read(file)
    assert isinstance(order, Order)
    assert order.customer == "Åsa"


def test_an_endless_line_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    """Memory does not hold it."""
    file = write(tmp_path, HEADER, GOOD, "x" * (3 * text_files.MAX_LINE), GOOD)
    rejected, order = Orders().read(file)
    assert isinstance(order, Order)
    assert (order.lines, rejected) == (2, Skipped("wrong number of columns"))
