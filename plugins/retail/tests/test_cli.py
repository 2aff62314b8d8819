"""``sesame retail`` as a shop types it; a feed that is followed is not lost by ``kill -9``."""

import base64
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sesame_retail import Order, Orders
from sesame_retail.files.mapping import FileMapping
from sesame_retail.files.tail import FileTail
from sesame_retail.order_store import OrderStore
from sesame_retail.upload import OrderSignals, follow_step

from sesame_sdk import (
    Client,
    PartnerConfig,
    Pseudonymizer,
    RejectsFile,
    Signal,
    SignalUploader,
    Skipped,
    UploadSummary,
)

SESAME = Path(sys.executable).with_name("sesame")
HEADER = "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID\n"


def lines(start: int, stop: int) -> str:
    """Two lines an order."""
    return "".join(f"{n},1,2026-01-01 10:00:00,{n % 90}.5,c{n % 7}\n" * 2 for n in range(start, stop))


@pytest.fixture
def shop(tmp_path: Path) -> PartnerConfig:
    """A shop whose hub does not answer."""
    return PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub="http://127.0.0.1:9")


def typed(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Type a command."""
    return subprocess.run(
        [SESAME, "retail", *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def in_outbox(shop: PartnerConfig) -> int:
    """How many signals are on disk."""
    with closing(sqlite3.connect(shop.outbox)) as outbox:
        count: int = outbox.execute("SELECT coalesce(sum(signal_count), 0) FROM message").fetchone()[0]
    return count


def test_a_dry_run_shows_ten_signals_and_sends_nothing(tmp_path: Path, shop: PartnerConfig) -> None:
    """The whole summary is printed; neither outbox nor rejects are made."""
    (tmp_path / "o.csv").write_text(HEADER + lines(0, 20) + "1,bad\n")
    done = typed(tmp_path, "post", "o.csv", "--config", "shop", "--dry-run", "--max-rejects", "5")
    assert done.returncode == 4, "a line cannot be read"
    shown = [line for line in done.stdout.splitlines() if line.strip().startswith("2026-01-01")]
    assert len(shown) == 10
    assert "skipped: wrong number of columns" in done.stdout
    assert "The first 1 records that cannot be read" in done.stdout
    assert not shop.outbox.exists()
    assert not (tmp_path / "o.csv.rejects").exists()


def test_bad_lines_go_to_a_file_of_their_own(tmp_path: Path, shop: PartnerConfig) -> None:
    """With their number and the reason, for the owner's eyes; the rest is kept for the hub."""
    (tmp_path / "o.csv").write_text(HEADER + lines(0, 5) + "1,bad\n" + lines(5, 6))
    done = typed(tmp_path, "post", "o.csv", "--config", "shop", "--json", "--max-rejects", "10")
    assert done.returncode == 4, "a line cannot be read, and the hub does not answer"
    summary: dict[str, Any] = json.loads(done.stdout)
    assert (summary["events"], summary["rejected"]) == (6, 1)
    rejects = tmp_path / "o.csv.rejects"
    assert rejects.read_text() == "12\twrong number of columns\t\t\t1,bad\n"
    assert rejects.stat().st_mode & 0o077 == 0
    assert in_outbox(shop) == 18


def test_a_proposed_mapping_is_printed(tmp_path: Path) -> None:
    """On stdout, so that it can be put beside the file."""
    (tmp_path / "o.csv").write_text(HEADER + lines(0, 5))
    assert 'customer = "CustomerID"' in typed(tmp_path, "map", "o.csv").stdout


def read_signals(file: Path, pseudonymizer: Pseudonymizer) -> dict[tuple[str, str], float]:
    """What a file says when it is read whole."""
    provider, signals = Orders(), {}
    for event in provider.read(file):
        for one in [event] if isinstance(event, Skipped) else provider.signals(event, pseudonymizer):
            if isinstance(one, Signal):
                signals[one.kind, one.id] = one.value
    return signals


def signals_of(shop: PartnerConfig, orders: list[Order]) -> list[Signal]:
    """What a shop's orders make."""
    items = OrderSignals(Orders(), shop.pseudonymizer, UploadSummary()).from_events(orders)
    return [item for item in items if isinstance(item, Signal)]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_file_read_in_pieces_gives_the_same_signals(tmp_path: Path, shop: PartnerConfig, seed: int) -> None:
    """Cut anywhere, in the midst of lines and orders, and crashed before the store was written."""
    dice = random.Random(seed)  # noqa: S311 - not a secret
    whole = (HEADER + lines(0, 60) + "C1,-1,2026-01-02,5,c1\n" * 2 + lines(60, 90)).encode()
    file, heard = tmp_path / "feed.csv", {}
    at = 0
    while at < len(whole):
        at = min(at + dice.randrange(1, 400), len(whole))
        file.write_bytes(whole[:at])
        with closing(OrderStore(shop.path / "retail.sqlite")) as store:
            step = FileTail(file, FileMapping(), store).read_step(quiet=at == len(whole))
            for one in signals_of(shop, step.changes.orders if step else []):
                key = (one.kind, one.id)
                assert heard.setdefault(key, one.value) == one.value
                heard[key] = one.value
            if step and dice.random() < 0.6:
                FileTail(file, FileMapping(), store).commit(step)
    with closing(OrderStore(shop.path / "retail.sqlite")) as store:
        follower = FileTail(file, FileMapping(), store)
        while step := follower.read_step(quiet=True):
            heard |= {(one.kind, one.id): one.value for one in signals_of(shop, step.changes.orders)}
            follower.commit(step)
    assert heard == read_signals(file, shop.pseudonymizer)


def test_lines_that_come_late_add_to_their_order(tmp_path: Path, shop: PartnerConfig) -> None:
    """After the file was quiet; another order is not made of them."""
    file = tmp_path / "feed.csv"
    with closing(OrderStore(shop.path / "retail.sqlite")) as store, Client.from_config(shop) as client:
        follower, uploader = FileTail(file, FileMapping(), store), SignalUploader(client)
        signals = OrderSignals(Orders(), shop.pseudonymizer, uploader.summary)
        rejects = RejectsFile(tmp_path / "rejects")
        for late in (HEADER + lines(1, 2), lines(1, 2)):
            with file.open("a") as out:
                out.write(late)
            assert follow_step(follower, uploader, signals, rejects, quiet=True)
        assert not follow_step(follower, uploader, signals, rejects, quiet=True)
    assert uploader.summary.signals == {
        "retail.order.completed": 1,
        "retail.order.spend": 2,
        "retail.customer.tenure": 1,
    }


@pytest.mark.long
def test_killed_at_any_moment_a_feed_goes_on_where_it_was(tmp_path: Path, shop: PartnerConfig) -> None:
    """Killed six times while the file grows: in the end every signal is in the outbox, with one value."""
    file, dice = tmp_path / "feed.csv", random.Random(5)  # noqa: S311 - not a secret
    command = [
        SESAME,
        "retail",
        "post",
        "feed.csv",
        "--config",
        "shop",
        "--follow",
        "--poll-interval",
        "0.01",
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    file.write_text(HEADER)
    for turn in range(6):
        process = subprocess.Popen(command, cwd=tmp_path, **quiet)  # type: ignore[call-overload]
        for part in range(10):
            with file.open("a") as out:
                out.write(lines(turn * 1000 + part * 100, turn * 1000 + part * 100 + 100))
        try:
            process.wait(0.5 + dice.random())
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    last = subprocess.run(
        [*command, "--idle-timeout", "0.05"], cwd=tmp_path, timeout=180, check=False, **quiet
    )  # type: ignore[call-overload]
    assert last.returncode == 5, "the hub does not answer"
    expected = read_signals(file, shop.pseudonymizer)
    stored = _signals(shop)
    assert {(one["kind"], one["id"]): one["value"] for one in stored} == expected
    by_id: dict[str, set[float]] = {}
    for one in stored:
        by_id.setdefault(one["id"], set()).add(one["value"])
    assert all(len(values) == 1 for values in by_id.values())
    with closing(sqlite3.connect(shop.path / "retail.sqlite")) as store:
        position, until = store.execute("SELECT position, read_until FROM followed_file").fetchone()
        assert position == until == file.stat().st_size
        assert store.execute("SELECT count(*) FROM order_state").fetchone() == (6000,)


def _signals(shop: PartnerConfig) -> list[dict[str, Any]]:
    """All that is disclosed in the outbox."""
    with closing(sqlite3.connect(shop.outbox)) as outbox:
        bodies = [row[0] for row in outbox.execute("SELECT data FROM body")]
    texts = [text for body in bodies for text in body.split(b"~")[1:-1]]
    return [json.loads(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))[1] for text in texts]
