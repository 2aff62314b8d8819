"""The disk is full: the hub's, the client's, the database's. Then room is made, and everything goes on."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sesame_sdk.delivery.messages import OutboxFullError
from tests import postgresql as servers
from tests.faults.conftest import Deployment
from tests.faults.disk import Quota, SmallDisk, small_disk
from tests.faults.fixture_population import BATCH, Population, signals
from tests.faults.processes import RunningHub, wait_until

ENVELOPES = 24
pytestmark = pytest.mark.long


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    """A small one, with room for all that a test writes."""
    with small_disk(64) as disk:
        yield disk


def _run(
    deployment: Deployment, hub: RunningHub, fill: Callable[[], None], free_space: Callable[[], None]
) -> None:
    """Fill the hub's disk in the middle of a delivery, see that it says so, and make room."""
    sender = deployment.sender(ENVELOPES * BATCH)
    client = sender.begin()
    wait_until(lambda: sender.sent > ENVELOPES // 8)
    fill()
    wait_until(lambda: "transaction_failed" in hub.log.read_text())
    assert hub.process.is_alive()
    assert hub.answers("/health/live") == 200
    assert client.is_alive()
    assert sender.sent < ENVELOPES
    free_space()
    sender.finish(client)
    assert hub.answers() == 200


def test_the_ledgers_disk_is_full(
    new_deployment: Callable[..., Deployment], disk: SmallDisk, tmp_path: Path
) -> None:
    """A full SQLite disk gives each sender a 503, and keeps everything that was acknowledged."""
    deployment = new_deployment("sqlite", path=tmp_path / "hub")
    database = f"sqlite:///{disk.path / 'hub.sqlite'}"
    shutil.move(deployment.path / "hub.sqlite", disk.path)
    _set_database(deployment, database)
    with deployment.serving() as hub:
        _run(deployment, hub, disk.fill, disk.free_space)
    deployment.check(ENVELOPES * BATCH)


def test_the_ledgers_files_may_not_grow(new_deployment: Callable[..., Deployment]) -> None:
    """The same where the system refuses each write beyond a size, as it does for a user with a quota."""
    deployment = new_deployment("sqlite")
    with deployment.serving() as hub:
        quota = Quota((hub.pid,))
        _run(deployment, hub, lambda: quota.fill(deployment.path / "hub.sqlite-wal"), quota.free_space)
    deployment.check(ENVELOPES * BATCH)


def test_the_outboxs_disk_is_full(new_deployment: Callable[..., Deployment], disk: SmallDisk) -> None:
    """`post` says what it kept and gives back the rest, `deliver` raises, and what was promised is there."""
    deployment = new_deployment("sqlite", client_folder=disk.path)
    sender = deployment.sender(ENVELOPES * BATCH)
    with deployment.serving(), sender.open_client() as client:
        client.post(signals(0, 2 * BATCH))
        assert client.deliver().sent == 2
        disk.fill(leaving=1 << 20)
        signals_sent = signals(2 * BATCH, ENVELOPES * BATCH)
        with pytest.raises(OutboxFullError, match="disk") as full:
            client.post(signals_sent)
        deployment.check_nothing_lost(2 * BATCH + full.value.stored)
        disk.free_space()
        client.post(full.value.remaining)
        delivered = client.deliver()
        assert (delivered.pending, delivered.dead) == (0, 0)
    deployment.check(ENVELOPES * BATCH)


def test_the_outbox_cannot_note_a_receipt(new_deployment: Callable[..., Deployment], disk: SmallDisk) -> None:
    """A client at work, whose disk is full for a while: what the hub signed for is asked for again."""
    deployment = new_deployment("sqlite", client_folder=disk.path)
    sender = deployment.sender(ENVELOPES * BATCH)
    with deployment.serving():
        client = sender.begin()
        wait_until(lambda: sender.sent > ENVELOPES // 8)
        disk.fill()
        wait_until(lambda: disk.free_bytes() == 0)
        stuck = sender.promised
        assert client.is_alive()
        disk.free_space()
        assert stuck <= sender.stop
        sender.finish(client)
    deployment.check(ENVELOPES * BATCH)


def test_postgresqls_disk_is_full(population: Population, tmp_path: Path) -> None:
    """PostgreSQL has no room for tables or its log, and may even end; started again it goes on."""
    with (
        small_disk(192) as disk,
        servers.running(
            below=disk.path, **servers.FAST | {"max_wal_size": "48MB", "min_wal_size": "32MB"}
        ) as server,
    ):
        name = server.create()
        deployment = Deployment(population, tmp_path / "hub", tmp_path / "client")
        deployment.client_folder.mkdir()
        population.create(deployment.path, server.url(name))
        with deployment.serving() as hub:
            _run(deployment, hub, disk.fill, lambda: _free_space(disk, server, hub))
        deployment.check(ENVELOPES * BATCH)
        server.drop(name)


def _free_space(disk: SmallDisk, server: servers.Server, hub: RunningHub) -> None:
    disk.free_space()

    def revived() -> bool:
        if not server.alive:  # it ended by itself, for want of room for its log
            server.start()
        return hub.answers() == 200

    wait_until(revived)


def _set_database(deployment: Deployment, database: str) -> None:
    lines = (deployment.path / "hub.toml").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("database")]
    (deployment.path / "hub.toml").write_text("\n".join([*kept, f'database = "{database}"', ""]))
