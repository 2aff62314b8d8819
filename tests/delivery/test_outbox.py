"""The outbox against a plain model of it, and against files that are not what they should be."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sesame_sdk import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.delivery.messages import (
    Acknowledged,
    Failed,
    MessageCounts,
    OutboxFullError,
    RedriveResult,
)
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.model.envelope import Receipt
from tests.conftest import NOON

CAPACITY = 50


class OutboxAndModel(RuleBasedStateMachine):
    """Whatever is done in whatever order, the outbox and three dictionaries agree."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.outbox = self.opened()
        self.pending: dict[str, bytes] = {}
        self.dead: dict[str, bytes] = {}
        self.sent: list[str] = []
        self.number = 0

    def opened(self) -> Outbox:
        """The same file, again."""
        return Outbox(Path(self.folder.name) / "outbox.sqlite", capacity=CAPACITY)

    def teardown(self) -> None:
        """Leave nothing open."""
        self.outbox.close()
        self.folder.cleanup()

    @rule(body=st.binary(max_size=CAPACITY // 2))
    def append(self, body: bytes) -> None:
        """Kept if there is room, and else not at all."""
        self.number += 1
        jti = f"m{self.number}"
        size = sum(map(len, [*self.pending.values(), *self.dead.values()]))
        if size + len(body) > CAPACITY:
            with pytest.raises(OutboxFullError):
                self.outbox.append(jti, "kind", body)
        else:
            self.outbox.append(jti, "kind", body, signal_count=2)
            self.pending[jti] = body

    @rule(dice=st.randoms(use_true_random=False))
    def settle(self, dice: object) -> None:
        """Some of the pending are sent, some refused; saying it twice changes nothing."""
        messages = self.outbox.fetch_pending()
        dice.shuffle(messages)  # type: ignore[attr-defined]
        sent, dead = messages[: len(messages) // 2], messages[len(messages) // 2 : -1]
        signed = [Acknowledged(each, Receipt(each.jti, NOON, 2), each.jti.encode()) for each in sent]
        refused = [Failed(each, "invalid_request", "why") for each in dead]
        for _ in range(2):
            self.outbox.record_outcomes(signed, refused)
        self.sent += [each.jti for each in sent]
        for each in sent:
            del self.pending[each.jti]
        for each in dead:
            self.dead[each.jti] = self.pending.pop(each.jti)

    @rule()
    def redrive(self) -> None:
        """The dead are pending again, with the bytes that they had."""
        assert self.outbox.redrive() == RedriveResult(len(self.dead), 0, ())
        self.pending |= self.dead
        self.dead = {}

    @rule(data=st.data(), body=st.binary(max_size=CAPACITY // 2))
    def sign_anew(self, data: st.DataObject, body: bytes) -> None:
        """One of the dead is pending again, with another id and body, in its old place."""
        letters = self.outbox.dead_letters()
        if letters:
            letter = data.draw(st.sampled_from(letters))
            self.number += 1
            jti = f"m{self.number}"
            assert self.outbox.redrive([letter.id], lambda _: (jti, body)) == RedriveResult(1, 1, ())
            del self.dead[letter.jti]
            self.pending[jti] = body

    @rule()
    def discard(self) -> None:
        """The dead are gone."""
        assert self.outbox.discard() == len(self.dead)
        self.dead = {}

    @rule(data=st.data())
    def discard_some(self, data: st.DataObject) -> None:
        """Those that are named are gone; with a number that is not one of them, none is."""
        letters = self.outbox.dead_letters()
        chosen = data.draw(st.lists(st.sampled_from(letters), unique=True)) if letters else []
        for change in (self.outbox.discard, self.outbox.redrive):
            with pytest.raises(InvalidInputError, match="not a dead letter"):
                change([*(letter.id for letter in letters), 10_000])
        assert self.outbox.discard(letter.id for letter in chosen) == len(chosen)
        for letter in chosen:
            del self.dead[letter.jti]

    @rule()
    def reopen(self) -> None:
        """Nothing depends on the process that wrote it."""
        self.outbox.close()
        self.outbox = self.opened()

    @invariant()
    def agree(self) -> None:
        """Bodies, ids, reasons, receipts and counts."""
        assert {each.jti: each.body for each in self.outbox.fetch_pending(limit=1000)} == self.pending
        assert sorted(each.jti for each in self.outbox.dead_letters()) == sorted(self.dead)
        assert {each.jti: self.outbox.read(each.id).body for each in self.outbox.dead_letters()} == self.dead
        assert sorted(each.jti for each in self.outbox.receipts()) == sorted(self.sent)
        assert sorted(self.outbox.receipt_tokens()) == sorted(jti.encode() for jti in self.sent)
        size = sum(map(len, [*self.pending.values(), *self.dead.values()]))
        assert self.outbox.counts() == MessageCounts(len(self.pending), len(self.sent), len(self.dead), size)


TestOutbox = OutboxAndModel.TestCase
TestOutbox.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an outbox may be."""
    return tmp_path / "outbox.sqlite"


def test_pending_messages_come_oldest_first_in_pages(path: Path) -> None:
    """`after` goes on where the last piece ended."""
    outbox = Outbox(path)
    for number in range(5):
        outbox.append(f"m{number}", "kind", b"body")

    first = outbox.fetch_pending(limit=3)
    rest = outbox.fetch_pending(after=first[-1].id, limit=3)

    assert [each.jti for each in (*first, *rest)] == ["m0", "m1", "m2", "m3", "m4"]
    outbox.close()


def test_many_receipts_are_read_in_pieces(path: Path) -> None:
    """More than one piece of them, each once, in order."""
    outbox = Outbox(path)
    for number in range(1100):
        outbox.append(f"m{number}", "kind", b"x")
    messages = outbox.fetch_pending(limit=2000)
    outbox.record_outcomes([Acknowledged(each, Receipt(each.jti, NOON, 0), b"t") for each in messages])

    assert [each.jti for each in outbox.receipts()] == [f"m{number}" for number in range(1100)]
    outbox.close()


def test_what_was_sent_takes_no_room(path: Path) -> None:
    """The file does not grow with what went through it."""
    outbox = Outbox(path, capacity=1_000_000)
    for number in range(100):
        outbox.append(f"m{number}", "kind", bytes(900_000))
        (message,) = outbox.fetch_pending()
        outbox.record_outcomes([Acknowledged(message, Receipt(message.jti, NOON, 0), b"token")])
    outbox.close()

    assert path.stat().st_size < 3_000_000


def test_an_id_is_taken_once(path: Path) -> None:
    """Two messages under one id would be one to the hub."""
    outbox = Outbox(path)
    outbox.append("m", "kind", b"body")

    with pytest.raises(ConfigurationError):
        outbox.append("m", "kind", b"other")
    assert [each.body for each in outbox.fetch_pending()] == [b"body"]
    assert outbox.counts().bytes == 4
    outbox.close()


@pytest.mark.parametrize(
    "content",
    [b"not a database, but long enough to be looked at as one" * 20, b"SQLite format 3\x00junk" * 99],
)
def test_a_file_that_is_no_outbox_is_left_alone(path: Path, content: bytes) -> None:
    """It is named, and not written to."""
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"outbox\.sqlite"):
        Outbox(path)
    assert path.read_bytes() == content


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    """Tables of another program are not ours to write beside."""
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (a)")
    other.close()

    with pytest.raises(ConfigurationError, match="not an outbox"):
        Outbox(path)


def test_several_may_make_one_file_at_once(path: Path) -> None:
    """To set up its log, SQLite needs a file alone, and does not wait for that as it does for writes."""
    gate = Barrier(4, timeout=10)

    def open_all(_: int) -> None:
        for number in range(20):
            gate.wait()
            Outbox(path.with_name(f"{number}.sqlite")).close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_all, range(4))) == [None] * 4


def test_a_missing_folder_is_named(path: Path) -> None:
    """A missing folder is not created."""
    with pytest.raises(ConfigurationError, match="folder"):
        Outbox(path.parent / "nowhere" / "outbox.sqlite")


def test_the_right_to_deliver_comes_back(path: Path) -> None:
    """Only one holder at a time; an error releases the lock."""
    one, two = Outbox(path), Outbox(path)
    with pytest.raises(RetryableError), one.delivery_lock(), two.delivery_lock():
        pytest.fail("two hold it")
    with two.delivery_lock():
        pass
    one.close()
    two.close()
