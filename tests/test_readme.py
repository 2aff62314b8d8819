"""The README's text about writing a plugin, run word by word in an environment of its own."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.stage import Stage, free_port, running_hub

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PART = README.partition("## Your own plugin, in thirty lines")[2].partition("\n## ")[0]
FILES = re.findall(r"^```\w+ (\S+)\n(.*?)^```", PART, re.MULTILINE | re.DOTALL)
CONSOLES = re.findall(r"^```console\n(.*?)^```", PART, re.MULTILINE | re.DOTALL)
LOANS = """\
loan,member,returned_at
1,ada,2026-05-01T10:00:00+02:00
3,ben,2026-05-03T10:00:00+02:00
"""
UV = Path(sys.executable).with_name("uv")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


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
    """The operator's side, as a process."""
    stage = Stage(tmp_path_factory.mktemp("operator"), f"http://127.0.0.1:{free_port()}")
    stage.sesame("hub", "init", "hub", "--issuer", stage.url)
    with running_hub(stage):
        yield stage


@pytest.fixture(scope="module")
def afternoon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the SDK from its wheel, and the README's two files beside it."""
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
            admit = re.search(r"`sesame (partners add [^`]+)`", PART)
            assert admit
            hub.sesame(
                *shlex.split(admit[1].replace("shed.jwks", str(afternoon / "shed.jwks"))), "--hub", "hub"
            )
            shed = shlex.split("sesame keys pseudonym ada --as shed --json")
            subject = re.search(r'"pseudonym": "([^"]+)"', run(*shed, cwd=afternoon, env=path))
            assert subject
            hub.sesame(
                *("grants", "add", "--hub", "hub", "--person", "ada", "--partner", "https://shed.example"),
                *("--subject", subject[1], "--send", "toolshed.loan.returned"),
            )
    assert re.search(r"sent: toolshed.loan.returned +2", printed)
    assert re.search(r"hub: accepted +1", printed)
    assert re.search(r"hub: dropped, no_grant +1", printed)


@pytest.mark.usefixtures("hub")
def test_the_doctor_finds_nothing_wrong_afterwards(afternoon: Path) -> None:
    """The last word of the text."""
    venv = afternoon / "venv" / "bin" / "sesame"
    assert " no " not in run(venv, "doctor", "--as", "shed", cwd=afternoon)


def test_every_file_that_the_readme_points_to_is_there() -> None:
    """A dead link is the first thing that a newcomer finds."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_every_command_that_the_documents_show_exists() -> None:
    """Help for each ``sesame ...`` in the README and docs, so that none outlives a renaming."""
    import click

    from sesame_sdk.cli.main import sesame

    texts = [README, *(path.read_text() for path in (ROOT / "docs").rglob("*.md"))]
    shown = {words for text in texts for words in re.findall(r"sesame ((?:[a-z]+ ?)+)", text)}
    with click.Context(sesame) as context:
        for words in sorted(shown):
            name, *rest = words.split()
            command = sesame.get_command(context, name)
            if command is None:
                continue  # prose: "the sesame command"
            if rest and isinstance(command, click.Group):
                assert rest[0] in command.commands, f"sesame {words}"
