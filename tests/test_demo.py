"""``make demo``, run as readers run it, and its errors."""

import gzip
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEMO = (sys.executable, "-m", "examples.demo")
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def run_demo(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the demonstration to its end."""
    return subprocess.run(
        [*DEMO, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def output() -> str:
    """Its output with the sample data."""
    done = run_demo()
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def step(printed: str, beginning: str) -> str:
    """The output from one heading to the next."""
    return printed.partition(f"▌ {beginning}")[2].partition("▌")[0]


def test_purchases_move_a_ranking(output: str) -> None:
    """The point of it all."""
    moved = re.search(r"^Profiles that moved: (.+)$", output, re.MULTILINE)
    assert moved
    assert moved[1] != "none"


def test_a_harmful_policy_is_refused_with_its_rule_and_source(output: str) -> None:
    """So that a reader can look it up."""
    refused = step(output, "A policy that punishes opinions is refused")
    assert "POL-1" in refused
    assert "GDPR 9" in refused


def test_somebody_who_declined_has_no_score(output: str) -> None:
    """And a withdrawal takes effect: the leaver has none either, at the shop and at the reader's."""
    assert "not a low score" in step(output, "A person who declined")
    before = step(output, "Explain one person's score")
    after = step(output, "Withdraw the first person's consent")
    assert "not a low score" not in before
    assert "not a low score" in after
    assert re.search(r"sesame score \S+ .*\n(.*\n)*.* - +-", after), after


def test_with_other_orders_the_posts_are_by_their_customers(tmp_path: Path) -> None:
    """Its posts are by the people of the file, so the hub accepts some."""
    rows = "".join(
        f"{900 + n},A,thing,{1 + n % 7},2026-0{1 + n % 5}-1{n % 9} 10:00:00,{5 + n}.50,c-{n % 25},Here\n"
        for n in range(120)
    )
    (tmp_path / "orders.csv").write_text(HEADER + rows)
    done = run_demo("--data", tmp_path / "orders.csv")
    assert done.returncode == 0, done.stdout + done.stderr
    forum = done.stdout.rpartition("sesame post --config forum")[2]
    accepted = re.search(r"hub: accepted +(\d+)", forum)
    assert accepted
    assert int(accepted[1]) > 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        pytest.param("orders.csv", b"who,what\nada,thing\n", "the header lacks", id="a wrong header"),
        pytest.param(
            "orders.csv.gz", gzip.compress(HEADER.encode() * 9)[:-20], "cannot be read", id="a broken gzip"
        ),
    ],
)
def test_an_unreadable_file_is_an_error_of_one_line(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    """No traceback, and the exit code of wrong input."""
    (tmp_path / name).write_bytes(content)
    done = run_demo("--data", tmp_path / name)
    assert done.returncode == 4
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_interrupted_demonstration_ends_in_one_word() -> None:
    """Ctrl-C goes to the whole group, as a terminal sends it; nothing is left running."""
    with subprocess.Popen(
        DEMO, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if "policy load" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in complaint
    assert complaint.strip() == "interrupted"
