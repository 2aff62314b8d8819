"""The withdrawal log: complete, private, and no longer than necessary."""

import json
import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import ConfigurationError, Direction
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.rights import withdrawal_log
from sesame_sdk.hub.rights.withdrawal_log import Action, WithdrawalLog
from sesame_sdk.hub.settings import SETTINGS_FILE, create_hub
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import HUB, NOON, Clock, Partner

DAYS = timedelta(days=35)
SHOP = "https://shop.example"


@pytest.fixture
def clock() -> Clock:
    """Stands at noon."""
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> WithdrawalLog:
    """A new log."""
    made = WithdrawalLog(tmp_path / "withdrawals.jsonl", DAYS, clock)
    made.create_if_missing()
    return made


def test_an_entry_names_a_person_by_a_hash_alone(log: WithdrawalLog) -> None:
    """A person can be compared with it, and not be read from it."""
    log.record_withdrawal("ada@people.example", SHOP, Direction.SEND)
    log.record_erasure("ada@people.example")
    log.record_key_revocation(SHOP, "a-kid", NOON)
    text = log.path.read_text()
    assert "ada@" not in text
    read = withdrawal_log.read_log(log.path)
    assert [(entry.action, entry.at) for entry in read.entries] == [
        (what, to_micros(NOON)) for what in (Action.WITHDRAWAL, Action.ERASURE, Action.KEY_REVOCATION)
    ]
    assert {entry.person_hash for entry in read.entries} == {read.person_hash("ada@people.example"), ""}
    assert read.person_hash("ben") not in text
    assert read.complete_since == to_micros(NOON)
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert read.key.hex() not in repr(read)


def test_processes_that_create_one_log_together_use_one_key(tmp_path: Path, clock: Clock) -> None:
    """As workers do: the first one creates the log, and no other fails or replaces it."""

    def begin(path: Path) -> bytes:
        together.wait()
        WithdrawalLog(path, DAYS, clock).create_if_missing()
        return withdrawal_log.read_log(path).key

    together = Barrier(6)
    with ThreadPoolExecutor(6) as pool:
        for turn in range(40):
            keys = list(pool.map(begin, [tmp_path / f"{turn}.jsonl"] * 6))
            assert len(set(keys)) == 1


def test_two_logs_have_different_hashes_of_a_person(log: WithdrawalLog, tmp_path: Path, clock: Clock) -> None:
    """So they cannot be joined."""
    other = WithdrawalLog(tmp_path / "other.jsonl", DAYS, clock)
    other.create_if_missing()
    assert withdrawal_log.read_log(log.path).person_hash("ada") != withdrawal_log.read_log(
        other.path
    ).person_hash("ada")


@given(st.binary(max_size=300))
def test_an_incomplete_last_line_is_ignored(tmp_path_factory: pytest.TempPathFactory, torn: bytes) -> None:
    """The interrupted change was not made; the next line is whole."""
    made = WithdrawalLog(tmp_path_factory.mktemp("torn") / "withdrawals.jsonl", DAYS, Clock())
    made.create_if_missing()
    made.record_erasure("ada")
    with made.path.open("ab") as file:
        file.write(torn.replace(b"\n", b""))
    assert len(withdrawal_log.read_log(made.path).entries) == 1
    made.record_erasure("ben")
    read = withdrawal_log.read_log(made.path)
    assert [entry.person_hash for entry in read.entries] == [read.person_hash("ada"), read.person_hash("ben")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe\n", id="not text"),
        pytest.param(b'{"key": "00"}\n', id="no time of effect"),
        pytest.param(b'{"key": "xyz", "complete_since": 1}\n', id="a key that is none"),
        pytest.param(b'{"key": "00", "complete_since": 1}\n{"at": 1}\n', id="a line that says nothing"),
    ],
)
def test_a_damaged_log_is_reported_and_not_replaced(log: WithdrawalLog, text: bytes) -> None:
    """To begin a new one would forget what was taken back."""
    log.path.write_bytes(text)
    with pytest.raises(ConfigurationError, match=r"withdrawals\.jsonl: is not a withdrawal log"):
        log.create_if_missing()
    with pytest.raises(ConfigurationError, match=r"withdrawals\.jsonl: is not a withdrawal log"):
        log.record_erasure("ada")
    assert log.path.read_bytes() == text


def test_entries_expire_when_no_backup_may_be_that_old(log: WithdrawalLog, clock: Clock) -> None:
    """Then the log says from when on it is complete; the key stays, so that the rest can be compared."""
    for _ in range(4):
        log.record_erasure("ada")
        clock.advance(days=20)
    log.record_erasure("ben")
    read = withdrawal_log.read_log(log.path)
    assert read.complete_since == to_micros(clock.now - DAYS)
    assert [entry.at for entry in read.entries] == [
        to_micros(clock.now - timedelta(days=20)),
        to_micros(clock.now),
    ]
    assert read.entries[1].person_hash == read.person_hash("ben")
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def _write(path: str, number: int) -> None:
    """Forty lines, of which the first make it forget old ones."""
    made = WithdrawalLog(Path(path), DAYS, Clock(NOON + timedelta(days=100)))
    for count in range(40):
        made.record_erasure(f"{number} {count}")


def test_several_processes_write_one_log(log: WithdrawalLog) -> None:
    """Also while one of them takes old lines out: no line is lost, and none is there twice."""
    log.record_erasure("of long ago")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(str(log.path), number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    read = withdrawal_log.read_log(log.path)
    expected = {read.person_hash(f"{number} {count}") for number in range(3) for count in range(40)}
    assert sorted(entry.person_hash for entry in read.entries) == sorted(expected)


def test_a_hub_logs_a_withdrawal_before_it_is_done(tmp_path: Path) -> None:
    """By a direction or all; and keys. A log that cannot be written keeps it from being done."""
    with Hub.open(create_hub(tmp_path / "hub", issuer=HUB).path, clock=Clock()) as hub:
        shop = Partner.join(SHOP, hub, Clock(), ORDERS, reads=["retail"])
        hub.add_grants(shop.grants("ada", "retail.order.completed", reads="retail"))
        hub.withdraw_grants("ada", SHOP, Direction.READ)
        hub.revoke_key(shop.key.kid, NOON, issuer=SHOP)
        read = withdrawal_log.read_log(hub.settings.withdrawal_log_path)
        assert [(entry.action, entry.direction, entry.kid) for entry in read.entries] == [
            (Action.WITHDRAWAL, Direction.READ, ""),
            (Action.KEY_REVOCATION, None, shop.key.kid),
        ]
        hub.settings.withdrawal_log_path.unlink()
        hub.settings.withdrawal_log_path.mkdir()
        with pytest.raises(ConfigurationError, match="cannot be written"):
            hub.withdraw_grants("ada", SHOP)
        assert sum(grant.withdrawn_at is None for _, grant in hub.list_grants("ada")) == 1


def test_a_log_may_be_in_another_folder(tmp_path: Path) -> None:
    """On another disk than the ledger, say."""
    path = create_hub(tmp_path / "hub", issuer=HUB).path
    with (path / SETTINGS_FILE).open("a") as file:
        file.write(f"withdrawal_log = {json.dumps(str(tmp_path / 'other.jsonl'))}\n")
    Hub.open(path).close()
    assert (tmp_path / "other.jsonl").exists()
    assert not (path / "withdrawals.jsonl").exists()
