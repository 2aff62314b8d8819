"""Keeps snapshots of rankings for paging, bounded in time and in number of places."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Self

from attrs import define

from sesame_baihe.result import RankedProfile, RankingParameters, RankingResult
from sesame_sdk import InvalidInputError

#: Snapshots of one viewer at once: as many as a person has tabs open.
MAX_PER_VIEWER = 4


@define
class Snapshot:
    """A ranking at one time. A removed profile leaves a gap.

    Attributes:
        viewer: the member who sees it.
        profiles: with the score, best first.
        order_without_score: by relevance alone.
        parameters: of the order.
        expires_at: end of its life, in seconds of the clock.
        positions: of each profile, its index in `profiles` and in `order_without_score`.
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
    """Snapshots by session, oldest first. Not thread-safe.

    Args:
        max_places: of all snapshots together.
    """

    def __init__(self, max_places: int) -> None:
        self._max_places = max_places
        self._places = 0
        self._snapshots: OrderedDict[bytes, Snapshot] = OrderedDict()

    def add(self, session: bytes, snapshot: Snapshot, now: float) -> None:
        """Add a snapshot; drop expired ones, then the viewer's own oldest, then the oldest of all.

        Raises:
            InvalidInputError: it alone has more than `max_places`.
        """
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

    def remove(self, profiles: Iterable[str]) -> None:
        """Remove profiles from all snapshots."""
        for snapshot in self._snapshots.values():
            snapshot.remove(profiles)

    def clear(self) -> None:
        """Drop all snapshots."""
        self._snapshots.clear()
        self._places = 0

    def _drop_expired(self, now: float) -> None:
        # All live equally long, so the oldest expire first.
        while self._snapshots and next(iter(self._snapshots.values())).expires_at <= now:
            self._drop(next(iter(self._snapshots)))

    def _drop(self, session: bytes) -> None:
        self._places -= len(self._snapshots.pop(session).profiles)
