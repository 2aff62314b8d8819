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
from sesame_baihe import Candidates, Page, Pages

from sesame_sdk import InvalidInputError, RetryableError

NAMES = tuple(f"p{number:03}" for number in range(95))


class Shelf:
    """A score book that tells who is gone."""

    def __init__(self) -> None:
        self.scores = {name: 350.0 + 5 * at for at, name in enumerate(NAMES)}
        self.stale = False
        self.listeners: list[Callable[[frozenset[str] | None], None]] = []
        self.on_asked: list[Callable[[], None]] = []
        self.on_look: list[Callable[[], None]] = []

    @property
    def state(self) -> "Shelf":
        """It is its own."""
        return self

    def points(self, subjects: Sequence[str]) -> np.ndarray:
        """NaN for none."""
        found = [np.nan if self.stale else self.scores.get(one, np.nan) for one in subjects]
        for happens in self.on_asked:
            happens()
        return np.array(found)

    def refresh(self) -> None:
        """See what another process was told."""
        for happens in self.on_look:
            happens()

    def on_removal(self, tell: Callable[[frozenset[str] | None], None]) -> None:
        """Whom to tell."""
        self.listeners.append(tell)

    def tell(self, gone: frozenset[str] | None) -> None:
        """Say who is gone; None for whoever may be."""
        for listener in self.listeners:
            listener(gone)

    def withdraw(self, *names: str) -> None:
        """As a hub's message does."""
        for name in names:
            self.scores.pop(name, None)
        self.tell(frozenset(names))


def request(member: str = "ada", people: int = 95, top: int | None = None) -> Candidates:
    """Candidates whom relevance puts in the order of their numbers."""
    return Candidates(NAMES[:people], tuple(0.5 - at / 1000 for at in range(people)), top=top, member=member)


def all_of(pages: Pages, member: str = "ada", **options: int) -> list[Page]:
    """Every page, turned one after the other."""
    return list(turned(pages, member, pages.open(request(member, **options))))


def turned(pages: Pages, member: str, page: Page) -> Iterator[Page]:
    """This page and all after it."""
    yield page
    while page.cursor is not None:
        page = pages.turn(member, page.cursor)
        yield page


def names(pages: Iterable[Page]) -> list[str]:
    """Who stands on them."""
    return [place.profile for page in pages for _, place in page.places]


@given(size=st.integers(1, 100), people=st.integers(0, 95))
def test_the_pages_are_the_order_in_pieces(size: int, people: int) -> None:
    """Each profile on one page, with the number of its place; the last page has no cursor."""
    pages = Pages({}, size=size)
    found = all_of(pages, people=people)
    assert names(found) == list(NAMES[:people])
    assert [number for page in found for number, _ in page.places] == list(range(1, people + 1))
    assert [one for page in found for one in page.without_score] == list(NAMES[:people])
    assert all(page.parameters.candidates == people for page in found)


def test_pages_do_not_shift_while_scores_change() -> None:
    """The snapshot is of one moment; who opens anew sees the new order."""
    shelf = Shelf()
    pages = Pages(shelf, size=10)
    first = pages.open(request())
    second = pages.turn("ada", first.cursor or "")
    shelf.scores = {name: 950.0 - shelf.scores[name] + 350.0 for name in NAMES}
    assert pages.turn("ada", first.cursor or "") == second
    assert names(all_of(pages)) != names(turned(pages, "ada", first))


@given(gone=st.lists(st.sampled_from(NAMES), max_size=20), size=st.integers(1, 30))
def test_whoever_withdraws_is_out_of_every_page_and_nobody_else_moves(gone: list[str], size: int) -> None:
    """On pages not yet turned and on those looked at again; places keep their numbers."""
    shelf = Shelf()
    pages = Pages(shelf, size=size)
    opened = {member: pages.open(request(member)) for member in ("ada", "bob")}
    before = {member: list(turned(pages, member, page)) for member, page in opened.items()}
    shelf.withdraw(*gone)
    for member, page in opened.items():
        if page.cursor is None:
            continue
        now = list(turned(pages, member, pages.turn(member, page.cursor)))
        for old, new in zip(before[member][1:], now, strict=True):
            assert new.places == tuple(one for one in old.places if one[1].profile not in gone)
            assert new.without_score == tuple(one for one in old.without_score if one not in gone)
            assert new.cursor == old.cursor


def test_whoever_withdraws_while_the_order_is_made_is_not_in_it() -> None:
    """Between the look into the book and the first page there is no gap to slip through."""
    shelf = Shelf()
    pages = Pages(shelf, size=100)
    shelf.on_asked.append(lambda: shelf.withdraw("p007"))
    page = pages.open(request())
    assert "p007" not in names([page])
    assert "p007" not in page.without_score


def test_who_withdrew_is_back_in_the_next_order_as_average() -> None:
    """They lose the score and nothing else."""
    shelf = Shelf()
    pages = Pages(shelf, size=100)
    pages.open(request())
    shelf.withdraw("p007")
    places = {place.profile: place for _, place in pages.open(request()).places}
    assert places["p007"].score is None
    assert places["p007"].why.against_average == 0


def test_nothing_of_whoever_withdrew_is_kept() -> None:
    """Place, score and reasons are gone from memory, and not merely left out."""
    shelf = Shelf()
    pages = Pages(shelf)
    pages.open(request())
    shelf.withdraw("p042")
    (kept,) = pages._snapshots._kept.values()
    assert "p042" not in repr(kept)
    assert "p041" in repr(kept)


def test_a_snapshot_ends_however_often_it_is_looked_at() -> None:
    """Then its cursor is refused with a code that tells the site to open anew."""
    now = [0.0]
    pages = Pages(Shelf(), keep=60, clock=lambda: now[0])
    cursor = pages.open(request()).cursor or ""
    now[0] = 59.9
    assert pages.turn("ada", cursor).places
    now[0] = 60.0
    with pytest.raises(InvalidInputError, match="cursor: is of a ranking that is no longer kept") as caught:
        pages.turn("ada", cursor)
    assert caught.value.code == "gone"


def test_the_oldest_go_where_all_together_would_hold_too_much() -> None:
    """A thousand members do not take a thousand times the memory."""
    pages = Pages(Shelf(), size=10, most=200)
    cursors = {member: pages.open(request(member)).cursor or "" for member in ("ada", "bob", "cy")}
    with pytest.raises(InvalidInputError, match="no longer kept"):
        pages.turn("ada", cursors["ada"])
    assert pages.turn("bob", cursors["bob"]).places
    assert pages.turn("cy", cursors["cy"]).places


def test_one_member_does_not_push_out_the_others() -> None:
    """Whoever opens again and again pushes out their own oldest."""
    pages = Pages(Shelf(), size=10, most=1_000)
    cursor = pages.open(request("bob")).cursor or ""
    mine = [pages.open(request("ada")).cursor or "" for _ in range(50)]
    assert pages.turn("bob", cursor).places
    assert pages.turn("ada", mine[-1]).places
    with pytest.raises(InvalidInputError, match="no longer kept"):
        pages.turn("ada", mine[0])


def test_an_order_larger_than_may_be_kept_is_rejected() -> None:
    """With what to do about it."""
    with pytest.raises(InvalidInputError, match=r"top: must be at most 50 here \(ask for fewer places\)"):
        Pages(Shelf(), most=50).open(request())
    assert Pages(Shelf(), most=50).open(request(top=50)).cursor is not None


@given(cut=st.integers(0, 47), other=st.characters(codec="ascii"))
def test_a_cursor_that_was_changed_is_refused(cut: int, other: str) -> None:
    """Any letter of it."""
    pages = Pages({}, size=10)
    cursor = pages.open(request()).cursor or ""
    changed = cursor[:cut] + other + cursor[cut + 1 :]
    if changed != cursor:
        with pytest.raises(InvalidInputError, match="cursor: is none that this member was given"):
            pages.turn("ada", changed)


@pytest.mark.parametrize("cursor", ["", "AAAA", "ü", "=" * 48, "A" * 48, "A" * 100_000])
def test_text_that_is_no_cursor_is_refused(cursor: str) -> None:
    """Whatever a visitor types into the address."""
    with pytest.raises(InvalidInputError, match="cursor: is none that this member was given"):
        Pages({}).turn("ada", cursor)


def test_a_cursor_does_not_work_for_another_member_or_another_process() -> None:
    """A page speaks of other people: whoever finds its address in a log cannot open it."""
    pages = Pages({}, size=10)
    cursor = pages.open(request("ada")).cursor or ""
    for whose, member in ((pages, "bob"), (Pages({}, size=10), "ada")):
        with pytest.raises(InvalidInputError, match="cursor: is none that this member was given"):
            whose.turn(member, cursor)


def test_a_cursor_names_nobody() -> None:
    """It is as long for the last page of many as for the second of few."""
    pages = Pages({}, size=1)
    assert {len(page.cursor) for page in all_of(pages) if page.cursor} == {48}


def test_an_order_made_while_the_book_began_anew_is_made_again() -> None:
    """Anybody may have left meanwhile; a book that never comes to rest is an error to try again after."""
    shelf = Shelf()
    pages = Pages(shelf, size=100)
    asked: list[int] = []

    def begin_anew() -> None:
        asked.append(1)
        if len(asked) < limit:
            shelf.tell(None)

    shelf.on_asked.append(begin_anew)
    limit = 3
    assert len(names([pages.open(request())])) == 95
    assert len(asked) == 3
    limit = 100
    with pytest.raises(RetryableError, match="book: is being made anew"):
        pages.open(request())


def test_where_anybody_may_have_left_every_snapshot_ends() -> None:
    """When another process folded the book, say."""
    shelf = Shelf()
    pages = Pages(shelf)
    cursor = pages.open(request()).cursor or ""
    shelf.tell(None)
    with pytest.raises(InvalidInputError, match="no longer kept"):
        pages.turn("ada", cursor)


def test_a_page_hears_of_whoever_left_by_way_of_another_process() -> None:
    """The book looks before the page is shown."""
    shelf = Shelf()
    pages = Pages(shelf, size=10)
    page = pages.open(request())
    leaver = pages.turn("ada", page.cursor or "").places[3][1].profile
    shelf.on_look.append(lambda: shelf.withdraw(leaver))
    assert leaver not in names([pages.turn("ada", page.cursor or "")])


def test_a_stale_book_shows_no_page_that_was_made_with_scores() -> None:
    """Nobody knows who left since. A ranking opened now is without scores, and can be paged through."""
    shelf = Shelf()
    pages = Pages(shelf, size=10)
    cursor = pages.open(request()).cursor or ""
    shelf.stale = True
    with pytest.raises(InvalidInputError, match="no longer kept"):
        pages.turn("ada", cursor)
    found = all_of(pages)
    assert names(found) == list(NAMES)
    assert all(page.parameters.stale for page in found)
    assert {place.score for page in found for _, place in page.places} == {None}


def test_a_cursor_that_does_not_work_shows_the_first_page_of_a_new_order() -> None:
    """None yet, one of another member's, nonsense, or one of a snapshot that is no longer kept."""
    shelf = Shelf()
    pages = Pages(shelf, size=10)
    first = pages.show(request(), None)
    second = pages.show(request(), first.cursor)
    assert second == pages.turn("ada", first.cursor or "")
    assert pages.show(request("bob"), first.cursor).places[0][0] == 1
    assert pages.show(request(), "nonsense").places == first.places
    shelf.tell(None)
    assert pages.show(request(), first.cursor).places == first.places


def test_a_page_as_data_has_the_sites_own_names() -> None:
    """And no pseudonym; it is made of what JSON has."""
    pages = Pages(Shelf(), size=2)
    page = pages.open(request())
    told = page.as_data({name: name.upper() for name in NAMES})
    assert json.loads(json.dumps(told))["without_score"] == ["P000", "P001"]
    assert [one["profile"] for one in told["matches"]] == [place.profile.upper() for _, place in page.places]
    assert told["matches"][0]["why"] == page.places[0][1].words()
    assert told["parameters"]["words"] == page.parameters.words()
    assert (told["parameters"]["score_weight"], told["cursor"]) == (0.3, page.cursor)
    assert not any(name in json.dumps(told) for name in NAMES)


def test_closing_forgets_all() -> None:
    """And a book that outlives its pages does not keep them."""
    shelf = Shelf()
    with Pages(shelf) as pages:
        cursor = pages.open(request()).cursor or ""
    with pytest.raises(InvalidInputError, match="no longer kept"):
        pages.turn("ada", cursor)
    left = ref(pages)
    del pages
    gc.collect()
    assert left() is None
    shelf.withdraw("p001")


def test_a_book_that_tells_nothing_leaves_it_to_the_site() -> None:
    """A plain mapping, say."""
    pages = Pages(dict.fromkeys(NAMES, 600.0), size=100)
    pages.open(request())
    pages.remove("p001")
    pages.remove(["p002", "stranger"])
    (kept,) = pages._snapshots._kept.values()
    assert {"p001", "p002"}.isdisjoint(kept.where)
    assert len(kept.where) == 93


def test_many_members_at_once_and_people_who_leave_meanwhile() -> None:
    """After the last withdrawal no page has the score of anybody who left, whichever thread made it."""
    shelf = Shelf()
    pages = Pages(shelf, size=20)
    opened: dict[str, Page] = {}

    def look(member: str) -> None:
        for _ in range(20):
            opened[member] = pages.open(request(member))

    threads = [threading.Thread(target=look, args=(f"m{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    gone = NAMES[20:60:2]
    for name in gone:
        shelf.withdraw(name)
    for thread in threads:
        thread.join()
    for member, page in opened.items():
        rest = [place for one in list(turned(pages, member, page))[1:] for _, place in one.places]
        assert all(place.score is None for place in rest if place.profile in gone)
        assert len(rest) > 40


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size: must be from 1"),
        ({"size": 11, "most": 10}, "size: must be from 1"),
        ({"keep": 0}, "keep: must be up to a day"),
        ({"keep": float("nan")}, "keep: must be up to a day"),
        ({"keep": 90_000}, "keep: must be up to a day"),
    ],
)
def test_bounds_that_make_no_sense_are_rejected(options: dict[str, float], message: str) -> None:
    """By name."""
    with pytest.raises(InvalidInputError, match=message):
        Pages({}, **options)
