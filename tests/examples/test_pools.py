"""A pool of candidates: ranked as their names would be, whatever the book has heard in between."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from attrs import define
from sesame_baihe import CandidatePool, Matchmaking, Paginator, RankingRequest, rank

from sesame_sdk import InvalidInputError, ScoreStore
from tests.partner.fake_hub import STREAM, Voice

NAMES = tuple(f"person-{number:03}" for number in range(200))
NEAR = np.random.default_rng(5).random(200)


@define
class Told:
    """A score book, and what a hub tells it."""

    voice: Voice
    book: ScoreStore
    seq: int = 0

    def scores(self, **points: float) -> None:
        """Of people by number, as p7=612.5."""
        changes = []
        for name, value in points.items():
            self.seq += 1
            changes.append((f"person-{int(name[1:]):03}", self.seq, value))
        self.voice.inbox(self.book).receive(self.voice.scores(changes))

    def gone(self, name: str) -> None:
        """Somebody took the consent back."""
        self.seq += 1
        self.voice.inbox(self.book).receive(self.voice.gone(name, self.seq))


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Told]:
    """An empty book that follows a stream."""
    voice = Voice()
    with voice.open(tmp_path / "book") as book:
        book.begin_stream(STREAM)
        yield Told(voice, book)


def test_a_pool_is_ranked_as_its_names_would_be(shown: Told) -> None:
    """After scores, more scores, a withdrawal, a fold, while the book is stale, and when it is begun anew."""
    pool = CandidatePool(NAMES)

    def same() -> None:
        for _ in range(2):
            result = rank(pool, NEAR, shown.book, viewer="ada", top=20)
            assert result == rank(NAMES, NEAR, shown.book, viewer="ada", top=20)

    same()
    shown.scores(p1=612.5, p2=950.0, p99=400.0)
    same()
    shown.scores(p2=500.0, p150=700.0)
    same()
    shown.gone("person-150")
    assert all(
        one.score is None for one in rank(pool, NEAR, shown.book).profiles if one.profile == "person-150"
    )
    same()
    shown.book.compact()
    shown.scores(p3=620.0)
    same()
    shown.voice.now += timedelta(hours=1)
    assert rank(pool, NEAR, shown.book).parameters.stale
    same()
    shown.scores(p4=630.0)
    same()
    shown.book.begin_stream("another stream")
    assert all(one.score is None for one in rank(pool, NEAR, shown.book).profiles)
    same()


def test_a_pool_is_ranked_with_a_mapping_too(shown: Told) -> None:
    """That may change between two rankings, and by another range than before."""
    pool, points = CandidatePool(NAMES), {"person-007": 900.0}
    for change in ({}, {"person-007": 400.0}, {"person-008": 800.0}):
        points |= change
        assert rank(pool, NEAR, points) == rank(NAMES, NEAR, points)
    wide = {"score_range": (0.0, 1000.0)}
    assert rank(pool, NEAR, points, **wide) == rank(NAMES, NEAR, points, **wide)
    shown.scores(p7=800.0)
    assert rank(pool, NEAR, shown.book, **wide) == rank(NAMES, NEAR, shown.book, **wide)
    assert rank(pool, NEAR, shown.book) == rank(NAMES, NEAR, shown.book)


def test_one_pool_serves_two_books(shown: Told, tmp_path: Path) -> None:
    """What was found in one is not taken for what is in the other."""
    shown.scores(p1=612.5)
    pool = CandidatePool(NAMES)
    with shown.voice.open(tmp_path / "other") as other:
        other.begin_stream(STREAM)
        shown.voice.inbox(other).receive(shown.voice.scores([("person-002", 1, 800.0)]))
        for book in (shown.book, other, shown.book):
            assert rank(pool, NEAR, book) == rank(NAMES, NEAR, book)


def test_a_pool_is_paged_through_and_asked_about_as_a_request(shown: Told) -> None:
    """In place of a tuple of names, with relevance as an array."""
    shown.scores(p1=612.5, p2=950.0)
    request = RankingRequest(CandidatePool(NAMES), NEAR, viewer="ada", top=40)
    named = RankingRequest(NAMES, tuple(NEAR.tolist()), viewer="ada", top=40)
    assert Matchmaking().subjects(request) == NAMES
    with Paginator(shown.book, page_size=10) as pages:
        assert pages.open_snapshot(request).profiles == pages.open_snapshot(named).profiles


def test_a_pool_is_a_row_of_names() -> None:
    """As whoever looks for somebody's name expects."""
    pool = CandidatePool(iter(NAMES))
    assert (len(pool), pool[3], pool[:2], list(pool)) == (200, NAMES[3], NAMES[:2], list(NAMES))


@pytest.mark.parametrize("names", [["a", "b", "a"], "abc", ["a", 1], [None, None]])
def test_duplicate_names_are_rejected(shown: Told, names: list[str]) -> None:
    """When a pool is made, or names are ranked from a book; and so is what is no name."""
    with pytest.raises(InvalidInputError, match="candidates: must be names without duplicates"):
        CandidatePool(names)
    with pytest.raises(InvalidInputError, match="candidates: must be names without duplicates"):
        rank(names, [0.5] * len(names), shown.book)


def test_a_wrong_relevance_is_rejected_as_for_names(shown: Told) -> None:
    """One for each, and within bounds."""
    with pytest.raises(InvalidInputError, match="relevance: must have one value for each candidate"):
        rank(CandidatePool(NAMES), NEAR[1:], shown.book)
    with pytest.raises(InvalidInputError, match="relevance: must be from 0 to 1"):
        rank(CandidatePool(NAMES), NEAR - 1, shown.book)
