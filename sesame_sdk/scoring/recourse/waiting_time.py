"""The first day on which a score reaches a number of points by decay alone.

Between two days a score is at most that with the signals that add points as of the first day and those that
take points as of the last. The search halves a period, skips a half whose maximum is too low, and takes the
earlier half first. A later day is scored, by the scoring SQL, for signals that are older by as much.
"""

import math
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import date, timedelta

from attrs import define

from sesame_sdk.model.explanation import WaitingTime
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.scoring.engines import CountedSignal, score_in_sqlite
from sesame_sdk.scoring.scorecard import MICROSECONDS_PER_DAY, to_hundredths, to_microseconds

#: How far the search looks where a policy never ends what takes points: ten years.
MAX_DAYS = 3653
#: Signals that a search scores; beyond that, the result says how far it looked.
MAX_ROWS = 1_000_000

_TABLES = """
CREATE TABLE signals (partner TEXT, kind TEXT, value REAL, occurred_at INTEGER, takes_points INTEGER);
CREATE TABLE period (first INTEGER, last INTEGER);
CREATE VIEW counted AS
SELECT 0 AS subject, s.partner, s.kind, s.value,
       s.occurred_at - CASE WHEN s.takes_points THEN p.last ELSE p.first END AS occurred_at
FROM period p CROSS JOIN signals s;
"""


def find_waiting_time(
    policy: Policy, as_of: date, signals: Iterable[CountedSignal], target: int
) -> WaitingTime:
    """What waiting for `target` hundredths, more than today's, comes to if no new signal arrives."""
    weightings = {weighting.kind.name: weighting for weighting in policy.weightings}
    rows = [(each, each.value * weightings[each.kind].weight) for each in signals if each.kind in weightings]
    ends = [_end(signal, weightings[signal.kind], as_of) for signal, worth in rows if worth < 0]
    if not ends:
        return WaitingTime(None)  # what adds points can only fade
    last = int(min(max(ends), MAX_DAYS, (date.max - as_of).days))
    with closing(_open(rows)) as connection:
        search = _Search(connection, policy, as_of, target, budget=MAX_ROWS // len(rows))
        day = search.first_day(1, last) if last else None
    if day is not None:
        adding = (weightings[signal.kind] for signal, worth in rows if worth > 0)
        decay = any(weighting.half_life_days or weighting.expires_days for weighting in adding)
        return WaitingTime(as_of + timedelta(days=day), points_decay=decay)
    return WaitingTime(
        None, searched_until=None if search.excluded >= max(ends) else as_of + timedelta(search.excluded)
    )


@define
class _Search:
    """A search over days from today: `budget` periods may still be scored, no day to `excluded` is enough."""

    connection: sqlite3.Connection
    policy: Policy
    as_of: date
    target: int
    budget: int
    excluded: int = 0

    def first_day(self, first: int, last: int) -> int | None:
        """The first day that reaches the target; None if none does, or if the budget is used up."""
        if self.budget <= 0:
            return None
        self.budget -= 1
        if not self._may_reach(first, last):
            self.excluded = last
            return None
        if first == last:
            return first
        middle = (first + last) // 2
        return self.first_day(first, middle) or self.first_day(middle + 1, last)

    def _may_reach(self, first: int, last: int) -> bool:
        """Whether the score could reach the target in a period; for a single day, whether it does."""
        self.connection.execute("DELETE FROM period")
        period = (first * MICROSECONDS_PER_DAY, last * MICROSECONDS_PER_DAY)
        self.connection.execute("INSERT INTO period VALUES (?, ?)", period)
        rows = score_in_sqlite(self.connection, self.policy, self.as_of)
        totals = [total for _, kind, total in rows if not kind]
        if not totals:
            # Without signals there is no score; but before the last day there may be one, near the base.
            return first < last and to_hundredths(self.policy.base) >= self.target
        return totals[0] >= self.target


def _end(signal: CountedSignal, weighting: Weighting, as_of: date) -> float:
    """The first day on which a signal no longer counts."""
    if weighting.expires_days is None:
        return math.inf
    left = weighting.expires_days * MICROSECONDS_PER_DAY - (to_microseconds(as_of) - signal.occurred_at)
    return max(left // MICROSECONDS_PER_DAY + 1, 1)


def _open(rows: Iterable[tuple[CountedSignal, float]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(f"{_TABLES} BEGIN;")  # in memory, and never committed
    signals = [(*signal, worth < 0) for signal, worth in rows]
    connection.executemany("INSERT INTO signals VALUES (?, ?, ?, ?, ?)", signals)
    return connection
