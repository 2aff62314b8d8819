"""The README's text about writing a plugin, run word by word in an environment of its own."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from examples.shell_helpers import Stage, free_port, running_hub
from sesame_sdk.cli.main import sesame

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PART = README.partition("## Your own plugin, in thirty lines")[2].partition("\n## ")[0]
FILES = re.findall(r"^```\w+ (\S+)\n(.*?)^```", PART, re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
CONSOLES = CONSOLE.findall(PART)
HUB = README.partition("## A hub to try against")[2].partition("\n## ")[0]
START, GRANT = (block.replace("\\\n", " ") for block in CONSOLE.findall(HUB))
LOANS = """\
loan,member,returned_at
1,ada,2026-05-01T10:00:00+02:00
2,,2026-05-02T10:00:00+02:00
3,ben,2026-05-03T10:00:00+02:00
"""
UV = Path(sys.executable).with_name("uv")

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def run(*words: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command that must succeed, and give back all that it printed."""
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


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The operator's side, as a process: by the text's two commands, on a port that is free."""
    stage = Stage(tmp_path_factory.mktemp("operator"), f"http://127.0.0.1:{free_port()}")
    init, serve = START.replace("http://127.0.0.1:8080", stage.url).splitlines()
    assert serve == "$ sesame hub run --hub hub", "which is what `running_hub` types"
    stage.sesame(*shlex.split(init.removeprefix("$ sesame ")))
    with running_hub(stage):
        yield stage


@pytest.fixture(scope="module")
def afternoon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the SDK, and the README's two files beside it.

    The text says to install the SDK first. Here it comes from its wheel, built of this checkout, and by
    uv, because that is quicker; the plugin is then installed by pip, as the text says.
    """
    folder = tmp_path_factory.mktemp("afternoon")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder / "dist", cwd=ROOT)
    run(sys.executable, "-m", "venv", "venv", cwd=folder)
    run(UV, "pip", "install", "--python", "venv/bin/python", *(folder / "dist").glob("*.whl"), cwd=folder)
    for name, text in FILES:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (folder / "loans.csv").write_text(LOANS)
    return folder


def test_it_is_thirty_lines() -> None:
    """To write, install and run a plugin; blank lines are free."""
    lines = "\n".join([*(text for _, text in FILES), *CONSOLES]).splitlines()
    assert sum(bool(line.strip()) for line in lines) == 30
    assert [name for name, _ in FILES] == ["toolshed.py", "pyproject.toml"]


def test_a_partner_writes_installs_and_runs_a_plugin_by_the_readme_alone(afternoon: Path, hub: Stage) -> None:
    """Every command of the text, in its order, against a hub that is another process."""
    path = {**os.environ, "PATH": f"{afternoon / 'venv' / 'bin'}:{os.environ['PATH']}", "VIRTUAL_ENV": ""}
    printed = ""
    for at, console in enumerate(CONSOLES):
        for line in console.splitlines():
            command = line.removeprefix("$ ").replace("http://127.0.0.1:8080", hub.url)
            words, _, target = command.partition(" > ")
            printed = run(*shlex.split(words), cwd=afternoon, env=path)
            if target:
                (afternoon / target).write_text(printed)
        if at == 0:  # "once the operator has admitted you"
            operate(hub, afternoon, path)
    assert re.search(r"made: toolshed.loan.returned +2", printed)
    assert re.search(r"kept back: no member +1", printed)
    assert re.search(r"hub: accepted +1", printed)
    assert re.search(r"hub: dropped, no_grant +1", printed)


def operate(hub: Stage, afternoon: Path, path: dict[str, str]) -> None:
    """What the text says that the operator does, word by word: admit the partner, record a grant."""
    admit = re.search(r"`sesame (partners add [^`]+)`", PART)
    assert admit
    hub.sesame(*shlex.split(admit[1].replace("shed.jwks", str(afternoon / "shed.jwks"))))
    pseudonym = re.search(r"`(sesame keys pseudonym [^`]+)`", PART)
    assert pseudonym
    shown = run(*shlex.split(pseudonym[1]), "--json", cwd=afternoon, env=path)
    subject = re.search(r'"pseudonym": "([^"]+)"', shown)
    assert subject
    hub.sesame(*shlex.split(GRANT.removeprefix("$ sesame ").replace("PSEUDONYM", subject[1])))


def test_it_installs_again_whatever_lies_beside_it(afternoon: Path) -> None:
    """A second install, with the folder of keys that the first run left there."""
    (afternoon / "shed").mkdir(exist_ok=True)
    (afternoon / "notes").mkdir()
    run("venv/bin/pip", "install", ".", cwd=afternoon)
    assert "toolshed" in run("venv/bin/sesame", "plugins", cwd=afternoon)


@pytest.mark.usefixtures("hub")
def test_the_doctor_finds_nothing_wrong_afterwards(afternoon: Path) -> None:
    """The last word of the text."""
    venv = afternoon / "venv" / "bin" / "sesame"
    assert " no " not in run(venv, "doctor", "--config", "shed", cwd=afternoon)


def test_every_file_that_the_readme_points_to_is_there() -> None:
    """A dead link is the first thing that a newcomer finds."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def shown_commands() -> set[str]:
    """Each ``$ sesame ...`` line and each backticked ``sesame ...`` of the README and docs."""
    texts = [README, *(path.read_text() for path in (ROOT / "docs").rglob("*.md"))]
    found: set[str] = set()
    for text in texts:
        whole = text.replace("\\\n", " ")
        found.update(re.findall(r"^\$ sesame (.+)$", whole, re.MULTILINE))
        found.update(re.findall(r"(?<!`)`sesame ([^`]+)`(?!`)", whole))
    return found


@pytest.mark.parametrize("shown", sorted(shown_commands()))
def test_every_command_that_the_documents_show_exists(shown: str) -> None:
    """So that no command and no option in a text outlives a renaming."""
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
def test_a_command_or_an_option_that_is_none_is_found(words: list[str], wrong: str) -> None:
    """The test before this one must be able to fail."""
    assert unknown(words) == [wrong]


def unknown(words: list[str]) -> list[str]:
    """Which of a command's words name no command and no option."""
    command: click.Command = sesame
    with click.Context(sesame) as context:
        taken = {"--help"}
        for at, word in enumerate(words):
            taken |= {name for each in command.get_params(context) for name in each.opts}
            value = at > 0 and words[at - 1].startswith("-")
            if word.startswith("-") or value or not isinstance(command, click.Group):
                continue
            found = command.get_command(context, word)
            if found is None:
                return words[at : at + 1]
            command = found
        options = command.get_params(context)
        taken |= {name for each in options for name in (*each.opts, *each.secondary_opts)}
    return [word for word in words if word.startswith("-") and word.partition("=")[0] not in taken]
