"""The score store: its contents, when they may be used, and that no fault damages them."""

import math
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import ConfigurationError, Score
from sesame_sdk.partner.score_store.inbox import Inbox
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.partner.score_store.table import ScoreTable, SubjectIndex, hash_subjects
from tests.partner.fake_hub import STREAM, FakeHub


@pytest.fixture
def fake_hub() -> FakeHub:
    """A hub."""
    return FakeHub()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of the store."""
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(fake_hub: FakeHub, path: Path) -> Iterator[ScoreStore]:
    """An empty store that follows a stream."""
    with fake_hub.open(path) as opened:
        opened.begin_stream(STREAM)
        yield opened


@pytest.fixture
def inbox(fake_hub: FakeHub, store: ScoreStore) -> Inbox:
    """The way into it."""
    return fake_hub.inbox(store)


def test_a_score_is_what_the_hub_would_have_answered(
    store: ScoreStore, inbox: Inbox, fake_hub: FakeHub
) -> None:
    """With band, day, policy and base; None without a score and for an unknown person."""
    inbox.receive(fake_hub.scores([("ada", 1, 612.5), ("bob", 2, None)]))
    assert store.scores(["ada", "bob", "eve"]) == {
        "ada": Score(612.5, "good", date(2026, 6, 1), "digest", 500.0),
        "bob": None,
        "eve": None,
    }
    points = store.points(["eve", "ada"])
    assert math.isnan(points[0])
    assert points[1] == 612.5
    assert store.state.subject_count == 1


def test_a_new_store_is_stale_until_the_first_message(
    store: ScoreStore, inbox: Inbox, fake_hub: FakeHub
) -> None:
    """A store without any message is stale."""
    assert (store.state.stale, store.state.last_message_at) == (True, None)
    inbox.receive(fake_hub.alive())
    assert (store.state.stale, store.state.last_message_at) == (False, fake_hub.now)


def test_a_stale_store_has_no_scores(store: ScoreStore, inbox: Inbox, fake_hub: FakeHub) -> None:
    """After the set time without the hub; a sign of life, dated now, brings all of them back."""
    inbox.receive(fake_hub.scores([("ada", 1, 612.5)]))
    fake_hub.now += timedelta(minutes=5)
    assert store.scores(["ada"])["ada"] is not None
    fake_hub.now += timedelta(seconds=1)
    assert store.state.stale
    assert store.scores(["ada"]) == {"ada": None}
    assert np.isnan(store.points(["ada"])).all()
    early = fake_hub.alive(now=fake_hub.now - timedelta(minutes=6))
    inbox.receive(early)
    assert store.state.stale
    inbox.receive(fake_hub.alive())
    assert store.scores(["ada"])["ada"] is not None


def test_who_leaves_is_out_of_every_page_too(store: ScoreStore, inbox: Inbox, fake_hub: FakeHub) -> None:
    """Listeners for removals run before the message is acknowledged, with the pseudonym."""
    removed: list[frozenset[str] | None] = []
    store.on_removal(removed.append)
    inbox.receive(fake_hub.scores([("ada", 1, 612.5), ("bob", 2, 500.0)]))
    assert removed == []
    inbox.receive(fake_hub.gone("ada", 3))
    assert removed == [frozenset({"ada"})]
    assert store.scores(["ada"]) == {"ada": None}
    inbox.receive(fake_hub.erased("bob", 4))
    assert removed[1] == frozenset({"bob"})
    assert store.state.subject_count == 0


def test_an_erased_pseudonym_is_in_no_table_of_the_store(
    store: ScoreStore, inbox: Inbox, fake_hub: FakeHub, path: Path
) -> None:
    """What stays is a number that keeps older messages from bringing the person back."""
    inbox.receive(fake_hub.scores([("pseudonym-of-ada", 1, 612.5)]))
    inbox.receive(fake_hub.erased("pseudonym-of-ada", 2))
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM journal").fetchone() == (0,)
        parts = dict(file.execute("SELECT name, data FROM snapshot"))
    assert not any(b"pseudonym-of-ada" in data for data in parts.values())
    inbox.receive(fake_hub.scores([("pseudonym-of-ada", 1, 612.5)]))
    assert store.scores(["pseudonym-of-ada"]) == {"pseudonym-of-ada": None}


def test_another_process_sees_what_was_taken_in(
    store: ScoreStore, inbox: Inbox, fake_hub: FakeHub, path: Path
) -> None:
    """At its next read, with its listeners; also after the journal was compacted, or the store refilled."""
    removed: list[frozenset[str] | None] = []
    with fake_hub.open(path) as other:
        other.on_removal(removed.append)
        inbox.receive(fake_hub.scores([("ada", 1, 612.5), ("bob", 2, 550.0)]))
        assert other.points(["ada"])[0] == 612.5
        inbox.receive(fake_hub.gone("ada", 3))
        assert other.scores(["ada"]) == {"ada": None}
        assert removed == [frozenset({"ada"})]
        inbox.receive(fake_hub.gone("bob", 4))
        store.compact()
        assert other.scores(["bob"]) == {"bob": None}
        assert removed[-1] is None
        inbox.receive(fake_hub.scores([("cy", 5, 700.0)]))
        assert other.points(["cy"])[0] == 700.0
        store.begin_stream("another stream")
        assert other.state.subject_count == 0


_LOOK = (
    "import sqlite3, sys; file = sqlite3.connect(sys.argv[1]);"
    " print(file.execute('SELECT count(*) FROM received').fetchone())"
)


def test_nothing_is_lost_when_another_process_opens_and_closes_the_store(
    store: ScoreStore, inbox: Inbox, fake_hub: FakeHub, path: Path
) -> None:
    """It is not the last one, and must not take itself for that: it would delete the log that we write to."""
    for number in range(1, 4):
        inbox.receive(fake_hub.scores([("ada", number, 600.0 + number)]))
        looked = subprocess.run(
            [sys.executable, "-c", _LOOK, path], capture_output=True, text=True, check=True
        )
        assert looked.stdout == f"({number},)\n"
        assert path.with_name(f"{path.name}-wal").exists()
    assert store.points(["ada"])[0] == 603.0


@pytest.mark.parametrize("fold", [False, True])
def test_a_store_is_the_same_when_it_is_opened_again(
    store: ScoreStore, inbox: Inbox, fake_hub: FakeHub, path: Path, *, fold: bool
) -> None:
    """Columns, journal, labels, the time of the last message and the stream."""
    inbox.receive(fake_hub.scores([(f"p{number}", number, 400.0 + number) for number in range(300)]))
    if fold:
        store.compact()
    inbox.receive(fake_hub.scores([("p7", 999, 700.0), ("p8", 1000, None)], day=date(2026, 6, 2)))
    inbox.receive(fake_hub.gone("p9", 1001))
    names = [f"p{number}" for number in range(301)]
    with fake_hub.open(path) as again:
        assert again.scores(names) == store.scores(names)
        assert again.state == store.state
        assert again.state.subject_count == 298


def test_a_store_of_another_stream_is_refused(store: ScoreStore, fake_hub: FakeHub, path: Path) -> None:
    """A store has one purpose, one context, one hub and one reader."""
    assert store.state.subject_count == 0
    with pytest.raises(ConfigurationError, match="belongs to another context"):
        fake_hub.open(path, context="community")
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA application_id = 7")
    file.close()
    with pytest.raises(ConfigurationError, match="is not a score store of this version"):
        fake_hub.open(path)


def test_a_roster_is_answered_as_its_names_would_be(
    store: ScoreStore, inbox: Inbox, fake_hub: FakeHub, path: Path
) -> None:
    """With the very same read-only array, until something changes, in this process or another."""
    names = [f"p{number}" for number in range(300)]
    roster = SubjectIndex(names)

    def same() -> None:
        points = store.points(roster)
        np.testing.assert_array_equal(points, store.points(names))
        if not store.state.stale:
            assert store.points(roster) is points
            with pytest.raises(ValueError, match="read-only"):
                points[0] = 1.0

    same()
    inbox.receive(fake_hub.scores([(f"p{number}", number, 400.0 + number) for number in range(0, 200, 2)]))
    same()
    inbox.receive(fake_hub.scores([("p2", 500, 700.0), ("p3", 501, 500.0), ("p4", 502, None)]))
    same()
    inbox.receive(fake_hub.gone("p6", 503))
    assert np.isnan(store.points(roster)[6])
    same()
    with fake_hub.open(path) as other:
        fake_hub.inbox(other).receive(fake_hub.scores([("p299", 504, 612.5)]))
        assert store.points(roster)[299] == 612.5
        other.compact()
        same()
    fake_hub.now += timedelta(hours=1)
    same()
    store.begin_stream("another stream")
    same()
    assert len(roster) == 300


@given(st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=3), max_size=30))
def test_a_roster_knows_whether_somebody_is_named_twice(names: list[str]) -> None:
    """As a set of the names would."""
    assert SubjectIndex(names).has_unique_subjects() is (len(set(names)) == len(names))


_people = st.sampled_from(["ada", "bob", "cy", "a much longer pseudonym than the others have", "ä"])
_states = st.lists(
    st.tuples(_people, st.integers(1, 60), st.one_of(st.none(), st.floats(350, 950))),
    max_size=40,
    unique_by=lambda state: state[1],
)


@given(states=_states, order=st.randoms(use_true_random=False), cuts=st.integers(1, 7), fold=st.booleans())
def test_whatever_the_order_the_latest_state_of_each_person_holds(
    states: list[tuple[str, int, float | None]], order: object, cuts: int, *, fold: bool
) -> None:
    """In any interleaving, any batches, with repetitions, and through a dump in the middle."""
    mixed = [*states, *states[::3]]
    order.shuffle(mixed)  # type: ignore[attr-defined]
    columns = ScoreTable()
    for start in range(0, len(mixed), cuts):
        some = mixed[start : start + cuts]
        points = [math.nan if value is None else value for _, _, value in some]
        seq = np.array([number for _, number, _ in some], np.int64)
        keys = hash_subjects([who for who, _, _ in some])
        columns.upsert(keys, seq, np.array(points), np.zeros(len(some), np.int32))
        if fold:
            columns = ScoreTable.load(*columns.dump(since=0))
    expected = {who: value for who, _, value in sorted(states, key=lambda state: state[1])}
    who = ["unknown", *expected]
    points = columns.points(columns.find(hash_subjects(who))).tolist()
    assert [None if math.isnan(value) else value for value in points] == [None, *expected.values()]


@given(st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=40), unique=True, max_size=30))
def test_a_key_does_not_depend_on_its_neighbours(subjects: list[str]) -> None:
    """Looked up alone or among others of any length, a person is the same; no two are."""
    together = hash_subjects(subjects)
    for subject, key in zip(subjects, together, strict=True):
        assert (hash_subjects([subject])[0] == key).all()
    assert len({tuple(key) for key in together.tolist()}) == len(subjects)


def test_a_table_that_grows_keeps_everybody() -> None:
    """Through many doublings, with no person mistaken for another."""
    columns = ScoreTable()
    subjects = [f"person-{number}" for number in range(20_000)]
    keys, seq = hash_subjects(subjects), np.arange(20_000)
    for start in range(0, 20_000, 777):
        piece = slice(start, start + 777)
        columns.upsert(keys[piece], seq[piece], seq[piece] * 1.0, np.zeros(len(seq[piece]), np.int32))
    assert columns.points(columns.find(keys)).tolist() == seq.tolist()
    others = hash_subjects([f"other-{number}" for number in range(1000)])
    assert np.isnan(columns.points(columns.find(others))).all()
