"""Pages that stand still: a snapshot for one member, with gaps where somebody left."""

import gc
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from weakref import ref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sesame_baihe import Page, Paginator, RankingRequest

from sesame_sdk import InvalidInputError, RetryableError

NAMES = tuple(f"p{number:03}" for number in range(95))


class FakeScoreSource:
    """A score store that reports removals."""

    def __init__(self) -> None:
        self.scores = {name: 350.0 + 5 * at for at, name in enumerate(NAMES)}
        self.stale = False
        self.listeners: list[Callable[[frozenset[str] | None], None]] = []
        self.on_asked: list[Callable[[], None]] = []
        self.on_look: list[Callable[[], None]] = []

    @property
    def state(self) -> "FakeScoreSource":
        """It is its own."""
        return self

    def points(self, subjects: Sequence[str]) -> np.ndarray:
        """NaN for none."""
        result = [np.nan if self.stale else self.scores.get(one, np.nan) for one in subjects]
        for happens in self.on_asked:
            happens()
        return np.array(result)

    def refresh(self) -> None:
        """Read what another process wrote."""
        for happens in self.on_look:
            happens()

    def on_removal(self, notify: Callable[[frozenset[str] | None], None]) -> None:
        """Add a listener."""
        self.listeners.append(notify)

    def notify(self, gone: frozenset[str] | None) -> None:
        """Report removed subjects; None for any of them."""
        for listener in self.listeners:
            listener(gone)

    def withdraw(self, *names: str) -> None:
        """As a hub's message does."""
        for name in names:
            self.scores.pop(name, None)
        self.notify(frozenset(names))


def request(member: str = "ada", people: int = 95, top: int | None = None) -> RankingRequest:
    """Candidates with a relevance in the order of their numbers."""
    return RankingRequest(
        NAMES[:people], tuple(0.5 - at / 1000 for at in range(people)), top=top, viewer=member
    )


def all_of(pages: Paginator, member: str = "ada", **options: int) -> list[Page]:
    """Every page, turned one after the other."""
    return list(turned(pages, member, pages.open_snapshot(request(member, **options))))


def turned(pages: Paginator, member: str, page: Page) -> Iterator[Page]:
    """This page and all after it."""
    yield page
    while page.cursor is not None:
        page = pages.get_page(member, page.cursor)
        yield page


def names(pages: Iterable[Page]) -> list[str]:
    """Who stands on them."""
    return [place.profile for page in pages for _, place in page.profiles]


@given(size=st.integers(1, 100), people=st.integers(0, 95))
def test_the_pages_are_the_order_in_pieces(size: int, people: int) -> None:
    """Each profile on one page, with the number of its place; the last page has no cursor."""
    pages = Paginator({}, page_size=size)
    result = all_of(pages, people=people)
    assert names(result) == list(NAMES[:people])
    assert [number for page in result for number, _ in page.profiles] == list(range(1, people + 1))
    assert [one for page in result for one in page.order_without_score] == list(NAMES[:people])
    assert all(page.parameters.candidates == people for page in result)


def test_pages_do_not_shift_while_scores_change() -> None:
    """The snapshot has one time; a new request has the new order."""
    source = FakeScoreSource()
    pages = Paginator(source, page_size=10)
    first = pages.open_snapshot(request())
    second = pages.get_page("ada", first.cursor or "")
    source.scores = {name: 950.0 - source.scores[name] + 350.0 for name in NAMES}
    assert pages.get_page("ada", first.cursor or "") == second
    assert names(all_of(pages)) != names(turned(pages, "ada", first))


@given(gone=st.lists(st.sampled_from(NAMES), max_size=20), size=st.integers(1, 30))
def test_a_withdrawn_profile_leaves_every_page_and_no_other_moves(gone: list[str], size: int) -> None:
    """On pages not yet turned and on those looked at again; places keep their numbers."""
    source = FakeScoreSource()
    pages = Paginator(source, page_size=size)
    opened = {member: pages.open_snapshot(request(member)) for member in ("ada", "bob")}
    before = {member: list(turned(pages, member, page)) for member, page in opened.items()}
    source.withdraw(*gone)
    for member, page in opened.items():
        if page.cursor is None:
            continue
        now = list(turned(pages, member, pages.get_page(member, page.cursor)))
        for old, new in zip(before[member][1:], now, strict=True):
            assert new.profiles == tuple(one for one in old.profiles if one[1].profile not in gone)
            assert new.order_without_score == tuple(one for one in old.order_without_score if one not in gone)
            assert new.cursor == old.cursor


def test_a_profile_withdrawn_while_a_snapshot_is_made_is_not_in_it() -> None:
    """Between the read of the store and the first page no removal is missed."""
    source = FakeScoreSource()
    pages = Paginator(source, page_size=100)
    source.on_asked.append(lambda: source.withdraw("p007"))
    page = pages.open_snapshot(request())
    assert "p007" not in names([page])
    assert "p007" not in page.order_without_score


def test_a_withdrawn_profile_is_average_in_the_next_snapshot() -> None:
    """They lose the score and nothing else."""
    source = FakeScoreSource()
    pages = Paginator(source, page_size=100)
    pages.open_snapshot(request())
    source.withdraw("p007")
    places = {place.profile: place for _, place in pages.open_snapshot(request()).profiles}
    assert places["p007"].score is None
    assert places["p007"].explanation.difference_to_average == 0


def test_nothing_of_a_withdrawn_profile_is_kept() -> None:
    """Place, score and reasons are gone from memory, and not merely left out."""
    source = FakeScoreSource()
    pages = Paginator(source)
    pages.open_snapshot(request())
    source.withdraw("p042")
    (skipped,) = pages._snapshots._snapshots.values()
    assert "p042" not in repr(skipped)
    assert "p041" in repr(skipped)


def test_a_snapshot_ends_however_often_it_is_looked_at() -> None:
    """Then its cursor is refused with a code that tells the site to start again."""
    now = [0.0]
    pages = Paginator(FakeScoreSource(), lifetime_seconds=60, clock=lambda: now[0])
    cursor = pages.open_snapshot(request()).cursor or ""
    now[0] = 59.9
    assert pages.get_page("ada", cursor).profiles
    now[0] = 60.0
    with pytest.raises(InvalidInputError, match="cursor: belongs to an expired snapshot") as caught:
        pages.get_page("ada", cursor)
    assert caught.value.code == "gone"


def test_the_oldest_go_where_all_together_would_hold_too_much() -> None:
    """A thousand members do not take a thousand times the memory."""
    pages = Paginator(FakeScoreSource(), page_size=10, max_places=200)
    cursors = {member: pages.open_snapshot(request(member)).cursor or "" for member in ("ada", "bob", "cy")}
    with pytest.raises(InvalidInputError, match="expired snapshot"):
        pages.get_page("ada", cursors["ada"])
    assert pages.get_page("bob", cursors["bob"]).profiles
    assert pages.get_page("cy", cursors["cy"]).profiles


def test_one_member_does_not_push_out_the_others() -> None:
    """A viewer with too many snapshots loses their own oldest one."""
    pages = Paginator(FakeScoreSource(), page_size=10, max_places=1_000)
    cursor = pages.open_snapshot(request("bob")).cursor or ""
    mine = [pages.open_snapshot(request("ada")).cursor or "" for _ in range(50)]
    assert pages.get_page("bob", cursor).profiles
    assert pages.get_page("ada", mine[-1]).profiles
    with pytest.raises(InvalidInputError, match="expired snapshot"):
        pages.get_page("ada", mine[0])


def test_an_order_larger_than_may_be_snapshots_is_rejected() -> None:
    """With what to do about it."""
    with pytest.raises(InvalidInputError, match=r"top: must be at most 50 here \(request fewer profiles\)"):
        Paginator(FakeScoreSource(), max_places=50).open_snapshot(request())
    assert Paginator(FakeScoreSource(), max_places=50).open_snapshot(request(top=50)).cursor is not None


@given(cut=st.integers(0, 47), other=st.characters(codec="ascii"))
def test_a_cursor_that_was_changed_is_refused(cut: int, other: str) -> None:
    """Any character of it."""
    pages = Paginator({}, page_size=10)
    cursor = pages.open_snapshot(request()).cursor or ""
    changed = cursor[:cut] + other + cursor[cut + 1 :]
    if changed != cursor:
        with pytest.raises(InvalidInputError, match="cursor: was not issued to this viewer"):
            pages.get_page("ada", changed)


@pytest.mark.parametrize("cursor", ["", "AAAA", "ü", "=" * 48, "A" * 48, "A" * 100_000])
def test_text_that_is_no_cursor_is_refused(cursor: str) -> None:
    """Whatever a visitor types into the address."""
    with pytest.raises(InvalidInputError, match="cursor: was not issued to this viewer"):
        Paginator({}).get_page("ada", cursor)


def test_a_cursor_does_not_work_for_another_member_or_another_process() -> None:
    """A page shows other people: its address in a log does not open it."""
    pages = Paginator({}, page_size=10)
    cursor = pages.open_snapshot(request("ada")).cursor or ""
    for whose, member in ((pages, "bob"), (Paginator({}, page_size=10), "ada")):
        with pytest.raises(InvalidInputError, match="cursor: was not issued to this viewer"):
            whose.get_page(member, cursor)


def test_a_cursor_names_no_profile() -> None:
    """It is as long for the last page of many as for the second of few."""
    pages = Paginator({}, page_size=1)
    assert {len(page.cursor) for page in all_of(pages) if page.cursor} == {48}


def test_a_snapshot_made_during_a_reset_is_made_again() -> None:
    """Any person may have left meanwhile; a store that changes all the time is a retryable error."""
    source = FakeScoreSource()
    pages = Paginator(source, page_size=100)
    requested: list[int] = []

    def begin_anew() -> None:
        requested.append(1)
        if len(requested) < limit:
            source.notify(None)

    source.on_asked.append(begin_anew)
    limit = 3
    assert len(names([pages.open_snapshot(request())])) == 95
    assert len(requested) == 3
    limit = 100
    with pytest.raises(RetryableError, match="the score source is being reset"):
        pages.open_snapshot(request())


def test_an_unknown_removal_drops_every_snapshot() -> None:
    """For example when another process compacted the store."""
    source = FakeScoreSource()
    pages = Paginator(source)
    cursor = pages.open_snapshot(request()).cursor or ""
    source.notify(None)
    with pytest.raises(InvalidInputError, match="expired snapshot"):
        pages.get_page("ada", cursor)


def test_a_page_includes_removals_received_by_another_process() -> None:
    """The store is read before the page is shown."""
    source = FakeScoreSource()
    pages = Paginator(source, page_size=10)
    page = pages.open_snapshot(request())
    leaver = pages.get_page("ada", page.cursor or "").profiles[3][1].profile
    source.on_look.append(lambda: source.withdraw(leaver))
    assert leaver not in names([pages.get_page("ada", page.cursor or "")])


def test_a_stale_source_shows_no_page_with_scores() -> None:
    """The removed people are unknown. A new ranking has no scores, and can be paged through."""
    source = FakeScoreSource()
    pages = Paginator(source, page_size=10)
    cursor = pages.open_snapshot(request()).cursor or ""
    source.stale = True
    with pytest.raises(InvalidInputError, match="expired snapshot"):
        pages.get_page("ada", cursor)
    result = all_of(pages)
    assert names(result) == list(NAMES)
    assert all(page.parameters.stale for page in result)
    assert {place.score for page in result for _, place in page.profiles} == {None}


def test_a_cursor_that_does_not_work_shows_the_first_page_of_a_new_order() -> None:
    """None yet, one of another member's, nonsense, or one of a snapshot that is expired snapshot."""
    source = FakeScoreSource()
    pages = Paginator(source, page_size=10)
    first = pages.show_page(request(), None)
    second = pages.show_page(request(), first.cursor)
    assert second == pages.get_page("ada", first.cursor or "")
    assert pages.show_page(request("bob"), first.cursor).profiles[0][0] == 1
    assert pages.show_page(request(), "nonsense").profiles == first.profiles
    source.notify(None)
    assert pages.show_page(request(), first.cursor).profiles == first.profiles


def test_a_page_as_data_has_the_sites_own_names() -> None:
    """And no pseudonym; it is made of what JSON has."""
    pages = Paginator(FakeScoreSource(), page_size=2)
    page = pages.open_snapshot(request())
    shown = page.as_data({name: name.upper() for name in NAMES})
    assert json.loads(json.dumps(shown))["order_without_score"] == ["P000", "P001"]
    assert [one["profile"] for one in shown["matches"]] == [
        place.profile.upper() for _, place in page.profiles
    ]
    assert shown["matches"][0]["explanation"] == page.profiles[0][1].describe()
    assert shown["parameters"]["description"] == page.parameters.describe()
    assert (shown["parameters"]["score_weight"], shown["cursor"]) == (0.3, page.cursor)
    assert not any(name in json.dumps(shown) for name in NAMES)


def test_closing_forgets_all() -> None:
    """And a longer-lived store does not keep the pages alive."""
    source = FakeScoreSource()
    with Paginator(source) as pages:
        cursor = pages.open_snapshot(request()).cursor or ""
    with pytest.raises(InvalidInputError, match="expired snapshot"):
        pages.get_page("ada", cursor)
    left = ref(pages)
    del pages
    gc.collect()
    assert left() is None
    source.withdraw("p001")


def test_with_a_mapping_the_site_removes_profiles() -> None:
    """A plain mapping, say."""
    pages = Paginator(dict.fromkeys(NAMES, 600.0), page_size=100)
    pages.open_snapshot(request())
    pages.remove_profiles("p001")
    pages.remove_profiles(["p002", "stranger"])
    (skipped,) = pages._snapshots._snapshots.values()
    assert {"p001", "p002"}.isdisjoint(skipped.positions)
    assert len(skipped.positions) == 93


def test_concurrent_viewers_and_removals() -> None:
    """After the last withdrawal no page has the score of anybody who left, whichever thread made it."""
    source = FakeScoreSource()
    pages = Paginator(source, page_size=20)
    opened: dict[str, Page] = {}

    def look(member: str) -> None:
        for _ in range(20):
            opened[member] = pages.open_snapshot(request(member))

    threads = [threading.Thread(target=look, args=(f"m{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    gone = NAMES[20:60:2]
    for name in gone:
        source.withdraw(name)
    for thread in threads:
        thread.join()
    for member, page in opened.items():
        rest = [place for one in list(turned(pages, member, page))[1:] for _, place in one.profiles]
        assert all(place.score is None for place in rest if place.profile in gone)
        assert len(rest) > 40


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"page_size": 0}, "page_size: must be from 1"),
        ({"page_size": 11, "max_places": 10}, "page_size: must be from 1"),
        ({"lifetime_seconds": 0}, "lifetime_seconds: must be up to a day"),
        ({"lifetime_seconds": float("nan")}, "lifetime_seconds: must be up to a day"),
        ({"lifetime_seconds": 90_000}, "lifetime_seconds: must be up to a day"),
    ],
)
def test_bounds_that_make_no_sense_are_rejected(options: dict[str, float], message: str) -> None:
    """By name."""
    with pytest.raises(InvalidInputError, match=message):
        Paginator({}, **options)
