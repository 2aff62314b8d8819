"""A pool of candidates gives the same ranking as names, whatever the store received in between."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from attrs import define
from sesame_baihe import CandidatePool, Matchmaking, Paginator, RankingRequest, rank

from sesame_sdk import InvalidInputError, ScoreStore
from tests.partner.fake_hub import STREAM, FakeHub

NAMES = tuple(f"person-{number:03}" for number in range(200))
NEAR = np.random.default_rng(5).random(200)


@define
class StoreFixture:
    """A score store, and a hub that sends updates to it."""

    fake_hub: FakeHub
    store: ScoreStore
    seq: int = 0

    def scores(self, **points: float) -> None:
        """Of people by number, as p7=612.5."""
        changes = []
        for name, value in points.items():
            self.seq += 1
            changes.append((f"person-{int(name[1:]):03}", self.seq, value))
        self.fake_hub.inbox(self.store).receive(self.fake_hub.scores(changes))

    def gone(self, name: str) -> None:
        """Somebody took the consent back."""
        self.seq += 1
        self.fake_hub.inbox(self.store).receive(self.fake_hub.gone(name, self.seq))


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[StoreFixture]:
    """An empty store that follows a stream."""
    fake_hub = FakeHub()
    with fake_hub.open(tmp_path / "store") as store:
        store.begin_stream(STREAM)
        yield StoreFixture(fake_hub, store)


def test_a_pool_is_ranked_as_its_names_would_be(shown: StoreFixture) -> None:
    """After scores, a withdrawal and a compaction, while the store is stale, and when it is refilled."""
    pool = CandidatePool(NAMES)

    def same() -> None:
        for _ in range(2):
            result = rank(pool, NEAR, shown.store, viewer="ada", top=20)
            assert result == rank(NAMES, NEAR, shown.store, viewer="ada", top=20)

    same()
    shown.scores(p1=612.5, p2=950.0, p99=400.0)
    same()
    shown.scores(p2=500.0, p150=700.0)
    same()
    shown.gone("person-150")
    assert all(
        one.score is None for one in rank(pool, NEAR, shown.store).profiles if one.profile == "person-150"
    )
    same()
    shown.store.compact()
    shown.scores(p3=620.0)
    same()
    shown.fake_hub.now += timedelta(hours=1)
    assert rank(pool, NEAR, shown.store).parameters.stale
    same()
    shown.scores(p4=630.0)
    same()
    shown.store.begin_stream("another stream")
    assert all(one.score is None for one in rank(pool, NEAR, shown.store).profiles)
    same()


def test_a_pool_is_ranked_with_a_mapping_too(shown: StoreFixture) -> None:
    """That may change between two rankings, and by another range than before."""
    pool, points = CandidatePool(NAMES), {"person-007": 900.0}
    for change in ({}, {"person-007": 400.0}, {"person-008": 800.0}):
        points |= change
        assert rank(pool, NEAR, points) == rank(NAMES, NEAR, points)
    wide = {"score_range": (0.0, 1000.0)}
    assert rank(pool, NEAR, points, **wide) == rank(NAMES, NEAR, points, **wide)
    shown.scores(p7=800.0)
    assert rank(pool, NEAR, shown.store, **wide) == rank(NAMES, NEAR, shown.store, **wide)
    assert rank(pool, NEAR, shown.store) == rank(NAMES, NEAR, shown.store)


def test_one_pool_serves_two_stores(shown: StoreFixture, tmp_path: Path) -> None:
    """Cached positions of one store are not used for the other."""
    shown.scores(p1=612.5)
    pool = CandidatePool(NAMES)
    with shown.fake_hub.open(tmp_path / "other") as other:
        other.begin_stream(STREAM)
        shown.fake_hub.inbox(other).receive(shown.fake_hub.scores([("person-002", 1, 800.0)]))
        for store in (shown.store, other, shown.store):
            assert rank(pool, NEAR, store) == rank(NAMES, NEAR, store)


def test_a_pool_is_paged_through_and_asked_about_as_a_request(shown: StoreFixture) -> None:
    """In place of a tuple of names, with relevance as an array."""
    shown.scores(p1=612.5, p2=950.0)
    request = RankingRequest(CandidatePool(NAMES), NEAR, viewer="ada", top=40)
    named = RankingRequest(NAMES, tuple(NEAR.tolist()), viewer="ada", top=40)
    assert Matchmaking().subjects(request) == NAMES
    with Paginator(shown.store, page_size=10) as pages:
        assert pages.open_snapshot(request).profiles == pages.open_snapshot(named).profiles


def test_a_pool_is_a_row_of_names() -> None:
    """A page request for a member gives that member's page."""
    pool = CandidatePool(iter(NAMES))
    assert (len(pool), pool[3], pool[:2], list(pool)) == (200, NAMES[3], NAMES[:2], list(NAMES))


@pytest.mark.parametrize("names", [["a", "b", "a"], "abc", ["a", 1], [None, None]])
def test_duplicate_names_are_rejected(shown: StoreFixture, names: list[str]) -> None:
    """When a pool is made, or names are ranked from a store; invalid names are rejected too."""
    with pytest.raises(InvalidInputError, match="candidates: must be names without duplicates"):
        CandidatePool(names)
    with pytest.raises(InvalidInputError, match="candidates: must be names without duplicates"):
        rank(names, [0.5] * len(names), shown.store)


def test_a_wrong_relevance_is_rejected_as_for_names(shown: StoreFixture) -> None:
    """One for each, and within bounds."""
    with pytest.raises(InvalidInputError, match="relevance: must have one value for each candidate"):
        rank(CandidatePool(NAMES), NEAR[1:], shown.store)
    with pytest.raises(InvalidInputError, match="relevance: must be from 0 to 1"):
        rank(CandidatePool(NAMES), NEAR - 1, shown.store)
