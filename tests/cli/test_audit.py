"""``sesame audit``: exit codes, what goes where, and that people's groups can be set."""

import json
from pathlib import Path

import pytest

from tests.audit.policies import BENEFIT, EVERYTHING, HEAD
from tests.cli.conftest import POLICIES, Run, Type, data

COMMUNITY = POLICIES / "community.toml"
BAD = POLICIES / "refused" / "punishes_opinions.toml"
FEW = ("--people", "2000")


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy without findings."""
    return written(tmp_path / "shop.toml")


def written(path: Path, old: str = "", new: str = "") -> Path:
    """The shop's policy in a file, with `new` in the place of `old`."""
    text = "".join((HEAD, *EVERYTHING)).format(orders=1, spend=0.02, good=580, benefit=BENEFIT)
    path.write_text(text.replace(old, new) if old else text)
    return path


def test_a_clean_policy_ends_with_zero_even_when_strict(run: Run, policy: Path) -> None:
    """The report goes to stdout, and nothing but it."""
    done = run("audit", policy, *FEW, "--strict")
    assert done.code == 0
    assert "2,000 simulated people" in done.out
    assert not done.err


def test_strict_exits_with_three_for_warnings(run: Run, tmp_path: Path) -> None:
    """And with zero where they are not."""
    policy = written(tmp_path / "shop.toml", "partner_cap = 30", "partner_cap = 80")
    assert run("audit", policy, *FEW).code == 0
    strict = run("audit", policy, *FEW, "--strict")
    assert strict.code == 3
    assert "PTN-1" in strict.out


def test_a_refused_policy_ends_with_three_and_is_not_played(run: Run) -> None:
    """The report holds the findings, each with a hint."""
    done = run("audit", BAD, "--json")
    assert done.code == 3
    report = data(done.out)
    assert report["simulation"] is None
    assert {each["rule"] for each in report["findings"]} == {"POL-1"}
    assert all(each["hint"] for each in report["findings"])
    assert "POL-1" in run("audit", BAD).out


def test_a_metric_that_refuses_ends_with_three(run: Run, policy: Path, tmp_path: Path) -> None:
    """Here, people would change their free choices for points."""
    (tmp_path / "people.toml").write_text("people = 2000\n[leak]\nwriting = 0.9\n")
    done = run("audit", policy, "--population", "people.toml")
    assert done.code == 3
    assert "CNF-2" in done.out


def test_the_same_seed_prints_the_same_bytes(run: Run, policy: Path) -> None:
    """Whatever the file that the settings come from; what is typed counts more."""
    one = run("audit", policy, *FEW, "--seed", "5", "--days", "100", "--json").out
    Path("people.toml").write_text("people = 3000\nseed = 5\ndays = 100\n")
    two = run("audit", policy, *FEW, "--population", "people.toml", "--json").out
    assert one == two
    assert data(one)["simulation"]["seed"] == 5
    assert data(one)["simulation"]["days"] == 100


def test_against_itself_nothing_changes(run: Run, policy: Path) -> None:
    """All zeros, and PSI 0."""
    change = data(run("audit", policy, *FEW, "--baseline", policy, "--json").out)["change"]
    assert change["psi"]["value"] == 0
    everyone = change["groups"]["all people"]
    assert everyone["share_rising"] == everyone["share_falling"] == 0


def test_an_older_policy_shows_what_the_change_does(run: Run, policy: Path, tmp_path: Path) -> None:
    """In text as well."""
    old = written(tmp_path / "old.toml", "weight = 1\n", "weight = 3\n")
    done = run("audit", policy, *FEW, "--baseline", old)
    assert done.code == 0
    assert "all people" in done.out


def test_json_holds_no_nan(run: Run, policy: Path) -> None:
    """Strict parsers read it."""
    out = run("audit", policy, "--people", "100", "--json").out
    json.loads(out, parse_constant=pytest.fail)


def test_a_page_is_written_beside_the_report(run: Run, policy: Path, tmp_path: Path) -> None:
    """One file, without a script."""
    done = run("audit", policy, *FEW, "--html", "report.html")
    assert done.code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert "<script" not in page
    assert "2,000 simulated people" in done.out


def test_a_report_that_cannot_be_written_is_an_error(run: Run, policy: Path) -> None:
    """By its name, and without a traceback."""
    done = run("audit", policy, *FEW, "--html", "nowhere/report.html")
    assert done.code == 1
    assert "nowhere/report.html" in done.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("--people", "99"), 4, "people: must be a whole number", id="too few people"),
        pytest.param(("--seed", "-1"), 4, "seed: must be", id="a seed below nothing"),
        pytest.param(("--population", "people.toml"), 2, "people.toml, line 1, persons", id="an unknown key"),
        pytest.param(("--baseline", BAD), 3, "POL-1", id="an older policy that is refused"),
        pytest.param(
            ("--baseline", COMMUNITY), 4, "of the same context", id="an older policy of another score"
        ),
        pytest.param(("--baseline", "nowhere.toml"), 2, "nowhere.toml", id="no older policy"),
    ],
)
def test_wrong_input_is_an_error_in_one_line(
    run: Run, policy: Path, words: tuple[str | Path, ...], code: int, says: str
) -> None:
    """With its exit code, and nothing on stdout."""
    Path("people.toml").write_text("persons = 100\n")
    done = run("audit", policy, *words)
    assert (done.code, done.out) == (code, "")
    assert says in done.err


def test_without_the_audit_extra_it_says_what_to_install(sesame: Type, policy: Path, tmp_path: Path) -> None:
    """As any installation does that lacks numpy."""
    (tmp_path / "numpy.py").write_text("raise ModuleNotFoundError(name='numpy')\n")
    done = sesame("audit", policy, env={"PYTHONPATH": str(tmp_path), "PATH": ""})
    assert done.returncode == 2
    assert "numpy is not installed (pip install 'sesame-sdk[audit]')" in done.stderr
