"""The README's commands, run in an environment of their own; and the commands that other documents show."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from examples.shell_helpers import Workspace, free_port, running_hub
from sesame_sdk.cli.main import sesame

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PLUGIN = README.partition("## Your own plugin, in thirty lines")[2].partition("\n## ")[0]
HUB = README.partition("## A hub to try")[2].partition("\n## ")[0]
FILES = re.findall(r"^```\w+ (\S+)\n(.*?)^```", PLUGIN + HUB, re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
UV = Path(sys.executable).with_name("uv")

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def run(*words: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command that must succeed, and return its output."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=env,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def commands(section: str) -> list[str]:
    """The commands of a section, without the prompt, each on one line."""
    consoles = "".join(CONSOLE.findall(section)).replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in consoles.splitlines()]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the SDK, and the README's files beside it.

    The SDK comes from a wheel that is built from this checkout, installed by uv, which is quicker. The
    plugin is then installed by pip, as the README says.
    """
    folder = tmp_path_factory.mktemp("readme")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder / "dist", cwd=ROOT)
    run(sys.executable, "-m", "venv", "venv", cwd=folder)
    run(UV, "pip", "install", "--python", "venv/bin/python", *(folder / "dist").glob("*.whl"), cwd=folder)
    for name, text in FILES:
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def hub(environment: Path) -> Iterator[Workspace]:
    """The hub of the README, in a process of its own on a free port."""
    workspace = Workspace(environment, f"http://127.0.0.1:{free_port()}")
    init, serve = commands(HUB)[:2]
    assert serve == "sesame hub run --hub hub", "`running_hub` runs this command"
    workspace.sesame(
        *shlex.split(init.replace("http://127.0.0.1:8080", workspace.url).removeprefix("sesame "))
    )
    with running_hub(workspace):
        yield workspace


def test_it_is_thirty_lines() -> None:
    """To write and install a plugin; blank lines are free."""
    files = dict(FILES)
    assert list(files) == ["toolshed.py", "pyproject.toml", "loans.csv"]
    lines = [*files["toolshed.py"].splitlines(), *files["pyproject.toml"].splitlines(), *commands(PLUGIN)]
    assert sum(bool(line.strip()) for line in lines) <= 30


def test_the_readme_leads_to_a_score(environment: Path, hub: Workspace) -> None:
    """Every command, in order: the partner's in its own environment, the operator's beside it."""
    path = f"{environment / 'venv' / 'bin'}:{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "VIRTUAL_ENV": ""}
    printed = {}
    pseudonym = ""
    for command in (*commands(PLUGIN), *commands(HUB)[2:]):
        command = command.replace("http://127.0.0.1:8080", hub.url).replace("PSEUDONYM", pseudonym)
        command, _, target = command.replace("path/to/sesame-sdk", str(ROOT)).partition(" > ")
        program, *words = shlex.split(command)
        if "--hub" in words:
            printed[words[0]] = hub.sesame(*words)
            continue
        output = run(program, *words, cwd=environment, env=variables)
        printed[words[0]] = output
        if target:
            (environment / target).write_text(output)
        if words[:2] == ["keys", "pseudonym"]:
            shown = run(program, *words, "--json", cwd=environment, env=variables)
            pseudonym = str(json.loads(shown)[0]["pseudonym"])
    assert re.search(r"toolshed.loan.returned\s+3", printed["post"])
    assert re.search(r"no member\s+1", printed["post"])
    assert re.search(r"accepted\s+2", printed["post"])
    assert re.search(r"no_grant\s+1", printed["post"])
    assert re.search(r"Score: \w+", printed["explain"])
    for reason in ("Things that you brought back in time", "Starting points of everybody"):
        assert reason in README.partition("```text")[2]
        assert reason in printed["explain"]


def test_it_installs_again_with_other_directories_beside_it(environment: Path) -> None:
    """A second install, with the directory of keys that the first run left there."""
    (environment / "shed").mkdir(exist_ok=True)
    (environment / "notes").mkdir()
    run("venv/bin/pip", "install", ".", cwd=environment)
    assert "toolshed" in run("venv/bin/sesame", "plugins", cwd=environment)


@pytest.mark.usefixtures("hub")
def test_the_doctor_finds_no_problem_afterwards(environment: Path) -> None:
    """The last command of the section."""
    sesame_command = environment / "venv" / "bin" / "sesame"
    assert " no " not in run(sesame_command, "doctor", "--config", "shed", cwd=environment)


def shown_commands() -> set[str]:
    """Each ``$ sesame ...`` line and each backticked ``sesame ...`` of the documents."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("plugins/*/README.md")]
    shown: set[str] = set()
    for page in pages:
        whole = page.read_text().replace("\\\n", " ")
        shown.update(re.findall(r"^\$ sesame (.+)$", whole, re.MULTILINE))
        shown.update(re.findall(r"(?<!`)`sesame ([^`]+)`(?!`)", whole))
    return shown


@pytest.mark.parametrize("shown", sorted(shown_commands()))
def test_every_command_that_the_documents_show_exists(shown: str) -> None:
    """No document keeps a command or an option that was renamed."""
    words = shlex.split(shown.partition(" > ")[0].removesuffix("&"), comments=True)
    assert unknown(words) == []


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        pytest.param(["pots", "--config", "shed"], "pots", id="a command"),
        pytest.param(["hub", "destroy"], "destroy", id="a command of a group"),
        pytest.param(["post", "--config", "shed", "--loud"], "--loud", id="an option"),
    ],
)
def test_an_unknown_command_or_option_is_found(words: list[str], wrong: str) -> None:
    """The test above can fail."""
    assert unknown(words) == [wrong]


def unknown(words: list[str]) -> list[str]:
    """The words that name no command and no option."""
    command: click.Command = sesame
    with click.Context(sesame) as context:
        taken = {"--help"}
        for at, word in enumerate(words):
            taken |= {name for each in command.get_params(context) for name in each.opts}
            value = at > 0 and words[at - 1].startswith("-")
            if word.startswith("-") or value or not isinstance(command, click.Group):
                continue
            subcommand = command.get_command(context, word)
            if subcommand is None:
                return words[at : at + 1]
            command = subcommand
        options = command.get_params(context)
        taken |= {name for each in options for name in (*each.opts, *each.secondary_opts)}
    return [word for word in words if word.startswith("-") and word.partition("=")[0] not in taken]
