"""Pages of one ranking that do not shift while scores change.

Rules:
1. A viewer pages through a snapshot of a ranking. A profile keeps its rank and its page until the snapshot
   expires; a page that is loaded again is the same.
2. A profile whose consent is withdrawn is removed from every snapshot at once, with score and explanation; no
   other profile moves, so a page may hold fewer. A profile removed while a snapshot is made is not in it. It
   loses only its score: the next snapshot has it again, counted as average. While the score source is
   stale, and so does not know of withdrawals, no snapshot with scores is shown.
3. A snapshot expires after `lifetime_seconds`, however often it is used. The oldest go sooner if all of them
   together have more than `max_places`, or one viewer opens many. Their cursors are then refused, and the
   site opens a new snapshot.
4. A cursor is opaque, names no profile, and is valid for its viewer alone, in the process that issued it:

    base64url( session, 16 bytes | first place, 4 bytes | HMAC-SHA256 of both and the viewer, 16 bytes )
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any, Self
from weakref import WeakMethod

from attrs import asdict, define, frozen

from sesame_baihe.ranking import rank_request
from sesame_baihe.request import RankingRequest
from sesame_baihe.result import RankedProfile, RankingParameters, RankingResult
from sesame_baihe.score_source import Scores, is_stale
from sesame_sdk import Closeable, InvalidInputError, RetryableError

LIFETIME_SECONDS = 600.0
#: Places of all snapshots together (under 1 KB each).
MAX_PLACES = 500_000
#: Snapshots of one viewer at once: as many as a person has tabs open.
MAX_PER_VIEWER = 4
SESSION_BYTES = 16
_PLACE_BYTES = 4
_TAG_BYTES = 16
_CURSOR_BYTES = SESSION_BYTES + _PLACE_BYTES + _TAG_BYTES
_MAX_ATTEMPTS = 3


@frozen
class Page:
    """A page for one viewer.

    Attributes:
        profiles: each with its rank, from 1.
        order_without_score: the same page of the order by relevance alone.
        cursor: opens the next page; None on the last one.
    """

    profiles: tuple[tuple[int, RankedProfile], ...]
    order_without_score: tuple[str, ...]
    parameters: RankingParameters
    cursor: str | None

    def as_data(self, names: Mapping[str, str]) -> dict[str, Any]:
        """The page in types that JSON has, with the site's own names in place of pseudonyms."""
        return {
            "matches": [
                {"rank": rank, "profile": names[ranked.profile], "explanation": ranked.describe()}
                for rank, ranked in self.profiles
            ],
            "order_without_score": [names[profile] for profile in self.order_without_score],
            "parameters": {"description": self.parameters.describe(), **asdict(self.parameters)},
            "cursor": self.cursor,
        }


@define
class Snapshot:
    """A ranking at one time, until `expires_at` in seconds of the clock. A removed profile leaves a gap.

    `positions` has the index of each profile in `profiles` and in `order_without_score`.
    """

    viewer: str
    profiles: list[RankedProfile | None]
    order_without_score: list[str | None]
    parameters: RankingParameters
    expires_at: float
    positions: dict[str, list[int | None]]

    @classmethod
    def from_result(cls, viewer: str, result: RankingResult, expires_at: float) -> Self:
        """Make a snapshot of a whole ranking."""
        positions: dict[str, list[int | None]] = {}
        for at, ranked in enumerate(result.profiles):
            positions[ranked.profile] = [at, None]
        for at, profile in enumerate(result.order_without_score):
            positions.setdefault(profile, [None, None])[1] = at
        profiles: list[RankedProfile | None] = [*result.profiles]
        order: list[str | None] = [*result.order_without_score]
        return cls(viewer, profiles, order, result.parameters, expires_at, positions)

    def remove(self, profiles: Iterable[str]) -> None:
        """Remove profiles; no other profile moves."""
        for profile in profiles:
            at, at_without_score = self.positions.pop(profile, (None, None))
            if at is not None:
                self.profiles[at] = None
            if at_without_score is not None:
                self.order_without_score[at_without_score] = None


class SnapshotCache:
    """Snapshots by session, oldest first, with at most `max_places` together. Not thread-safe."""

    def __init__(self, max_places: int) -> None:
        self._max_places = max_places
        self._places = 0
        self._snapshots: OrderedDict[bytes, Snapshot] = OrderedDict()

    def add(self, session: bytes, snapshot: Snapshot, now: float) -> None:
        """Add a snapshot; drop expired ones, then the viewer's own oldest, then the oldest of all."""
        size = len(snapshot.profiles)
        if size > self._max_places:
            reason = f"must be at most {self._max_places:,} here"
            raise InvalidInputError(reason, field="top", hint="request fewer profiles")
        self._drop_expired(now)
        own = [session for session, other in self._snapshots.items() if other.viewer == snapshot.viewer]
        for oldest in own[: 1 - MAX_PER_VIEWER]:
            self._drop(oldest)
        while self._places + size > self._max_places:
            self._drop(next(iter(self._snapshots)))
        self._snapshots[session] = snapshot
        self._places += size

    def get(self, session: bytes, now: float) -> Snapshot | None:
        """Get a snapshot that has not expired."""
        self._drop_expired(now)
        return self._snapshots.get(session)

    def remove(self, profiles: Iterable[str] | None) -> None:
        """Remove profiles from all snapshots; None drops all snapshots."""
        for session in [*self._snapshots]:
            if profiles is None:
                self._drop(session)
            else:
                self._snapshots[session].remove(profiles)

    def _drop_expired(self, now: float) -> None:
        # All live equally long, so the oldest expire first.
        while self._snapshots and next(iter(self._snapshots.values())).expires_at <= now:
            self._drop(next(iter(self._snapshots)))

    def _drop(self, session: bytes) -> None:
        self._places -= len(self._snapshots.pop(session).profiles)


class Paginator(Closeable):
    """Pages through snapshots of rankings. Thread-safe.

    Args:
        scores: as for `rank`. Profiles that a score store removes are removed here too; with a mapping, the
            site calls `remove_profiles`.
        lifetime_seconds: life of a snapshot, up to a day.
        max_places: of all snapshots together.

    Raises:
        InvalidInputError: a number is out of its bounds.
    """

    def __init__(
        self,
        scores: Scores,
        *,
        page_size: int = 20,
        lifetime_seconds: float = LIFETIME_SECONDS,
        max_places: int = MAX_PLACES,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if not 1 <= page_size <= max_places:
            raise InvalidInputError("must be from 1 to `max_places`", field="page_size")
        if not 0 < lifetime_seconds <= 86_400:
            raise InvalidInputError("must be up to a day, in seconds", field="lifetime_seconds")
        self._scores, self._page_size, self._clock = scores, page_size, clock
        self._lifetime = lifetime_seconds
        self._key = secrets.token_bytes(32)
        self._lock = Lock()
        self._snapshots = SnapshotCache(max_places)
        #: Profiles removed while a snapshot is made; None if any may be.
        self._pending: dict[bytes, set[str] | None] = {}
        if not isinstance(scores, Mapping):
            # The source may outlive the paginator, and must not keep it alive.
            scores.on_removal(partial(_forward_removal, WeakMethod(self.remove_profiles)))

    def open_snapshot(self, request: RankingRequest) -> Page:
        """Rank, keep a snapshot, and return its first page. Set `request.viewer` and `request.top`.

        Raises:
            InvalidInputError: see `rank`; or the snapshot alone has more than `max_places`.
            RetryableError: the score source was reset, again and again, while the snapshot was made.
        """
        session = secrets.token_bytes(SESSION_BYTES)
        for _ in range(_MAX_ATTEMPTS):
            with self._lock:
                self._pending[session] = set()
            try:
                result = rank_request(request, self._scores)
                expires_at = self._clock() + self._lifetime
                snapshot = Snapshot.from_result(request.viewer, result, expires_at)
                with self._lock:
                    removed = self._pending[session]
                    if removed is None:
                        continue
                    snapshot.remove(removed)
                    self._snapshots.add(session, snapshot, self._clock())
                    return self._page(request.viewer, session, snapshot, 0)
            finally:
                with self._lock:
                    del self._pending[session]
        raise RetryableError("the score source is being reset", field="scores")

    def show_page(self, request: RankingRequest, cursor: str | None) -> Page:
        """Return the page of a cursor; without a valid one, `open_snapshot`."""
        try:
            return self.get_page(request.viewer, cursor or "")
        except InvalidInputError:
            return self.open_snapshot(request)

    def get_page(self, viewer: str, cursor: str) -> Page:
        """Return the page of a cursor.

        Raises:
            InvalidInputError: the cursor is not this viewer's, or (code ``gone``) its snapshot has expired.
        """
        session, start = read_cursor(self._key, viewer, cursor)
        if not isinstance(self._scores, Mapping):
            self._scores.refresh()  # reads the removals that another process received
        stale = is_stale(self._scores)
        with self._lock:
            snapshot = self._snapshots.get(session, self._clock())
            # A stale source does not know who has withdrawn since.
            if snapshot is None or (stale and not snapshot.parameters.stale):
                reason, hint = "belongs to an expired snapshot", "open the first page"
                raise InvalidInputError(reason, field="cursor", hint=hint, code="gone")
            return self._page(viewer, session, snapshot, start)

    def remove_profiles(self, profiles: Iterable[str] | None) -> None:
        """Remove profiles from every snapshot, and from those being made; None drops all snapshots."""
        names = None if profiles is None else {profiles} if isinstance(profiles, str) else set(profiles)
        with self._lock:
            for session, removed in self._pending.items():
                self._pending[session] = None if names is None or removed is None else removed | names
            self._snapshots.remove(names)

    def close(self) -> None:
        """Drop all snapshots."""
        self.remove_profiles(None)

    def _page(self, viewer: str, session: bytes, snapshot: Snapshot, start: int) -> Page:
        end = start + self._page_size
        profiles = enumerate(snapshot.profiles[start:end], start + 1)
        order = snapshot.order_without_score[start:end]
        return Page(
            tuple((rank, ranked) for rank, ranked in profiles if ranked is not None),
            tuple(profile for profile in order if profile is not None),
            snapshot.parameters,
            write_cursor(self._key, viewer, session, end) if end < len(snapshot.profiles) else None,
        )


def _forward_removal(
    remove: "WeakMethod[Callable[[Iterable[str] | None], None]]", profiles: frozenset[str] | None
) -> None:
    if (method := remove()) is not None:
        method(profiles)


def write_cursor(key: bytes, viewer: str, session: bytes, start: int) -> str:
    """Make the cursor for the page that begins at index `start` of a session's snapshot."""
    content = session + start.to_bytes(_PLACE_BYTES, "big")
    return urlsafe_b64encode(content + _tag(key, viewer, content)).decode()


def read_cursor(key: bytes, viewer: str, cursor: str) -> tuple[bytes, int]:
    """Read session and start of a cursor; raise InvalidInputError if it was not issued to this viewer."""
    try:
        decoded = urlsafe_b64decode(cursor.encode("ascii"))
    except (AttributeError, ValueError):
        decoded = b""
    content, tag = decoded[:-_TAG_BYTES], decoded[-_TAG_BYTES:]
    # Encoded again and compared: base64 has several texts for the same bytes.
    canonical = len(decoded) == _CURSOR_BYTES and urlsafe_b64encode(decoded).decode() == cursor
    if not canonical or not hmac.compare_digest(tag, _tag(key, viewer, content)):
        reason, hint = "was not issued to this viewer", "open the first page"
        raise InvalidInputError(reason, field="cursor", hint=hint)
    return content[:SESSION_BYTES], int.from_bytes(content[SESSION_BYTES:], "big")


def _tag(key: bytes, viewer: str, content: bytes) -> bytes:
    return hmac.digest(key, content + viewer.encode(errors="surrogatepass"), sha256)[:_TAG_BYTES]
