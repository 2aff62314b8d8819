"""CSV split in bulk says the same as the standard library's reader, whatever is in it."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sesame_retail import Orders
from sesame_retail.files import csv_reader

from sesame_sdk import Skipped

texts = st.text(alphabet='a1,"\n\r é', max_size=40)
HEADER = "InvoiceNo,Description,Quantity,InvoiceDate,UnitPrice,CustomerID"


def records(text: str, size: int) -> tuple[list[str], list[list[str]], int]:
    """Header, good rows and how many were bad, when the file is read so many bytes at a time."""
    stream = io.BytesIO(text.encode())
    read = stream.read
    stream.read = lambda _=-1: read(size)  # type: ignore[method-assign]
    file = csv_reader.CsvReader(csv_reader.read_lines(stream, "utf-8"), ",")
    width, rows, bad = len(file.header), [], 0
    for block in file.blocks():
        columns = [block.column(index) for index in range(width)]
        rows += [list(row) for row in zip(*columns, strict=True)]
        bad += len(block.bad)
    return file.header, rows, bad


@given(texts, st.integers(1, 50))
@example('a,b\n1,"2\n', 3)
@example('a,b\n"1""2",3\nx\n', 7)
@example("a,b\r\n1,2\r\r3,4", 1)
def test_it_says_what_the_standard_library_says(text: str, size: int) -> None:
    """Header, rows and the number of bad ones are the same, however the file falls into pieces."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    plain += "" if plain.endswith("\n") or not plain else "\n"
    rows = [row for row in csv.reader(io.StringIO(plain, newline="")) if row]
    while rows and not any(rows[0]):
        rows.pop(0)
    header, *rows = rows or [[]]
    good = [row for row in rows if len(row) == len(header)]
    unfinished = not rows and header[-1:] and header[-1].endswith("\n")  # a header that never ends is none
    if len(header) > 1 and not unfinished:
        assert records(text, size) == (header, good, len(rows) - len(good))


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
import resource, sys
from collections import deque
from pathlib import Path
from sesame_retail import Orders

from sesame_sdk import Skipped
from sesame_retail.files import invoice_buffer
invoice_buffer.MOST_HELD = 5000
deque(Orders().read(Path(sys.argv[1])), 0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.long
def test_ten_times_the_file_takes_the_same_memory(tmp_path: Path) -> None:
    """100 MB of 220,000 orders, against 10 MB: the peak of a process grows by less than 16 MB."""
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
    assert peaks[1] - peaks[0] < 16, peaks
