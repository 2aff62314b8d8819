"""``sesame post`` with faults: no hub, a full outbox, a refusal, an unreadable record."""

import os
import re
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from examples.shell_helpers import Workspace
from sesame_sdk import PartnerConfig
from sesame_sdk.cli.main import main
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.partner import uploader
from tests.cli.conftest import SHOP, data
from tests.commands import run_sesame

pytestmark = pytest.mark.long

UNREACHABLE = "http://127.0.0.1:9"
#: One line is one signal. A mood of "boom" is a mistake in the plugin; "torn" breaks its reading.
PLUGIN = """
from datetime import UTC, datetime
from sesame_sdk import Signal, SignalKind, SignalProvider, hookimpl
SESAME_API = "1.0"
LENT = SignalKind("lines.thing.lent", "item_lent")
class Lines(SignalProvider):
    name, kinds = "lines", (LENT,)
    def read(self, path):
        with path.open() as lines:
            for line in lines:
                number, year, mood = line.strip().split(",")
                if mood == "torn":
                    raise KeyError(mood)
                yield number, year, mood
    def signals(self, event, pseudonymizer):
        number, year, mood = event
        if mood == "boom":
            raise KeyError(mood)
        at = datetime(int(year), 1, 1, tzinfo=UTC)
        same = pseudonymizer.signal_id(LENT.name, number, at)
        yield Signal(same, pseudonymizer.pseudonym(number), LENT.name, 1.0, at)
@hookimpl
def sesame_signal_providers():
    return [Lines()]
"""


@pytest.fixture(scope="module")
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin ``lines``, as pip would leave it."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "lines_plugin.py").write_text(PLUGIN)
    info = folder / "lines-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lines\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sesame_sdk]\nlines = lines_plugin\n")
    return folder


@pytest.fixture(scope="module")
def joined(workspace: Workspace, plugin_folder: Path) -> Workspace:
    """The shop may send the plugin's kinds; no person has consented."""
    done = send(workspace.folder, plugin_folder, "registrations", "add", "--config", "shop", "lines")
    assert done.returncode == 0, done.stderr
    return workspace


def send(folder: Path, plugin_folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Type a command where the plugin is installed."""
    # readline, which pytest imports, sets COLUMNS; with it, titles go to stdout like on a terminal.
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return run_sesame(folder, *words, env={**environment, "PYTHONPATH": str(plugin_folder)})


def post(
    folder: Path, plugin_folder: Path, config: str, *, json: bool = False
) -> subprocess.CompletedProcess[str]:
    """Post ``lines.csv`` of a folder."""
    extra = ("--json",) if json else ()
    return send(folder, plugin_folder, "post", "lines.csv", "--config", config, "--provider", "lines", *extra)


def lines(folder: Path, count: int, **moods: str) -> None:
    """Write ``lines.csv``; ``_3="boom"`` is the mood of the third line."""
    rows = (f"{n},2026,{moods.get(f'_{n}', 'fine')}\n" for n in range(1, count + 1))
    (folder / "lines.csv").write_text("".join(rows))


def partner(folder: Path, name: str, hub: str, *, issuer: str = SHOP, capacity: int | None = None) -> None:
    """Make a partner's folder, with an outbox of so many bytes."""
    assert run_sesame(folder, "keys", "new", name, "--issuer", issuer, "--hub-url", hub).returncode == 0
    if capacity:
        with (folder / name / "partner.toml").open("a") as settings:
            settings.write(f"capacity = {capacity}\n")


def test_without_a_hub_the_whole_file_is_kept_however_many_rounds_it_is(
    tmp_path: Path, plugin_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the advice then sends everything; the hub is not asked again for every round."""
    partner(tmp_path, "away", UNREACHABLE)
    lines(tmp_path, 50)
    monkeypatch.setattr(uploader, "ROUND_SIZE", 10)
    monkeypatch.syspath_prepend(plugin_folder)
    words = ("post", str(tmp_path / "lines.csv"), "--config", str(tmp_path / "away"), "--provider", "lines")
    with pytest.raises(SystemExit) as end:
        main([*words, "--json"])
    printed = capsys.readouterr()
    assert end.value.code == 5
    summary = data(printed.out)
    assert summary["complete"] is True
    assert summary["signals"] == {"lines.thing.lent": 50}
    assert summary["envelopes"]["pending"] == 5
    assert "5 envelope(s) are pending" in printed.err
    assert "outbox deliver" in printed.err


def test_a_full_outbox_without_a_hub_says_how_far_it_came_and_what_to_do(
    tmp_path: Path, plugin_folder: Path
) -> None:
    """What fits is kept; the same command goes on later, since nothing counts twice."""
    partner(tmp_path, "away", UNREACHABLE, capacity=500_000)
    lines(tmp_path, 5_000)
    done = post(tmp_path, plugin_folder, "away", json=True)
    assert done.returncode == 5
    summary = data(done.stdout)
    assert summary["complete"] is False
    assert 0 < summary["events"] < 5_000
    assert summary["envelopes"]["pending"] == 1
    assert "the source was not read to its end" in done.stderr
    assert "run the same command again" in done.stderr


def test_a_small_outbox_gets_through_a_long_file(joined: Workspace, plugin_folder: Path) -> None:
    """It is emptied as often as it is full: thirty envelopes through room for one."""
    with (joined.folder / "shop" / "partner.toml").open("a") as settings:
        settings.write("capacity = 500000\n")
    lines(joined.folder, 30_000)
    done = post(joined.folder, plugin_folder, "shop", json=True)
    assert done.returncode == 0, done.stderr
    summary = data(done.stdout)
    assert summary["complete"] is True
    assert summary["envelopes"] == {"sent": 30, "dead_lettered": 0, "pending": 0}
    assert summary["dropped"] == {"no_grant": 30_000}


def test_what_the_hub_refuses_for_good_ends_with_its_reason(joined: Workspace, plugin_folder: Path) -> None:
    """Exit code 4, after the table: an operator has to act."""
    partner(joined.folder, "stranger", joined.url, issuer="https://stranger.example")
    lines(joined.folder, 3)
    done = post(joined.folder, plugin_folder, "stranger")
    assert done.returncode == 4
    assert "signals: lines.thing.lent" in done.stdout
    with closing(Outbox(PartnerConfig.load(joined.folder / "stranger").outbox)) as outbox:
        (message,) = outbox.dead_letters()
    assert message.reason in done.stderr


def test_an_event_with_an_invalid_date_is_rejected_and_the_rest_is_sent(
    joined: Workspace, plugin_folder: Path
) -> None:
    """Named by its field, never by its value."""
    (joined.folder / "lines.csv").write_text("1,2026,fine\n2,1903,fine\n3,2026,fine\n")
    done = post(joined.folder, plugin_folder, "shop", json=True)
    assert done.returncode == 4, "an event was rejected"
    summary = data(done.stdout)
    assert summary["signals"] == {"lines.thing.lent": 2}
    ((reason, skipped),) = summary["skipped"].items()
    assert reason.startswith("rejected: ")
    assert "occurred_at" in reason
    assert "1903" not in reason
    assert skipped["items"] == 1
    assert summary["rejected"] == 1
    rejects = joined.folder / "lines.csv.rejects"
    assert rejects.read_text().startswith("2\trejected: occurred_at")
    assert rejects.stat().st_mode & 0o077 == 0


def test_a_dry_run_shows_signals_and_sends_nothing(tmp_path: Path, plugin_folder: Path) -> None:
    """Neither an outbox nor a file of rejects is created."""
    partner(tmp_path, "away", UNREACHABLE)
    (tmp_path / "lines.csv").write_text("1,2026,fine\n2,1903,fine\n")
    done = send(
        tmp_path, plugin_folder, "post", "lines.csv", "--config", "away", "--provider", "lines", "--dry-run"
    )
    assert done.returncode == 4, "an event was rejected"
    assert "lines.thing.lent" in done.stdout
    assert "dry run, nothing sent" in done.stderr
    assert not (tmp_path / "away" / "outbox.sqlite").exists()
    assert not (tmp_path / "lines.csv.rejects").exists()


@pytest.mark.parametrize(
    "mood",
    [
        pytest.param("boom", id="an event that the plugin cannot turn into signals"),
        pytest.param("torn", id="an event that the plugin cannot read"),
    ],
)
def test_a_plugin_that_breaks_names_the_event_and_what_was_read_is_delivered(
    joined: Workspace, plugin_folder: Path, mood: str
) -> None:
    """The summary so far is printed; the error is the plugin's, so exit code 2."""
    lines(joined.folder, 20, _17=mood)
    done = post(joined.folder, plugin_folder, "shop")
    assert done.returncode == 2
    assert "event 17 of lines.csv" in done.stderr
    assert re.search(r"signals: lines.thing.lent\s+16", done.stdout)
    assert re.search(r"hub: dropped, no_grant\s+16", done.stdout)


def test_beside_another_delivery_the_signals_are_kept_and_go_with_it(
    joined: Workspace, plugin_folder: Path
) -> None:
    """Only one process delivers at a time, and it takes along what others append."""
    lines(joined.folder, 3)
    with closing(Outbox(PartnerConfig.load(joined.folder / "shop").outbox)) as outbox, outbox.delivery_lock():
        done = post(joined.folder, plugin_folder, "shop")
    assert done.returncode == 5
    assert "signals: lines.thing.lent" in done.stdout
    assert "are pending in the outbox: another process delivers them" in done.stderr


def test_the_table_says_what_was_counted_before(joined: Workspace) -> None:
    """A second run of the same file has made the same signals; they were counted already."""
    done = run_sesame(joined.folder, "post", "orders.csv", "--config", "shop", "--provider", "retail")
    assert done.returncode == 0, done.stderr
    assert "hub: duplicates" in done.stdout
    assert "sent: " not in done.stdout
