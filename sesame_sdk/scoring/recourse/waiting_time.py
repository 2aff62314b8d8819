"""What time alone does: the first day on which a score reaches a number of points.

Time lifts a score while what took points fades, and lowers it while what lifts it fades. On no day from
one to another can it be higher than with what lifts as it is on the first of them and what lowers as it
is on the last. So a stretch of days whose bound is too low is passed over whole, and the rest is looked
at more closely, the earliest part first: the day that is found is the first one.

A later day is tried as a hypothetical person whose signals are older by so much, all on one day; every
point is the one SQL text's.
"""

import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from itertools import pairwise

from attrs import frozen

from sesame_sdk.model.explanation import Waiting
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.scoring.engines import score_in_sqlite
from sesame_sdk.scoring.hypothetical import Held
from sesame_sdk.scoring.scorecard import MICROSECONDS_A_DAY, hundredths, microseconds

#: How far we look where a policy lets what lowers count for ever: ten years.
MOST_DAYS = 3653
#: Signals that are scored in the search; then it says how far it came.
MOST_ROWS = 1_000_000
_PARTS = 4

#: From a day to a day, both counted from today, both within.
_Span = tuple[int, int]

_TABLES = """
CREATE TABLE held (partner TEXT, kind TEXT, value REAL, occurred_at INTEGER, lowers INTEGER);
CREATE TABLE spans (subject INTEGER, first INTEGER, last INTEGER);
CREATE VIEW counted AS
SELECT s.subject, h.partner, h.kind, h.value,
       h.occurred_at - CASE WHEN h.lowers THEN s.last ELSE s.first END AS occurred_at
FROM spans s CROSS JOIN held h;
"""


def wait(policy: Policy, as_of: date, held: Iterable[Held], target: int) -> Waiting:
    """What comes of waiting for `target` hundredths, if nothing new is sent.

    Args:
        policy: how the score is made.
        as_of: today.
        held: the person's signals that count.
        target: more than they come to today.
    """
    weighed = {weighting.kind.name: weighting for weighting in policy.weightings}
    rows = [(one, one.value * weighed[one.kind].weight) for one in held if one.kind in weighed]
    ends = [_end(one, weighed[one.kind], as_of) for one, worth in rows if worth < 0]
    if not ends:
        return Waiting(None)  # what there is can only fade
    last = int(min(max(ends), MOST_DAYS, (date.max - as_of).days))
    with closing(_table(rows)) as connection:
        day, seen = _first(_Days(connection, policy, as_of, target), last, MOST_ROWS // len(rows))
    if day is not None:
        return Waiting(as_of + timedelta(days=day), fades=_fades(rows, weighed))
    return Waiting(None, until=None if seen >= max(ends) else as_of + timedelta(days=seen))


@frozen
class _Days:
    """Tells of stretches of days whether the score could reach the target in them."""

    connection: sqlite3.Connection
    policy: Policy
    as_of: date
    target: int

    def reach(self, spans: Sequence[_Span]) -> list[bool]:
        """For a single day, whether it does."""
        moved = [
            (at, first * MICROSECONDS_A_DAY, last * MICROSECONDS_A_DAY)
            for at, (first, last) in enumerate(spans)
        ]
        self.connection.execute("DELETE FROM spans")
        self.connection.executemany("INSERT INTO spans VALUES (?, ?, ?)", moved)
        rows = score_in_sqlite(self.connection, self.policy, self.as_of)
        totals = {subject: total for subject, kind, total in rows if not kind}
        # With nothing left there is no score; but before that day there may be one, near the base.
        base = hundredths(self.policy.base)
        return [
            totals.get(at, base if first < last else self.target - 1) >= self.target
            for at, (first, last) in enumerate(spans)
        ]


def _first(days: _Days, last: int, most: int) -> tuple[int | None, int]:
    """The first day that reaches the target, if there is one; and up to which day there is none.

    After `most` stretches it gives up, and the second says how far it came.
    """
    spans = [(1, last)] if last and days.reach([(1, last)])[0] else []
    tried = 1
    while spans:
        first, end = spans.pop()
        if first == end:
            return first, first - 1
        if tried >= most:
            return None, first - 1
        parts = _cut(first, end)
        tried += len(parts)
        reached = days.reach(parts)
        spans += [part for part, could in zip(parts, reached, strict=True) if could][::-1]
    return None, last


def _cut(first: int, last: int) -> list[_Span]:
    """A stretch in up to `_PARTS` of about the same length."""
    parts = min(_PARTS, last - first + 1)
    starts = [first + (last - first + 1) * part // parts for part in range(parts)]
    return [(start, end - 1) for start, end in pairwise([*starts, last + 1])]


def _end(signal: Held, weighting: Weighting, as_of: date) -> float:
    """The first day on which a signal counts no more."""
    if weighting.expires_days is None:
        return math.inf
    left = weighting.expires_days * MICROSECONDS_A_DAY - (microseconds(as_of) - signal.occurred_at)
    return max(left // MICROSECONDS_A_DAY + 1, 1)


def _table(rows: Iterable[tuple[Held, float]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(f"{_TABLES} BEGIN;")  # in memory: it goes with the connection
    told = [(*one, worth < 0) for one, worth in rows]
    connection.executemany("INSERT INTO held VALUES (?, ?, ?, ?, ?)", told)
    return connection


def _fades(rows: Iterable[tuple[Held, float]], weighed: Mapping[str, Weighting]) -> bool:
    lifting = (weighed[one.kind] for one, worth in rows if worth > 0)
    return any(weighting.half_life_days or weighting.expires_days for weighting in lifting)
