"""Pages of one ranking that do not shift while scores change.

Rules:
1. A member who opens a ranking pages through a snapshot of it. A profile keeps its place and its page
   until the snapshot ends; who comes back to a page finds the same one.
2. Whoever withdraws is out of every snapshot at once, place, score and reasons; nobody else moves, so
   that a page may hold fewer than others. Somebody who withdraws while a snapshot is made is not in it.
   They lose nothing but the score: the next snapshot has them again, counted as average. While the book
   is too old to know who left, no snapshot with scores is shown.
3. A snapshot ends after `keep` seconds, however often it is looked at, and the oldest ends sooner where
   all of them together hold more than `most` places, or one member opens many. Then its cursors are
   refused, and the site opens anew.
4. A cursor works for the member whom it was given to, in the process that gave it.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any
from weakref import WeakMethod

from attrs import asdict, define, field, frozen

from sesame_baihe.consumer import Candidates
from sesame_baihe.ranking import rank_request
from sesame_baihe.result import Parameters, Place
from sesame_baihe.score_source import Scores, is_stale
from sesame_baihe.snapshots import Snapshot, Snapshots
from sesame_sdk import Closeable, InvalidInputError, RetryableError

#: Seconds that a snapshot lives, and places that all of them hold together (under 1 KB each).
KEEP = 600.0
MOST = 500_000
_TRIES = 3
_GONE = "is of a ranking that is no longer kept"


@frozen
class Page:
    """One page for one member.

    Attributes:
        places: who stands on it, each with the number of their place, from 1.
        without_score: the same page of the order by relevance alone.
        parameters: what made the order; to be shown beside it.
        cursor: opens the next page; None on the last one.
    """

    places: tuple[tuple[int, Place], ...]
    without_score: tuple[str, ...]
    parameters: Parameters
    cursor: str | None

    def as_data(self, names: Mapping[str, str]) -> dict[str, Any]:
        """What a site shows of it, made of what JSON has.

        Args:
            names: the site's own name of each pseudonym that may stand on the page.
        """
        return {
            "matches": [
                {"place": number, "profile": names[one.profile], "why": one.words()}
                for number, one in self.places
            ],
            "without_score": [names[one] for one in self.without_score],
            "parameters": {"words": self.parameters.words(), **asdict(self.parameters)},
            "cursor": self.cursor,
        }


@define(eq=False)
class _Heard:
    """Who left while an order was made: these, or anybody."""

    names: set[str] = field(factory=set)
    anybody: bool = False

    def add(self, names: set[str] | None) -> None:
        if names is None:
            self.anybody = True
        else:
            self.names |= names


class Pages(Closeable):
    """Snapshots of rankings, by pages. Threads may share it.

    Args:
        book: scores, as `rank` takes them. Whoever a score book says is gone is removed here; with a plain
            mapping the site calls `remove`.
        size: places on a page.
        keep: seconds that a snapshot lives, up to a day.
        most: places that all snapshots hold together.
        clock: tells seconds.

    Raises:
        InvalidInputError: a number is out of its bounds.
    """

    def __init__(
        self,
        book: Scores,
        *,
        size: int = 20,
        keep: float = KEEP,
        most: int = MOST,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if not 1 <= size <= most:
            raise InvalidInputError("must be from 1 to `most`", field="size")
        if not 0 < keep <= 86_400:
            raise InvalidInputError("must be up to a day, in seconds", field="keep")
        self._book, self._size, self._keep, self._clock = book, size, keep, clock
        self._key = secrets.token_bytes(32)
        self._lock = Lock()
        self._snapshots = Snapshots(most)
        self._under_way: list[_Heard] = []
        if not isinstance(book, Mapping):
            # Not kept alive by its book, which may outlive it.
            book.on_removal(partial(_tell, WeakMethod(self.remove)))

    def open(self, request: Candidates) -> Page:
        """Rank, keep the order, and show its first page. Set `request.member` and `request.top`.

        Raises:
            InvalidInputError: see `rank`; or the order alone has more places than may be kept.
            RetryableError: the book began anew, again and again, while the order was made.
        """
        session = secrets.token_bytes(SESSION)
        for _ in range(_TRIES):
            with self._heeding() as heard:
                ranked = rank_request(request, self._book)
                snapshot = Snapshot.of(request.member, ranked, self._clock() + self._keep)
                with self._lock:
                    if heard.anybody:
                        continue
                    snapshot.remove(heard.names)
                    self._snapshots.add(session, snapshot, self._clock())
                    return self._page(request.member, session, snapshot, 0)
        raise RetryableError("is being made anew", field="book")

    def show(self, request: Candidates, cursor: str | None) -> Page:
        """The page that a cursor opens, or else the first page of a new order.

        Args:
            request: as for `open`; `request.member` is who looks.
            cursor: from a page before; None, or one that does not work, opens the first page.

        Raises:
            Rejected, Retryable: as `open` does.
        """
        try:
            return self.turn(request.member, cursor or "")
        except InvalidInputError:
            return self.open(request)

    def turn(self, member: str, cursor: str) -> Page:
        """The page that a cursor opens.

        Raises:
            InvalidInputError: `member` was not given it, or (code ``gone``) its snapshot is no longer kept.
        """
        session, start = read_cursor(self._key, member, cursor)
        stale = self._looked()
        with self._lock:
            snapshot = self._snapshots.get(session, self._clock())
            # Who has left since is what a stale book does not know.
            if snapshot is None or (stale and not snapshot.parameters.stale):
                raise InvalidInputError(_GONE, field="cursor", hint="open the first page", code="gone")
            return self._page(member, session, snapshot, start)

    def remove(self, gone: Iterable[str] | None) -> None:
        """Take people out of every snapshot, and of those under way, before this returns.

        Args:
            gone: the site's own pseudonyms; None where anybody may have left, which ends all snapshots.
        """
        names = None if gone is None else {gone} if isinstance(gone, str) else set(gone)
        with self._lock:
            for heard in self._under_way:
                heard.add(names)
            if names is None:
                self._snapshots.clear()
            else:
                self._snapshots.remove(names)

    def close(self) -> None:
        """Forget every snapshot."""
        self.remove(None)

    @contextmanager
    def _heeding(self) -> Iterator["_Heard"]:
        """Whoever is removed meanwhile."""
        heard = _Heard()
        with self._lock:
            self._under_way.append(heard)
        try:
            yield heard
        finally:
            with self._lock:
                self._under_way.remove(heard)

    def _looked(self) -> bool:
        """Hear of whoever left, by way of another process too; whether the book is too old to know."""
        if isinstance(self._book, Mapping):
            return False
        self._book.refresh()
        return is_stale(self._book)

    def _page(self, member: str, session: bytes, snapshot: Snapshot, start: int) -> Page:
        end = start + self._size
        on = snapshot.places[start:end]
        return Page(
            places=tuple((number, one) for number, one in enumerate(on, start + 1) if one is not None),
            without_score=tuple(one for one in snapshot.without[start:end] if one is not None),
            parameters=snapshot.parameters,
            cursor=write_cursor(self._key, member, session, end) if end < len(snapshot.places) else None,
        )


def _tell(remove: "WeakMethod[Callable[[Iterable[str] | None], None]]", gone: frozenset[str] | None) -> None:
    if (alive := remove()) is not None:
        alive(gone)


SESSION = 16
_PLACE = 4
_TAG = 16
_SIZE = SESSION + _PLACE + _TAG


def write_cursor(key: bytes, member: str, session: bytes, start: int) -> str:
    """The cursor for what begins at place `start`, counted from 0, of a session's snapshot."""
    said = session + start.to_bytes(_PLACE, "big")
    return urlsafe_b64encode(said + _tag(key, member, said)).decode()


def read_cursor(key: bytes, member: str, cursor: str) -> tuple[bytes, int]:
    """Session and place.

    Raises:
        InvalidInputError: this member was not given this cursor.
    """
    try:
        found = urlsafe_b64decode(cursor.encode("ascii"))
    except (AttributeError, ValueError):
        found = b""
    said, tag = found[:-_TAG], found[-_TAG:]
    # Written anew and compared: base64 has several texts for the same bytes.
    whole = len(found) == _SIZE and urlsafe_b64encode(found).decode() == cursor
    if not whole or not hmac.compare_digest(tag, _tag(key, member, said)):
        raise InvalidInputError(
            "is none that this member was given", field="cursor", hint="open the first page"
        )
    return said[:SESSION], int.from_bytes(said[SESSION:], "big")


def _tag(key: bytes, member: str, said: bytes) -> bytes:
    return hmac.digest(key, said + member.encode(errors="surrogatepass"), sha256)[:_TAG]
