"""What the operator's page and the samples name is there: settings, commands, figures, lines, files."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from sesame_sdk.cli.main import sesame
from sesame_sdk.hub.observability import log_events, metrics
from sesame_sdk.hub.settings import SETTINGS

REPOSITORY = Path(__file__).parents[3]
SAMPLES = REPOSITORY / "examples" / "operating"
PAGE = (REPOSITORY / "docs" / "operating.md").read_text(encoding="utf-8")
UNITS = ("sesame-hub.service", "sesame-backup.service")
SESAME = Path(sys.executable).with_name("sesame")


def unit(name: str) -> dict[str, list[str]]:
    """What stands in the service's part of a unit; a key may be there more than once."""
    entries: dict[str, list[str]] = {}
    for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            entries.setdefault(key, []).append(value)
    return entries


def options_of(words: list[str]) -> set[str]:
    """The flags of the command that `words` begin with."""
    command: click.Command = sesame
    context = click.Context(command)
    for word in words:
        if not isinstance(command, click.Group):
            break
        subcommand = command.get_command(context, word)
        assert subcommand is not None, f"sesame {' '.join(words)}: there is no {word}"
        command, context = subcommand, click.Context(subcommand, parent=context)
    return {flag for option in command.get_params(context) for flag in option.opts}


def check_command(line: str) -> None:
    """Fail unless a command of ours is one, with the flags that it has."""
    words = [word for word in shlex.split(line) if word != "\\"]
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    plain = [word for word in words if not word.startswith("-")]
    assert flags <= options_of(plain), line


def settings_table() -> str:
    """The table of settings for the page, by the settings themselves."""
    lines = ["| setting | default | must be | is |", "| --- | --- | --- | --- |"]
    for setting in SETTINGS.values():
        default = "" if setting.name == "issuer" or setting.default is None else f"`{setting.default}`"
        lines.append(f"| `{setting.name}` | {default} | {setting.type.expected} | {setting.help} |")
    return "\n".join(lines).replace("``", "")


def test_the_page_lists_every_setting() -> None:
    """With its default, what it must be and what it is, word for word."""
    shown = re.search(r"<!-- settings:.*?-->\n(.*)\n<!-- end of settings -->", PAGE, re.DOTALL)
    assert shown
    assert shown[1] == settings_table()


def test_every_command_on_the_page_is_one() -> None:
    """With its flags; commands that go on in the next line among them."""
    text = PAGE.replace("\\\n", " ")
    blocks = "\n".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL))
    typed = re.findall(r"(?:sesame|sesame-hub) ((?:hub|policy|grants|partners) [^\n&|]*)", blocks)
    mentioned = re.findall(r"`sesame ([a-z]+ [a-z]+[^`.]*)`", text)
    assert len(typed) >= 4
    assert len(mentioned) >= 8
    for line in (*typed, *mentioned):
        check_command(line)


def test_every_figure_and_line_on_the_page_is_one() -> None:
    """Every metric of an alert exists."""
    figures = {family.name for family in metrics._registry.collect()}
    named = set(re.findall(r"sesame_[a-z_]+", PAGE)) - {"sesame_sdk"}
    assert named
    assert {name.removesuffix("_total") for name in named} <= {
        name.removesuffix("_total") for name in figures
    }
    for event in (
        "readiness_changed",
        "thread_failed",
        "transaction_failed",
        "request_failed",
        "message_dead_lettered",
        "delivery_failed",
        "request_aborted",
        "request_refused",
    ):
        assert f"`{event}`" in PAGE
        assert event in log_events.EVENTS


def test_the_page_says_where_its_figures_are_to_come_from() -> None:
    """The table of sizes is marked as not measured."""
    assert "<!-- figures: to be measured" in PAGE or "*to be measured*" not in PAGE


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_names_what_is_there(name: str) -> None:
    """Its command with its flags, and variables of settings that are some."""
    entries = unit(name)
    program, _, command = entries["ExecStart"][0].partition(" ")
    assert program == "/opt/sesame/bin/sesame"
    check_command(command)
    variables = {line.partition("=")[0] for line in entries["Environment"]}
    assert variables <= {setting.variable for setting in SETTINGS.values()} | {"SESAME_HUB"}
    assert "/etc/sesame/hub.env" in entries["EnvironmentFile"][0]
    assert "/etc/sesame/hub.env" in PAGE


def test_systemd_waits_longer_than_a_hub_takes_to_stop() -> None:
    """Or it would kill it in the middle of what it finishes; so does a container's runtime."""
    longest = int(str(SETTINGS["drain_timeout_seconds"].default)) + int(
        str(SETTINGS["shutdown_timeout_seconds"].default)
    )
    assert int(unit("sesame-hub.service")["TimeoutStopSec"][0]) > 2 * longest
    assert f"--stop-timeout={unit('sesame-hub.service')['TimeoutStopSec'][0]}" in PAGE


def test_backups_are_deleted_before_the_withdrawal_log_expires() -> None:
    """By the sample that makes them."""
    days = re.search(r"-mtime \+(\d+)", unit("sesame-backup.service")["ExecStartPost"][0])
    assert days
    assert int(days[1]) < int(str(SETTINGS["withdrawal_log_days"].default))


@pytest.fixture
def systemd_analyze() -> str:
    """Systemd's own judge of units; CI always has it."""
    analyzer = shutil.which("systemd-analyze")
    if analyzer is None:
        if os.environ.get("CI") == "true":
            pytest.fail("systemd-analyze must be there in CI")
        pytest.skip("needs systemd-analyze, of the package systemd")
    return analyzer


def test_systemd_finds_nothing_wrong_with_the_units(systemd_analyze: str, tmp_path: Path) -> None:
    """No unknown key, no value that is none; and little is left exposed."""
    for name in (*UNITS, "sesame-backup.timer"):
        text = (SAMPLES / name).read_text(encoding="utf-8").replace("/opt/sesame/bin/sesame", str(SESAME))
        (tmp_path / name).write_text(text)
    paths = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run(
        [systemd_analyze, "verify", "--man=no", *paths],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    judged = subprocess.run(
        [systemd_analyze, "security", "--offline=true", "--no-pager", str(tmp_path / "sesame-hub.service")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", judged.stdout)
    assert exposure, judged
    assert float(exposure[1]) < 2
    assert f"rates its exposure {exposure[1]}" in PAGE


def instructions() -> list[tuple[str, str]]:
    """The Containerfile, instruction by instruction."""
    text = (SAMPLES / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines()) if word]


def test_the_container_copies_what_is_there_and_installs_extras_that_are_some() -> None:
    """From the repository, which is its context."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            assert all((REPOSITORY / path).exists() for path in rest.split()[:-1]), rest
    (extras,) = re.findall(r"'\.\[([a-z,]+)\]'", str(instructions()))
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    versions = {rest.split(":")[1].split()[0] for word, rest in instructions() if word == "FROM"}
    assert {re.match(r"3\.\d+", version)[0] for version in versions} == {"3.13"}  # type: ignore[index]
    assert "Programming Language :: Python :: 3.13" in project["classifiers"]


def test_the_container_runs_a_real_command_and_not_as_root() -> None:
    """Its variables are settings; it is asked whether it lives, at the port that it listens on."""
    directives = dict(instructions())
    check_command(" ".join(re.findall(r'"([^"]+)"', directives["CMD"])))
    variables = dict(re.findall(r"(SESAME_\w+)=(\S+)", directives["ENV"]))
    assert set(variables) <= {setting.variable for setting in SETTINGS.values()} | {"SESAME_HUB"}
    assert directives["EXPOSE"] == variables["SESAME_PORT"]
    (check,) = [rest for word, rest in instructions() if word == "HEALTHCHECK"]
    assert f"127.0.0.1:{variables['SESAME_PORT']}/health/live" in check
    user, group = directives["USER"].split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_health_check_of_the_container_runs(tmp_path: Path) -> None:
    """It fails where no hub answers."""
    (check,) = [rest for word, rest in instructions() if word == "HEALTHCHECK"]
    program = re.findall(r'"((?:[^"\\]|\\.)*)"', check)[-1]
    done = subprocess.run(
        [sys.executable, "-c", program.replace("8080", "9")],
        capture_output=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert b"URLError" in done.stderr
