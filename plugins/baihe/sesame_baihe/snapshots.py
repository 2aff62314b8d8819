"""What is kept of rankings, so that it can be looked at page by page: bounded in time and in places."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Self

from attrs import define

from sesame_baihe.result import Parameters, Place, Ranked
from sesame_sdk import InvalidInputError

#: Snapshots that one member has at once: as many as somebody has tabs open, and no more than that.
MOST_EACH = 4


@define
class Snapshot:
    """An order as it was. Whoever leaves it leaves a gap.

    Attributes:
        member: whose it is.
        places: with the score, best first.
        without: by relevance alone.
        parameters: what made the order.
        ends: when it may no longer be shown.
        where: of each profile, its index in `places` and in `without`.
    """

    member: str
    places: list[Place | None]
    without: list[str | None]
    parameters: Parameters
    ends: float
    where: dict[str, list[int | None]]

    @classmethod
    def of(cls, member: str, ranked: Ranked, ends: float) -> Self:
        """All of a ranking."""
        where: dict[str, list[int | None]] = {}
        for at, place in enumerate(ranked.places):
            where[place.profile] = [at, None]
        for at, profile in enumerate(ranked.order_without_score):
            where.setdefault(profile, [None, None])[1] = at
        places: list[Place | None] = [*ranked.places]
        without: list[str | None] = [*ranked.order_without_score]
        return cls(member, places, without, ranked.parameters, ends, where)

    def remove(self, profiles: Iterable[str]) -> None:
        """Forget these; nobody else moves."""
        for profile in profiles:
            blended, without = self.where.pop(profile, (None, None))
            if blended is not None:
                self.places[blended] = None
            if without is not None:
                self.without[without] = None


class Snapshots:
    """Those that are kept, oldest first. Not for several threads at once.

    Args:
        most: places of all together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._kept: OrderedDict[bytes, Snapshot] = OrderedDict()

    def add(self, session: bytes, snapshot: Snapshot, now: float) -> None:
        """Keep one more. Those that have ended go, the member's own oldest, then the oldest of all.

        Raises:
            InvalidInputError: it is larger than all may be together.
        """
        size = len(snapshot.places)
        if size > self._most:
            raise InvalidInputError(
                f"must be at most {self._most:,} here", field="top", hint="ask for fewer places"
            )
        self._forget_ended(now)
        mine = [one for one, kept in self._kept.items() if kept.member == snapshot.member]
        for one in mine[: 1 - MOST_EACH]:
            self._forget(one)
        while self._held + size > self._most:
            self._forget(next(iter(self._kept)))
        self._kept[session] = snapshot
        self._held += size

    def get(self, session: bytes, now: float) -> Snapshot | None:
        """One that is still kept."""
        self._forget_ended(now)
        return self._kept.get(session)

    def remove(self, profiles: Iterable[str]) -> None:
        """Forget these people everywhere."""
        for snapshot in self._kept.values():
            snapshot.remove(profiles)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._held = 0

    def _forget_ended(self, now: float) -> None:
        # All live equally long, so the oldest end first.
        while self._kept and next(iter(self._kept.values())).ends <= now:
            self._forget(next(iter(self._kept)))

    def _forget(self, session: bytes) -> None:
        self._held -= len(self._kept.pop(session).places)
