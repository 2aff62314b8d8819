"""What is printed: nothing of it is obeyed, nothing is cut without need, and output may end badly."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from examples.shell_helpers import SESAME
from sesame_sdk.cli.console import print_note, print_rows
from tests.cli.conftest import POLICIES
from tests.commands import run_sesame


@pytest.fixture(autouse=True)
def no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs the tests may say how wide its own terminal is."""
    monkeypatch.delenv("COLUMNS", raising=False)


EVIL = "[red]not markup[/] [/bold]:smile: \x1b[31m\u202egnp\u200b"
KIND = {"kind": "retail.order.completed", "reason": "word " * 30, "weight": 4.0}


def test_what_others_wrote_is_neither_markup_nor_a_control_sequence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In cells, headers, titles and notes."""
    print_rows([{EVIL: EVIL, "more": (EVIL, EVIL)}], as_json=False, title=EVIL)
    print_note(EVIL)
    out, err = capsys.readouterr()
    assert out.count("[red]not markup[/] [/bold]:smile:  [31mgnp") == 4
    assert err == "[red]not markup[/] [/bold]:smile:  [31mgnp\n" * 2, "a pipe's title is on stderr"
    assert not {"\x1b", "\u202e", "\u200b"} & set(out + err)


def test_a_pipe_gets_one_line_a_row_with_whole_values(capsys: pytest.CaptureFixture[str]) -> None:
    """Separated by tabs and not padded; numbers have no separators, so that programs can read them."""
    print_rows([{"a": "x" * 5000, "b": 12_345, "c": ("y", "z")}, {"a": "y", "b": None, "c": ()}])
    assert capsys.readouterr().out == f"a\tb\tc\n{'x' * 5000}\t12345\ty,z\ny\t-\t-\n"


@pytest.mark.parametrize("columns", [120, 80, 60])
def test_a_narrow_table_folds_at_spaces(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """COLUMNS gives the width, in a pipe too. No word is broken."""
    monkeypatch.setenv("COLUMNS", str(columns))
    print_rows([KIND, KIND])
    out = capsys.readouterr().out
    assert out.count("retail.order.completed") == 2
    assert len([word for word in out.split() if word == "word"]) == 60
    assert max(map(len, out.splitlines())) <= columns


def test_ids_and_urls_are_shortened_in_the_middle(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the columns do not fit otherwise; the ends of ids distinguish them."""
    monkeypatch.setenv("COLUMNS", "80")
    row = {"id": f"https://{'a' * 40}/first", "key": "k" * 42 + "_", "reason": "no more room"}
    print_rows([row, row])
    first = capsys.readouterr().out.splitlines()[2]
    assert first.startswith("https://aaa")
    assert "…" in first
    assert "/first" in first
    assert "kk_" in first
    assert first.endswith("no more room")


@pytest.mark.parametrize("columns", [80, 30])
def test_rows_that_do_not_fit_become_lists_of_fields(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """With all values whole."""
    monkeypatch.setenv("COLUMNS", str(columns))
    row = {f"name{number}": f"{number} is a number" for number in range(10)} | {"last": "x" * 25}
    print_rows([row, row])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == (23 if columns == 80 else 25)
    assert lines[0].split(maxsplit=1) == ["name0", "0 is a number"]
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param('"$SESAME" policy check "$POLICY" --json | head -c 1', id="a reader that leaves early"),
        pytest.param('"$SESAME" plugins >&-', id="a closed stdout"),
    ],
)
def test_a_closed_pipe_is_no_error(shell: str) -> None:
    """Exit code 0 and no complaint."""
    done = _shell(shell)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [("--help",), ("plugins",), ("plugins", "--json")])
def test_a_pipe_whose_reader_is_gone_is_no_error(words: tuple[str, ...]) -> None:
    """The reader closes before the first byte, so that no buffer hides it."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run([SESAME, *words], stdout=gone, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_behind_stdout_is_an_error_in_one_line() -> None:
    """Exit code 1: the data did not arrive."""
    for tail in ("", " --json"):
        done = _shell(f'"$SESAME" plugins{tail} > /dev/full')
        assert done.returncode == 1
        assert done.stderr == "error: output: No space left on device\n"


def test_characters_that_the_encoding_lacks_are_escaped(tmp_path: Path) -> None:
    """JSON stays JSON."""
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    run_sesame(
        tmp_path, "keys", "new", "shop", "--issuer", "https://shop.example", "--hub-url", "http://127.0.0.1:9"
    )
    words = ("keys", "pseudonym", "dvořák", "--config", "shop")
    plain, as_json = run_sesame(tmp_path, *words, env=env), run_sesame(tmp_path, *words, "--json", env=env)
    assert "dvo\\u0159\\xe1k" in plain.stdout
    assert '"dvo\\u0159\\u00e1k"' in as_json.stdout
    assert plain.stderr == as_json.stderr == ""


def test_colour_is_for_terminals_and_no_color_takes_it_away() -> None:
    """Bold may stay; the control run shows that there is colour to be taken away."""
    wrong = (str(SESAME), "keys", "show", "--config", "nowhere")
    base = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    base["TERM"] = "xterm-256color"
    assert "\x1b[1;31m" in _on_terminal(wrong, base)
    assert "31m" not in _on_terminal(wrong, {**base, "NO_COLOR": "1"})
    assert "31m" not in _on_terminal(wrong, {**base, "NO_COLOR": "1", "FORCE_COLOR": "1"})


def _on_terminal(words: tuple[str, ...], env: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    try:
        subprocess.run(words, stdin=theirs, stdout=theirs, stderr=theirs, env=env, timeout=60, check=False)
        return os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def _shell(line: str) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "SESAME": str(SESAME), "POLICY": str(POLICIES / "retail.toml")}
    script = f"set -o pipefail; {line}"
    return subprocess.run(
        ["bash", "-c", script],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
