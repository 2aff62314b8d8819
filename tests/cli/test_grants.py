"""``sesame grants``: single ones, files of them, and what is known already."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import RANKING, SHOP, Run, data

S_ADA, S_BEN = "ada".ljust(26, "y"), "ben".ljust(26, "y")
HEADER = "person,partner,subject,direction,kinds,purpose,context,crossings,adult"
ADA = f"ada,{SHOP},{S_ADA},send,retail.order.completed retail.order.spend,,,,yes"
BEN = f"ben,{SHOP},{S_BEN},read,,{RANKING},matchmaking,retail,yes"
LOAD = ("grants", "import", "--hub", "hub", "g.csv")
ONE = ("grants", "add", "--hub", "hub", "--person", "ada", "--partner", SHOP, "--subject", S_ADA)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, hub: Path) -> Write:
    """Write lines into the file that `LOAD` loads, beside a hub that knows the shop."""
    assert hub.parent == tmp_path

    def write(*lines: str, encoding: str = "utf-8") -> Path:
        (tmp_path / "g.csv").write_text("".join(f"{line}\n" for line in lines), encoding=encoding)
        return tmp_path / "g.csv"

    return write


def test_a_file_loaded_again_records_nothing_again(run: Run, write: Write) -> None:
    """Repeated rows and another order of kinds change nothing."""
    write(HEADER, ADA, BEN)
    assert "recorded 2 new grants; 0 were recorded before" in run(*LOAD).err
    write(HEADER, ADA, BEN, BEN, f"ada,{SHOP},{S_ADA},send,retail.order.spend retail.order.completed,,,,yes")
    assert "recorded 0 new grants; 4 were recorded before" in run(*LOAD).err


def test_a_withdrawn_consent_does_not_come_back_with_its_file(run: Run, write: Write) -> None:
    """A renewed consent needs a new grant with its time."""
    write(HEADER, ADA, BEN)
    run(*LOAD)
    withdraw = ("grants", "withdraw", "--hub", "hub", "--person", "ada", "--partner", SHOP)
    assert "no grants to withdraw" in run(*withdraw, "--direction", "read").err
    assert "withdrew 1 grant" in run(*withdraw, "--direction", "send").err
    again = run(*LOAD)
    assert "recorded 0 new grants; 2 were recorded before" in again.err
    assert "1 were withdrawn since; to record consent given again, fill in given_at" in again.err
    valid = [row["valid"] for row in data(run("grants", "list", "--hub", "hub", "--json").out)]
    assert valid == [False, True]
    write(f"{HEADER},given_at", f"{ADA},2026-05-01T10:00:00+02:00", f"{BEN},")
    assert "recorded 1 new grants; 1 were recorded before" in run(*LOAD).err
    assert "recorded 0 new grants; 2 were recorded before" in run(*LOAD).err


def test_an_expired_consent_is_listed_as_not_valid(run: Run, write: Write) -> None:
    """The file gives both times."""
    write(f"{HEADER},given_at,expires_at", f"{ADA},2020-01-01T00:00:00Z,2020-02-01T00:00:00Z")
    run(*LOAD)
    (row,) = data(run("grants", "list", "--hub", "hub", "--json").out)
    assert (row["given_at"], row["valid"]) == ("2020-01-01 00:00", False)


def test_one_bad_line_among_a_thousand_records_nothing(run: Run, write: Write) -> None:
    """The last one of 1,001, so that no batch before it slips through."""
    letters = [f"{number:03}".translate(str.maketrans("0123456789", "abcdefghij")) for number in range(1000)]
    people = [f"{three},{SHOP},{three:z<26},send,retail.order.spend,,,,yes" for three in letters]
    write(HEADER, *people, f"last,{SHOP},{S_ADA},sideways,retail.order.spend,,,,yes")
    done = run(*LOAD)
    assert done.code == 4
    assert "g.csv, line 1002: direction" in done.err
    assert data(run("grants", "list", "--hub", "hub", "--json").out) == []


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        pytest.param([], "line 1: lacks the column(s)", id="an empty file"),
        pytest.param([HEADER], "line 1: has no rows", id="a header and nothing else"),
        pytest.param([HEADER + ",colour", ADA + ",red"], "'colour'", id="a column that means nothing"),
        pytest.param([HEADER + ",person", ADA + ",x"], "twice", id="a column named twice"),
        pytest.param([HEADER, "ada,x"], "line 2: has not as many cells", id="a row that is too short"),
        pytest.param([HEADER, ADA + ",more"], "line 2: has not as many cells", id="a row that is too long"),
        pytest.param([HEADER, ADA, ADA[3:]], "line 3: person", id="a person without a name"),
        pytest.param([HEADER, "x" * 200_000 + ADA], "line 2: field larger", id="a field beyond all bounds"),
        pytest.param([HEADER, ADA.replace("shop", "unknown")], "line 2: partner", id="an unknown partner"),
        pytest.param([HEADER, ADA.replace(S_ADA, "17850")], "sesame keys pseudonym", id="a customer number"),
        pytest.param([HEADER, f'"{ADA}'], "line 2: unexpected end", id="an open quote"),
        pytest.param(
            [HEADER + ",given_at", ADA + ",2026-05-01"], "line 2: given_at", id="a time without a zone"
        ),
        pytest.param(
            [HEADER + ",given_at,expires_at", ADA + ",2026-05-02T00:00:00Z,2026-05-01T00:00:00Z"],
            "line 2: expires_at",
            id="an end before the beginning",
        ),
    ],
)
def test_a_broken_file_is_rejected_by_file_and_line(
    run: Run, write: Write, lines: list[str], says: str
) -> None:
    """Exit code 4 and one line."""
    write(*lines)
    done = run(*LOAD)
    assert (done.code, done.err.count("\n")) == (4, 1), done.err
    assert "g.csv" in done.err
    assert says in done.err


def test_a_person_of_unknown_age_cannot_consent(run: Run, write: Write) -> None:
    """MIN-1, exit code 3 and nothing recorded: by a file, whose line is named, and by options."""
    write(HEADER, ADA, BEN.replace(",yes", ",no"))
    done = run(*LOAD)
    assert done.code == 3
    assert "g.csv, line 3" in done.err
    assert "MIN-1" in done.err
    single = run(*ONE, "--send", "retail.order.completed")
    assert (single.code, "MIN-1" in single.err) == (3, True)
    assert "18" in single.err
    assert data(run("grants", "list", "--hub", "hub", "--json").out) == []


def test_encodings_other_than_utf_8_are_reported_by_line(run: Run, write: Write) -> None:
    """A byte order mark, as spreadsheets write it, is no error."""
    file = write(HEADER, ADA, BEN.replace("ben", "bén"), encoding="latin-1")
    done = run(*LOAD)
    assert (done.code, "g.csv, line 3: is not UTF-8" in done.err) == (4, True), done.err
    file.write_text(f"\ufeff{HEADER}\n{ADA}\n", encoding="utf-8")
    assert run(*LOAD).code == 0


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((*LOAD, "--person", "ada"), id="a file and an option of a single one"),
        pytest.param((*LOAD[:-1], "hub"), id="a folder where a file should be"),
        pytest.param((*ONE,), id="neither sending nor reading"),
    ],
)
def test_wrong_usage_of_add(run: Run, write: Write, words: tuple[str, ...]) -> None:
    """Exit code 2, nothing recorded."""
    write(HEADER, ADA)
    assert run(*words).code == 2
    assert data(run("grants", "list", "--hub", "hub", "--json").out) == []


def test_a_consent_to_something_unheard_of_is_recorded_with_a_warning(run: Run, hub: Path) -> None:
    """It may be a slip of the pen; it may also come before the registration."""
    assert hub.is_dir()
    sending = run(*ONE, "--send", "retail.order.complete", "--adult")
    assert "no partner has registered this kind yet: retail.order.complete" in sending.err
    reading = run(*ONE, "--read", RANKING, "--context", "matchmaking", "--adult")
    assert "no partner has registered this purpose yet" in reading.err
    assert "no policy is loaded for this context yet: matchmaking" in reading.err
    assert len(data(run("grants", "list", "--hub", "hub", "--json").out)) == 2


def test_a_wrong_pseudonym_is_corrected_and_no_grant_is_lost(run: Run, write: Write) -> None:
    """A customer number is not even recorded; the hint says how to get the pseudonym."""
    number = run(*ONE[:-1], "17850", "--send", "retail.order.spend", "--adult")
    assert (number.code, "sesame keys pseudonym" in number.err) == (4, True)
    write(HEADER, ADA)
    run(*LOAD)
    correct = ("grants", "correct-pseudonym", "--hub", "hub", "--person", "ada", "--partner", SHOP)
    done = run(*correct, "--subject", S_BEN)
    assert done.code == 0
    assert "corrected; deleted 0 signal(s)" in done.err
    assert len(data(run("grants", "list", "--hub", "hub", "--json").out)) == 1
    write(HEADER, ADA.replace(S_ADA, S_BEN))
    assert "recorded 0 new grants" in run(*LOAD).err
    assert run(*correct, "--subject", S_BEN).code == 4
