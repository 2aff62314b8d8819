"""The journal of what was taken back: complete, private, and no longer than it must be."""

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
from sesame_sdk.hub.backup import withdrawal_log
from sesame_sdk.hub.backup.withdrawal_log import Journal, What
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import FILE, create_hub
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import HUB, NOON, Clock, Partner

DAYS = timedelta(days=35)
SHOP = "https://shop.example"


@pytest.fixture
def clock() -> Clock:
    """Stands at noon."""
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> Journal:
    """A new journal."""
    made = Journal(tmp_path / "journal.jsonl", DAYS, clock)
    made.begin()
    return made


def test_a_journal_says_what_was_done_and_to_whom_only_to_those_who_know(book: Journal) -> None:
    """A person can be compared with it, and not be read from it."""
    book.withdrew("ada@people.example", SHOP, Direction.SEND)
    book.erased("ada@people.example")
    book.revoked(SHOP, "a-kid", NOON)
    text = book.path.read_text()
    assert "ada@" not in text
    read = withdrawal_log.read(book.path)
    assert [(entry.what, entry.at) for entry in read.entries] == [
        (what, to_micros(NOON)) for what in (What.WITHDREW, What.ERASED, What.REVOKED)
    ]
    assert {entry.who for entry in read.entries} == {read.who("ada@people.example"), ""}
    assert read.who("ben") not in text
    assert read.since == to_micros(NOON)
    assert stat.S_IMODE(book.path.stat().st_mode) == 0o600
    assert read.key.hex() not in repr(read)


def test_several_that_begin_one_journal_together_use_one_key(tmp_path: Path, clock: Clock) -> None:
    """As workers do: whoever is first makes it, and nobody fails or puts another in its place."""

    def begin(path: Path) -> bytes:
        together.wait()
        Journal(path, DAYS, clock).begin()
        return withdrawal_log.read(path).key

    together = Barrier(6)
    with ThreadPoolExecutor(6) as pool:
        for turn in range(40):
            keys = list(pool.map(begin, [tmp_path / f"{turn}.jsonl"] * 6))
            assert len(set(keys)) == 1


def test_two_journals_call_a_person_by_two_names(book: Journal, tmp_path: Path, clock: Clock) -> None:
    """So they cannot be joined."""
    other = Journal(tmp_path / "other.jsonl", DAYS, clock)
    other.begin()
    assert withdrawal_log.read(book.path).who("ada") != withdrawal_log.read(other.path).who("ada")


@given(st.binary(max_size=300))
def test_a_line_that_a_power_cut_left_unfinished_is_passed_over(
    tmp_path_factory: pytest.TempPathFactory, torn: bytes
) -> None:
    """What it would have told of was not done; the next line is whole."""
    made = Journal(tmp_path_factory.mktemp("torn") / "journal.jsonl", DAYS, Clock())
    made.begin()
    made.erased("ada")
    with made.path.open("ab") as file:
        file.write(torn.replace(b"\n", b""))
    assert len(withdrawal_log.read(made.path).entries) == 1
    made.erased("ben")
    read = withdrawal_log.read(made.path)
    assert [entry.who for entry in read.entries] == [read.who("ada"), read.who("ben")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe\n", id="not text"),
        pytest.param(b'{"key": "00"}\n', id="no moment from when on"),
        pytest.param(b'{"key": "xyz", "since": 1}\n', id="a key that is none"),
        pytest.param(b'{"key": "00", "since": 1}\n{"at": 1}\n', id="a line that says nothing"),
    ],
)
def test_a_damaged_journal_is_told_and_left_alone(book: Journal, text: bytes) -> None:
    """To begin a new one would forget what was taken back."""
    book.path.write_bytes(text)
    with pytest.raises(ConfigurationError, match=r"journal\.jsonl: is no journal"):
        book.begin()
    with pytest.raises(ConfigurationError, match=r"journal\.jsonl: is no journal"):
        book.erased("ada")
    assert book.path.read_bytes() == text


def test_lines_are_forgotten_when_no_backup_may_be_so_old(book: Journal, clock: Clock) -> None:
    """Then the journal says from when on it is complete; the key stays, so that the rest can be compared."""
    for _ in range(4):
        book.erased("ada")
        clock.pass_by(days=20)
    book.erased("ben")
    read = withdrawal_log.read(book.path)
    assert read.since == to_micros(clock.now - DAYS)
    assert [entry.at for entry in read.entries] == [
        to_micros(clock.now - timedelta(days=20)),
        to_micros(clock.now),
    ]
    assert read.entries[1].who == read.who("ben")
    assert stat.S_IMODE(book.path.stat().st_mode) == 0o600


def _write(path: str, number: int) -> None:
    """Forty lines, of which the first make it forget old ones."""
    made = Journal(Path(path), DAYS, Clock(NOON + timedelta(days=100)))
    for count in range(40):
        made.erased(f"{number} {count}")


def test_several_processes_write_one_journal(book: Journal) -> None:
    """Also while one of them takes old lines out: no line is lost, and none is there twice."""
    book.erased("of long ago")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(str(book.path), number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    read = withdrawal_log.read(book.path)
    expected = {read.who(f"{number} {count}") for number in range(3) for count in range(40)}
    assert sorted(entry.who for entry in read.entries) == sorted(expected)


def test_a_hub_writes_down_what_people_take_back_before_it_is_done(tmp_path: Path) -> None:
    """By a direction or all; and keys. A journal that cannot be written keeps it from being done."""
    with Hub.open(create_hub(tmp_path / "hub", issuer=HUB).path, clock=Clock()) as hub:
        shop = Partner.join(SHOP, hub, Clock(), ORDERS, reads=["retail"])
        hub.add_grants(shop.grants("ada", "retail.order.completed", reads="retail"))
        hub.withdraw_grants("ada", SHOP, Direction.READ)
        hub.revoke_key(SHOP, shop.key.kid, NOON)
        read = withdrawal_log.read(hub.settings.journal_path)
        assert [(entry.what, entry.direction, entry.kid) for entry in read.entries] == [
            (What.WITHDREW, Direction.READ, ""),
            (What.REVOKED, None, shop.key.kid),
        ]
        hub.settings.journal_path.unlink()
        hub.settings.journal_path.mkdir()
        with pytest.raises(ConfigurationError, match="cannot be written"):
            hub.withdraw_grants("ada", SHOP)
        assert sum(grant.withdrawn_at is None for _, grant in hub.list_grants("ada")) == 1


def test_a_journal_may_lie_elsewhere(tmp_path: Path) -> None:
    """On another disk than the ledger, say."""
    path = create_hub(tmp_path / "hub", issuer=HUB).path
    with (path / FILE).open("a") as file:
        file.write(f"journal = {json.dumps(str(tmp_path / 'elsewhere.jsonl'))}\n")
    Hub.open(path).close()
    assert (tmp_path / "elsewhere.jsonl").exists()
    assert not (path / "journal.jsonl").exists()
