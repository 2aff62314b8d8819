"""Rate limits of partners: the generic cell rate algorithm (GCRA), one timestamp a partner.

The timestamp is the theoretical arrival time: when the next request would come if the partner kept exactly
to its rate. A partner is served while that time is less than its burst ahead.

Rules:
    * a signal costs one, a score read costs one, any other authenticated request costs one; a registration
      costs what it takes to check it (see `ingest.registrar`)
    * the charge is one UPDATE in the transaction that does the work, so several workers and machines share
      one limit; an unauthenticated request is not charged
    * a request that is refused after its signature was verified is charged too: in memory, by each process,
      since it must not cost the database a write. Envelopes and announcements of keys cost then what they
      would have cost, also if they are damaged. What was signed for another hub is refused at no charge:
      that hub could send it here
    * the limit is checked first and charged last, so workers that serve one partner wait for each other only
      while they commit; all that each began before the limit was reached is charged
    * a request is served whole if the partner has one unit left, and may exceed the burst: no message is too
      large, and a large one is not overtaken by smaller ones for ever
    * of several clocks the fastest counts; a timestamp further ahead than debts explain is of a wrong clock,
      and is ignored

A process remembers for a second which partners it refused, and refuses them before it verifies a signature.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen
from sqlalchemy import BigInteger, Connection, Row, bindparam, case, insert, select, update

from sesame_sdk.errors import InvalidInputError, RateLimitedError
from sesame_sdk.hub.database.tables import rate_limits
from sesame_sdk.hub.database.timestamps import to_micros

#: Nanoseconds of a second and of a microsecond: a rate of a million a second needs a unit below microseconds.
SECOND, _MICROSECOND = 1_000_000_000, 1_000
MAX_RATE, MAX_BURST = 1_000_000, 1_000_000_000
#: Units beyond the burst that workers may charge before they see each other's charges.
_MAX_DEBT = 1_000_000
_REMEMBERED = timedelta(seconds=1)

_arrival = rate_limits.c.theoretical_arrival_ns
_ROW = select(rate_limits).where(rate_limits.c.partner == bindparam("whose"))
_CHARGE = (
    update(rate_limits)
    .where(rate_limits.c.partner == bindparam("whose"))
    .values(
        theoretical_arrival_ns=bindparam("interval", type_=BigInteger)
        + case(
            (_arrival.between(bindparam("now"), bindparam("latest")), _arrival),
            else_=bindparam("now", type_=BigInteger),
        )
    )
)


@frozen
class Limit:
    """Units a second, and units at once after a pause. A rate of 0 is no limit.

    Raises:
        InvalidInputError: naming the number that is out of range.
    """

    rate: int
    burst: int

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.rate <= MAX_RATE:
            raise InvalidInputError(f"must be 0 to {MAX_RATE}", field="rate")
        if not 1 <= self.burst <= MAX_BURST:
            raise InvalidInputError(f"must be 1 to {MAX_BURST}", field="burst")

    def interval(self, cost: int) -> int:
        """Nanoseconds in which so many units come back, rounded up."""
        return -(-cost * SECOND // self.rate)

    def latest(self, now: int) -> int:
        """The latest arrival time, in nanoseconds, that charges can explain."""
        return now + self.interval(self.burst + _MAX_DEBT)

    def serves(self, arrival: int, costs: Sequence[int], now: int) -> tuple[int, int]:
        """How many requests are served, in order, and the arrival time then. Times are in nanoseconds."""
        arrival = arrival if now < arrival <= self.latest(now) else now
        served = 0
        while served < len(costs) and not self.wait(arrival, now):
            arrival += self.interval(costs[served])
            served += 1
        return served, arrival

    def wait(self, arrival: int, now: int) -> int:
        """Microseconds until a partner with this arrival time is served; 0 if it is served now."""
        early = arrival - now - (self.burst - 1) * SECOND // self.rate
        return max(0, -(-early // _MICROSECOND))


@frozen
class Admission:
    """How many of some requests are served, the error for the others, and the limit that applied."""

    served: int
    refusal: RateLimitedError | None
    limit: Limit


@frozen
class RateLimiter:
    """Charges partners, and remembers for a second which ones it refused."""

    default: Limit
    _refused: dict[str, tuple[datetime, datetime]] = field(factory=dict, init=False)
    #: The limit of each partner when it was last admitted, and the arrival time of its refused requests.
    _limits: dict[str, Limit] = field(factory=dict, init=False)
    _arrivals: dict[str, int] = field(factory=dict, init=False)

    def limit_of(self, connection: Connection, partner: int) -> Limit:
        """The limit of a partner."""
        return _limit(_row(connection, partner), self.default)

    def limit(self, issuer: str) -> Limit:
        """The limit of a partner when it was last admitted."""
        return self._limits.get(issuer, self.default)

    def check(self, issuer: str, now: datetime) -> None:
        """Refuse a partner (not verified yet) that was refused less than a second ago and still has to wait.

        Raises:
            RateLimitedError: with the time to wait.
        """
        refused_at, until = self._refused.get(issuer, (now, now))
        if refused_at <= now < min(until, refused_at + _REMEMBERED):
            raise _rate_limited(to_micros(until) - to_micros(now))
        at = _nanos(now)
        if (debt := self._debt(issuer, at)) and (wait := self.limit(issuer).wait(at + debt, at)):
            raise _rate_limited(wait)

    def charge_refusal(self, issuer: str, cost: int, now: datetime) -> None:
        """Charge a partner for a request that was refused after its signature was verified."""
        limit, at = self.limit(issuer), _nanos(now)
        if limit.rate:
            self._arrivals[issuer] = at + self._debt(issuer, at) + limit.interval(cost)

    @contextmanager
    def charging_refusals(self, issuer: str, now: datetime, cost: int = 1) -> Iterator[None]:
        """Charge a partner whose signature was verified, if the block raises `InvalidInputError`."""
        try:
            yield
        except InvalidInputError:
            self.charge_refusal(issuer, max(1, cost), now)
            raise

    def _debt(self, issuer: str, at: int) -> int:
        """Nanoseconds until the refused requests of a partner are paid for."""
        arrival, limit = self._arrivals.get(issuer, 0), self.limit(issuer)
        return arrival - at if limit.rate and at < arrival <= limit.latest(at) else 0

    def admit(
        self, connection: Connection, partner: int, issuer: str, costs: Sequence[int], now: datetime
    ) -> Admission:
        """How many requests of a partner to serve, in their order; `charge` them at the end of the work."""
        row = _row(connection, partner)
        limit = self._limits[issuer] = _limit(row, self.default)
        if not limit.rate:
            return Admission(len(costs), None, limit)
        at = _nanos(now)
        arrival = row.theoretical_arrival_ns if row else 0
        if debt := self._debt(issuer, at):
            arrival = debt + (arrival if at < arrival <= limit.latest(at) else at)
        served, arrival = limit.serves(arrival, costs, at)
        if served == len(costs):
            return Admission(served, None, limit)
        wait = limit.wait(arrival, at)
        self._refused[issuer] = (now, now + timedelta(microseconds=wait))
        return Admission(served, _rate_limited(wait), limit)

    def check_budget(self, connection: Connection, partner: int, issuer: str, now: datetime) -> None:
        """Raise `RateLimitedError` unless a partner has a unit left. Nothing is charged yet."""
        if refusal := self.admit(connection, partner, issuer, [1], now).refusal:
            raise refusal

    def spend(self, connection: Connection, partner: int, issuer: str, cost: int, now: datetime) -> None:
        """Charge a partner for one request. Raises `RateLimitedError`: the limit is reached."""
        admission = self.admit(connection, partner, issuer, [cost], now)
        if admission.refusal:
            raise admission.refusal
        charge(connection, partner, admission.limit, cost, now)


def charge(connection: Connection, partner: int, limit: Limit, cost: int, now: datetime) -> None:
    """Charge a partner, at the end of the work: until the transaction ends other charges of it wait.

    `limit` is that of the `Admission`, `cost` that of all that was served, in units.
    """
    if not limit.rate:
        return
    at, interval = _nanos(now), limit.interval(cost)
    charged = {"whose": partner, "interval": interval, "now": at, "latest": limit.latest(at)}
    if not connection.execute(_CHARGE, charged).rowcount:
        # If another process inserts the row at the same time, the key conflicts and the writer tries again.
        row = {"partner": partner, "theoretical_arrival_ns": at + interval}
        connection.execute(insert(rate_limits).values(row))


def set_limit(
    connection: Connection, partner: int, limit: Limit | None, default: Limit, now: datetime
) -> None:
    """Set a partner's own limit, or None for the default. What is left of the old one stays, in units."""
    row = connection.execute(_ROW.with_for_update(), {"whose": partner}).first()
    own = {"rate": limit.rate, "burst": limit.burst} if limit else {"rate": None, "burst": None}
    if row is None:
        connection.execute(insert(rate_limits).values(partner=partner, theoretical_arrival_ns=0, **own))
        return
    old, new, at = _limit(row, default), limit or default, _nanos(now)
    used = max(0, row.theoretical_arrival_ns - at) * old.rate // SECOND
    still_used = max(0, new.burst - old.burst + used)
    arrival = at + new.interval(still_used) if new.rate else 0
    mine = update(rate_limits).where(rate_limits.c.partner == partner)
    connection.execute(mine.values(theoretical_arrival_ns=arrival, **own))


def _row(connection: Connection, partner: int) -> Row[Any] | None:
    return connection.execute(_ROW, {"whose": partner}).first()


def _limit(row: Row[Any] | None, default: Limit) -> Limit:
    return default if row is None or row.rate is None else Limit(row.rate, row.burst)


def _nanos(at: datetime) -> int:
    return to_micros(at) * _MICROSECOND


def _rate_limited(wait: int) -> RateLimitedError:
    seconds = wait / 1_000_000
    return RateLimitedError(
        "rate limit exceeded", field="rate", hint=f"wait {seconds:.1f} s", retry_after=seconds
    )
