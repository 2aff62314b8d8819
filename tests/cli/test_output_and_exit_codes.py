"""How the command line behaves: where output goes, what errors look like, how it ends."""

import json
import os
import subprocess
from pathlib import Path

import click
import pytest

from examples.shell_helpers import SESAME, Workspace
from sesame_sdk.cli.main import COMMANDS, MAX_HELP
from sesame_sdk.cli.main import sesame as sesame_group
from tests.cli.conftest import POLICIES, Type, data
from tests.commands import run_sesame

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("nonsense",), 2, "No such command", id="a command that does not exist"),
        pytest.param(("post",), 2, "Missing", id="an option that is missing"),
        pytest.param(
            ("keys", "show", "--config", "nowhere"), 2, "sesame keys new", id="no such partner folder"
        ),
        pytest.param(("grants", "list", "--hub", "nowhere"), 2, "sesame hub init", id="no such hub folder"),
        pytest.param(
            ("registrations", "add", "--config", "nowhere", "nonsense"), 2, "nonsense", id="no such plugin"
        ),
        pytest.param(
            ("keys", "new", "shop", "--issuer", "shop", "--hub-url", "http://127.0.0.1:1"),
            4,
            "issuer",
            id="an issuer that is no URL",
        ),
        pytest.param(
            ("policy", "check", POLICIES / "refused" / "punishes_opinions.toml"),
            3,
            "POL-1",
            id="a policy that punishes opinions",
        ),
    ],
)
def test_an_error_is_one_line_with_its_code_and_no_traceback(
    sesame: Type, words: tuple[str, ...], code: int, says: str
) -> None:
    """Nothing is on stdout, so that a program reading it is not fooled."""
    done = sesame(*words)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_debug_shows_the_traceback(sesame: Type) -> None:
    """With --debug an internal error shows its traceback."""
    assert "Traceback" in sesame("--debug", "keys", "show", "--config", "nowhere").stderr


def test_a_refusal_gives_the_rule_its_source_and_a_way_out(sesame: Type) -> None:
    """And nothing is loaded."""
    # Without a width: readline, which pytest imports, sets one that only other processes see.
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = sesame("policy", "check", POLICIES / "refused" / "punishes_opinions.toml", env=env)
    assert "GDPR 9; GL 168" in done.stderr
    assert "hint" in done.stderr


def test_a_hub_that_is_away_does_not_matter_while_nothing_waits(sesame: Type, tmp_path: Path) -> None:
    """Nothing waits, so nothing is wrong."""
    sesame("keys", "new", "shop", "--issuer", "https://shop.example", "--hub-url", "http://127.0.0.1:9")
    done = sesame("outbox", "deliver", "--config", "shop")
    assert done.returncode == 0
    assert (tmp_path / "shop" / "outbox.sqlite").exists()


def test_keys_are_for_their_owner_alone(sesame: Type, tmp_path: Path) -> None:
    """Modes of a new folder, and what is printed of it."""
    sesame("keys", "new", "shop", "--issuer", "https://shop.example", "--hub-url", "http://127.0.0.1:9")
    assert (tmp_path / "shop").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "shop" / "signing.jwk").stat().st_mode & 0o777 == 0o600
    shown = json.loads(sesame("keys", "show", "--config", "shop").stdout)
    assert "d" not in shown["keys"][0]


def test_an_existing_folder_is_never_overwritten(sesame: Type) -> None:
    """Keys that are gone cannot be had again."""
    new = ("keys", "new", "shop", "--issuer", "https://shop.example", "--hub-url", "http://127.0.0.1:9")
    sesame(*new)
    before = sesame("keys", "show", "--config", "shop").stdout
    assert sesame(*new).returncode == 2
    assert sesame("keys", "show", "--config", "shop").stdout == before


def test_json_on_stdout_is_json_and_nothing_else(workspace: Workspace) -> None:
    """Progress and notes go to stderr."""
    for words in (
        ("plugins", "--json"),
        ("partners", "list", "--hub", "hub", "--json"),
        ("grants", "list", "--hub", "hub", "--json"),
        ("outbox", "list", "--config", "shop", "--json"),
        ("receipts", "list", "--config", "shop", "--json"),
        ("policy", "list", "--hub", "hub", "--json"),
        ("doctor", "--config", "shop", "--hub", "hub", "--json"),
        ("policy", "check", str(POLICIES / "retail.toml"), "--json"),
    ):
        done = run_sesame(workspace.folder, *words)
        assert done.returncode == 0, done.stderr
        assert isinstance(json.loads(done.stdout), list), words


def test_plugins_lists_what_is_installed(sesame: Type) -> None:
    """Name, version, kinds, purposes, state."""
    rows = {row["name"]: row for row in data(sesame("plugins", "--json").stdout)}
    assert rows.keys() >= {"retail", "social", "baihe"}
    assert "retail.order.completed" in rows["retail"]["kinds"]
    assert rows["baihe"]["purposes"] == ["urn:sesame-sdk:purpose:MatchmakingRanking"]
    assert {row["state"] for row in rows.values()} == {"active"}


def test_a_blocked_plugin_is_not_loaded(sesame: Type) -> None:
    """And the list says so."""
    rows = {row["name"]: row for row in data(sesame("--exclude-plugin", "baihe", "plugins", "--json").stdout)}
    assert rows["baihe"]["state"] == "blocked"
    assert sesame("--exclude-plugin", "baihe", "rank").returncode == 2


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_none_is_wanted(sesame: Type, env: dict[str, str]) -> None:
    """No escape sequence in output that somebody pipes, or with NO_COLOR."""
    done = sesame("plugins", env={**os.environ, **env})
    assert "\x1b" not in done.stdout + done.stderr


def test_help_names_every_command_and_imports_none_of_the_heavy_ones() -> None:
    """Help must stay quick, however much is installed."""
    code = (
        "import sys; from sesame_sdk.cli.main import sesame\n"
        "try: sesame.main(['--help'], prog_name='sesame', standalone_mode=False)\n"
        "finally: print(sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [SESAME.with_name("python"), "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert {"requests", "litestar", "sqlalchemy", "duckdb", "numpy"}.isdisjoint(
        name.strip("'[] \n") for name in done.stderr.split(",")
    )
    for command in (
        "keys",
        "hub",
        "partners",
        "grants",
        "post",
        "score",
        "explain",
        "rank",
        "plugins",
        "doctor",
    ):
        assert f"\n  {command} " in done.stdout


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    """The one-liners stand apart so that listing imports nothing; they must not drift."""
    with click.Context(sesame_group) as context:
        for group, commands in COMMANDS.items():
            for name, (_, line) in commands.items():
                command = sesame_group.get_command(context, name)
                assert command
                if name != "notices":  # listed for partners and for operators
                    assert command.get_short_help_str(200).rstrip(".") == line, (group, name)


def test_no_help_line_is_cut_short_at_80_columns() -> None:
    """In any group of commands, those of plugins included."""
    with click.Context(sesame_group) as context:
        pending = [(context, sesame_group)]
        while pending:
            parent, group = pending.pop()
            assert "..." not in group.get_help(parent).partition("\n\n")[2].partition("Options:")[0]
            for name in group.list_commands(parent):
                command = group.get_command(parent, name)
                assert command
                assert len(command.get_short_help_str(200)) <= MAX_HELP, (group.name, name)
                assert not command.get_short_help_str(MAX_HELP).endswith("..."), (group.name, name)
                if isinstance(command, click.Group):
                    pending.append((click.Context(command, parent=parent, info_name=name), command))
