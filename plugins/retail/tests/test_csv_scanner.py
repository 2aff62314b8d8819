"""Lines read by numpy give the very runs that lines split one by one give."""

import csv
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sesame_retail.files import csv_reader, csv_scanner
from sesame_retail.files.field_parsers import AmountParser, UnreadableFieldError
from sesame_retail.files.row_blocks import Run, TextRows

WHICH, WORTH = (0, 4, 2), (1, 3)
names = st.sampled_from(
    ["1", "2", "", "é", "12345678", "123456789", "Ünïcode", "x" * 63, "y" * 70, 'a"b', "a,b"]
)
numbers = st.sampled_from(["1", "-2", "3.0", "100000000", "999999999", "+7"])
prices = st.sampled_from(["2.55", "0", "-11062.06", "999999999.9999", " 1.5", "0.0001", ""])
lines = st.lists(st.tuples(names, numbers, names, prices, names), max_size=12)
Runs = list[Run] | str


def runs(rows: TextRows) -> Runs:
    """The runs, or why there are none."""
    try:
        return list(rows.runs(WHICH, WORTH, AmountParser(decimal_comma=False)))
    except UnreadableFieldError as fault:
        return fault.reason


def written(rows: list[tuple[str, ...]], quoting: Callable[[str], bool]) -> str:
    """As a shop would write them."""
    quoted = [
        [_quoted(text) if quoting(text) or set(text) & set(',"') else text for text in row] for row in rows
    ]
    return "".join(",".join(row) + "\n" for row in quoted)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@given(lines, st.booleans(), st.integers(0, 4))
@example([("1", "999999999", "c", "999999999.9999", "d")] * 3, False, 0)
def test_runs_by_numpy_are_the_runs(rows: list[tuple[str, ...]], always: bool, repeats: int) -> None:
    """Exact sums, empty and long fields, quotes around all or some, sums beyond 64 bits."""
    repeated = [row for row in rows for _ in range(repeats + 1)]
    text = written(repeated, lambda _: always)
    scanned, (plain, _) = csv_scanner.scan_csv(text, ",", 5), csv_reader.split_records(text, ",", 5)
    if not rows:
        assert scanned is None
        return
    assert scanned is not None, "nothing in it is unusual"
    assert [scanned.column(at) for at in range(5)] == [plain.column(at) for at in range(5)]
    assert runs(scanned) == runs(plain)
    assert [scanned.place(at) for at in range(len(repeated))] == [
        plain.place(at) for at in range(len(repeated))
    ]


@given(st.text(alphabet='a1,"\n é', max_size=60))
@example('a,b\n"x\n""y""",2\n\n,\n')
@example('"",\n"a"b,c\n')
def test_what_it_takes_is_what_csv_takes(text: str) -> None:
    """Whatever stands in a text: the records and the bad lines are those of `csv.reader`, or it declines."""
    text += "\n"
    scanned = csv_scanner.scan_csv(text, ",", 2)
    if scanned is None:
        assert '"' in text
        return
    records = list(csv.reader(text.splitlines(keepends=True)))
    good = [tuple(row) for row in records if len(row) == 2]
    assert list(zip(scanned.column(0), scanned.column(1), strict=True)) == good
    assert len(scanned.bad) == sum(len(row) not in (0, 2) for row in records)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ('a"b,c\n', ","),
        ('"a"b,c\n', ","),
        ('"a,c\n', ","),
        ("a\0,b\n", ","),
        ("a\udce9,b\n", ","),
        ("a§b\n", "§"),
        (f"{'x' * 200_000},b\n", ","),
        ("", ","),
    ],
    ids=[
        "a quote within a field",
        "characters behind a quote",
        "a record that goes on",
        "a NUL",
        "bytes that were no text",
        "a delimiter of two bytes",
        "an endless field",
        "nothing",
    ],
)
def test_what_is_unusual_is_left_to_others(text: str, delimiter: str) -> None:
    """It is read line by line, as before."""
    assert csv_scanner.scan_csv(text, delimiter, 2) is None


def test_a_meaning_is_right_whichever_text_holds_its_slot() -> None:
    """More texts than there are slots, so that they take them from each other."""
    texts = [f"{number // 100}.{number % 100:02}" for number in range(60_000)]
    text = "".join(f"1,1,1,{price},1\n" for price in texts)
    amounts = AmountParser(decimal_comma=False)
    expected = sum(range(60_000)) * 100
    for _ in range(2):
        scanned = csv_scanner.scan_csv(text, ",", 5)
        assert scanned is not None
        assert [run[1:3] for run in scanned.runs(WHICH, WORTH, amounts)] == [(60_000, expected)]
