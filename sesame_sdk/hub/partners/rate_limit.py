"""How much each partner may ask of the hub: a token bucket a partner, kept in the ledger's database.

Rules:
    * a signal sent costs one, a score read costs one, any other request that we believed costs one
    * it is charged in the transaction that does the work, once for all envelopes of a partner in it, so that
      several workers and machines share one bucket; what was never believed is charged to nobody
    * it is looked at first and charged last, so that workers who serve one partner wait for each other only
      while they commit; what each had begun when the bucket ran out is a debt
    * whoever has one left is served, and pays the whole of it, into debt if need be: no message is too large
      for its bucket, and none waits while smaller ones pass it by
    * levels are whole millionths, of which a rate of one a second gives one a microsecond: the wait that we
      ask for is enough to the microsecond
    * of clocks that differ the fastest counts; one that was more than a minute ahead was put right

Where a bucket is found empty its process remembers that for a moment, and refuses before it verifies. That
memory is a short cut and no truth: it ends within a second.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Row,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from sesame_sdk.errors import InvalidInputError, RateLimitedError
from sesame_sdk.hub.database.tables import metadata
from sesame_sdk.hub.database.timestamps import micros

#: Millionths of one; and microseconds of a second.
ONE = 1_000_000
MOST_RATE, MOST_BURST = 1_000_000, 1_000_000_000
_CLOCKS_DIFFER = 60 * ONE
_REMEMBERED = timedelta(seconds=1)

#: What is left to each partner, and its own limit where it has one.
rate_limits = Table(
    "rate_limits",
    metadata,
    Column("partner", ForeignKey("partners.id"), primary_key=True),
    Column("rate", BigInteger),
    Column("burst", BigInteger),
    Column("level", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
)


@frozen
class Limit:
    """So many a second, and so many at once after a quiet time. A rate of 0 is no limit.

    Raises:
        InvalidInputError: naming the number that is out of range.
    """

    rate: int
    burst: int

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.rate <= MOST_RATE:
            raise InvalidInputError(f"must be 0 to {MOST_RATE}", field="rate")
        if not 1 <= self.burst <= MOST_BURST:
            raise InvalidInputError(f"must be 1 to {MOST_BURST}", field="burst")


@frozen
class Bucket:
    """What is left at a moment: millionths, and microseconds since 1970."""

    level: int
    at: int

    def filled(self, limit: Limit, now: int) -> "Bucket":
        """The bucket as it is now."""
        if self.at - now > _CLOCKS_DIFFER:
            return Bucket(min(self.level, limit.burst * ONE), now)
        passed = max(0, now - self.at)
        return Bucket(min(self.level + passed * limit.rate, limit.burst * ONE), self.at + passed)

    def serves(self, costs: Sequence[int]) -> tuple[int, "Bucket"]:
        """How many of these, in their order, it pays for, and what is left then."""
        level, served = self.level, 0
        while served < len(costs) and level >= ONE:
            level -= costs[served] * ONE
            served += 1
        return served, evolve(self, level=level)

    def less(self, cost: int) -> "Bucket":
        """What is left when so much is paid, whatever there was."""
        return evolve(self, level=self.level - cost * ONE)

    def wait(self, limit: Limit, now: int) -> int:
        """Microseconds until it serves again; 0 if it does now."""
        missing = ONE - self.level
        return 0 if missing <= 0 else max(0, self.at - now) + math.ceil(missing / limit.rate)


@frozen
class Limits:
    """Charges partners, and remembers for a moment who has nothing left.

    Attributes:
        usual: for partners without a limit of their own.
    """

    usual: Limit
    _empty: dict[str, tuple[datetime, datetime]] = field(factory=dict, init=False)

    def check(self, issuer: str, now: datetime) -> None:
        """Turn away at once whoever was just found to have nothing left.

        Args:
            issuer: who is said to ask; nobody has looked at a signature yet.
            now: UTC.

        Raises:
            RateLimitedError: saying how long to wait.
        """
        found_at, until = self._empty.get(issuer, (now, now))
        if found_at <= now < min(until, found_at + _REMEMBERED):
            raise _throttled(micros(until) - micros(now))

    def admit(
        self, connection: Connection, partner: int, issuer: str, costs: Sequence[int], now: datetime
    ) -> tuple[int, RateLimitedError | None]:
        """How many of a partner's messages, in their order, it has something left for. See `charge`.

        Returns:
            How many, and the answer to the others.
        """
        row = _row(connection, partner)
        limit = _limit(row, self.usual)
        if not limit.rate:
            return len(costs), None
        served, left = _bucket(row, limit, now).serves(costs)
        if served == len(costs):
            return served, None
        wait = left.wait(limit, micros(now))
        self._empty[issuer] = (now, now + timedelta(microseconds=wait))
        return served, _throttled(wait)

    def charge(self, connection: Connection, partner: int, cost: int, now: datetime) -> None:
        """Charge a partner for what was done for it, at the end of the work.

        From here to the end of the transaction whoever else works for this partner waits. Those who were
        admitted at the same time pay too, into debt if need be.
        """
        row = _row(connection, partner, lock=True)
        limit = _limit(row, self.usual)
        if limit.rate:
            left = _bucket(row, limit, now).less(cost)
            _put(connection, partner, row, {"level": left.level, "at": left.at})

    def spend(self, connection: Connection, partner: int, issuer: str, cost: int, now: datetime) -> None:
        """Charge a partner for one thing.

        Raises:
            RateLimitedError: it has nothing left.
        """
        _, refusal = self.admit(connection, partner, issuer, [cost], now)
        if refusal:
            raise refusal
        self.charge(connection, partner, cost, now)


def put(connection: Connection, partner: int, limit: Limit | None, usual: Limit, now: datetime) -> None:
    """Give a partner a limit of its own, or the usual one; what it owes it owes still."""
    row = _row(connection, partner, lock=True)
    own: dict[str, int | None] = {"rate": None, "burst": None}
    if limit:
        own = {"rate": limit.rate, "burst": limit.burst}
    full = _full(limit or usual, micros(now))
    _put(connection, partner, row, own if row else {**own, "level": full.level, "at": full.at})


def of(connection: Connection, partner: int, usual: Limit) -> Limit:
    """The limit of a partner."""
    return _limit(
        connection.execute(select(rate_limits).where(rate_limits.c.partner == partner)).first(), usual
    )


def _row(connection: Connection, partner: int, *, lock: bool = False) -> Row[Any] | None:
    """A partner's row; with `lock` nobody else changes it before the end of the transaction."""
    return connection.execute(_LOCKED if lock else _ROW, {"whose": partner}).first()


_ROW = select(rate_limits).where(rate_limits.c.partner == bindparam("whose"))
_LOCKED = _ROW.with_for_update()


def _bucket(row: Row[Any] | None, limit: Limit, now: datetime) -> Bucket:
    at = micros(now)
    return (Bucket(row.level, row.at) if row else _full(limit, at)).filled(limit, at)


def _put(connection: Connection, partner: int, row: Row[Any] | None, values: dict[str, int | None]) -> None:
    if row is None:
        # Should another process do so in the same moment, ours breaks the key, and is done once more.
        connection.execute(insert(rate_limits).values(partner=partner, **values))
    else:
        connection.execute(update(rate_limits).where(rate_limits.c.partner == partner).values(**values))


def _limit(row: Row[Any] | None, usual: Limit) -> Limit:
    return usual if row is None or row.rate is None else Limit(row.rate, row.burst)


def _throttled(wait: int) -> RateLimitedError:
    return RateLimitedError(
        "is more than you may ask for now", field="rate", hint="wait", retry_after=wait / ONE
    )


def _full(limit: Limit, at: int) -> Bucket:
    return Bucket(limit.burst * ONE, at)
