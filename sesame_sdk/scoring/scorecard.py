"""The scorecard: the scoring SQL, and the table of a policy that it reads.

    points = base + sum over kinds of clip( sum over partners of clip( sum of what each signal is worth,
                                                                       -partner_cap, +partner_cap ),
                                            floor, cap ),          bounded to the policy's range
    worth  = weight * value * 0.5 ** (age / half_life)

A signal is worth a whole number of micropoints (millionths of a point), rounded half up, and at most
a million points. Whole numbers add up exactly in doubles, so neither the order of the signals, nor the
engine, nor the number of its threads can change a score. A kind's sum is then rounded to hundredths, half up.

A signal later than the day has age 0. One older than its kind's lifetime does not count: a person without
any signal that counts has no score.
"""

import math
from datetime import UTC, date, datetime, timedelta

from sesame_sdk.constants import MAX_POINTS
from sesame_sdk.model.policy import Policy, Weighting

#: In a point.
MICROPOINTS = 1_000_000
MICROPOINTS_PER_HUNDREDTH = 10_000
MICROSECONDS_PER_DAY = 86_400_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Longer than any two dates are apart, in microseconds.
_NEVER = 1e18
#: For a kind of weight 0, whose values do not matter.
_ANY_VALUE = 1e300

#: Columns of the relation `policy`: kind is text, all others are doubles.
#:   place                     the kind's number: grouping by text takes half as long again
#:   weight                    micropoints for a value of 1 at age 0
#:   max_value                 the largest value that counts, up or down
#:   rate                      decay per microsecond: ln 2 / half-life; 0 if it does not fade
#:   lifetime                  microseconds until a signal counts no more
#:   floor, cap, partner_cap   micropoints
#:   as_of                     start of the UTC day, microseconds since 1970
#:   base, low, high           hundredths of a point; the same in every row
POLICY_COLUMNS = (
    *("kind", "place", "weight", "max_value", "rate", "lifetime", "floor", "cap", "partner_cap"),
    *("as_of", "base", "low", "high"),
)

#: The first half of the SQL: what each partner's signals of a kind are worth to a person, uncapped.
SUMS_SQL = """
WITH worth AS (
    SELECT c.subject, p.place, c.partner,
           FLOOR(p.weight
                 * CASE WHEN c.value > p.max_value THEN p.max_value
                        WHEN c.value < -p.max_value THEN -p.max_value
                        ELSE c.value END
                 * CASE WHEN c.occurred_at >= p.as_of THEN 1.0
                        WHEN (p.as_of - c.occurred_at) * p.rate > 50.0 THEN 0.0
                        ELSE EXP((c.occurred_at - p.as_of) * p.rate) END
                 + 0.500001) AS micropoints
    FROM counted c JOIN policy p ON p.kind = c.kind
    WHERE p.as_of - c.occurred_at <= p.lifetime
),
by_partner AS (
    SELECT subject, place, partner, SUM(micropoints) AS micropoints
    FROM worth
    GROUP BY subject, place, partner
)"""

#: Reads `counted` (subject, partner, kind, value, occurred_at in microseconds UTC) and `policy`. Gives
#: (subject, kind, hundredths): a row for each kind, and one with kind '' that holds the bounded total.
#:
#: Every engine runs the same text, hence no parameters, casts, GREATEST or LEAST. EXP is not called for less
#: than e^-50, which rounds to nothing and which PostgreSQL may refuse as an underflow. Rounding up begins at
#: 0.499999 of a micropoint, so that engines whose EXP differs in the last bit agree on the halves that
#: decimals make (a penny after one half-life).
SCORE_SQL = f"""{SUMS_SQL},
by_kind AS (
    SELECT w.subject, w.place,
           SUM(CASE WHEN w.micropoints > p.partner_cap THEN p.partner_cap
                    WHEN w.micropoints < -p.partner_cap THEN -p.partner_cap
                    ELSE w.micropoints END) AS micropoints
    FROM by_partner w JOIN policy p ON p.place = w.place
    GROUP BY w.subject, w.place
),
parts AS (
    SELECT k.subject, k.place,
           FLOOR(CASE WHEN k.micropoints > p.cap THEN p.cap
                      WHEN k.micropoints < p.floor THEN p.floor
                      ELSE k.micropoints END / 10000.0 + 0.5) AS hundredths
    FROM by_kind k JOIN policy p ON p.place = k.place
),
scale AS (
    SELECT MAX(base) AS base, MAX(low) AS low, MAX(high) AS high FROM policy
),
totals AS (
    SELECT subject, SUM(hundredths) AS change FROM parts GROUP BY subject
)
SELECT t.subject, '' AS kind,
       CASE WHEN s.base + t.change > s.high THEN s.high
            WHEN s.base + t.change < s.low THEN s.low
            ELSE s.base + t.change END AS hundredths
FROM totals t CROSS JOIN scale s
UNION ALL
SELECT k.subject, p.kind, k.hundredths
FROM parts k JOIN policy p ON p.place = k.place
"""  # noqa: S608 - both are constants


def build_policy_rows(policy: Policy, as_of: date) -> list[tuple[str | float, ...]]:
    """The relation `policy`: a row for each kind, in the order of `POLICY_COLUMNS`."""
    range_and_base = tuple(float(to_hundredths(points)) for points in (policy.base, policy.low, policy.high))
    start = float(to_microseconds(as_of))
    return [
        (weighting.kind.name, float(at), *_numbers(weighting), start, *range_and_base)
        for at, weighting in enumerate(policy.weightings)
    ]


def to_hundredths(points: float) -> int:
    """Points in whole hundredths."""
    return round(points * 100)


def to_microseconds(day: date) -> int:
    """The start of a UTC day, in microseconds since 1970."""
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def _numbers(weighting: Weighting) -> tuple[float, ...]:
    bounds = (weighting.floor, weighting.cap, weighting.partner_cap)
    return (
        weighting.weight * MICROPOINTS,
        MAX_POINTS / abs(weighting.weight) if weighting.weight else _ANY_VALUE,
        math.log(2) / (weighting.half_life_days * MICROSECONDS_PER_DAY) if weighting.half_life_days else 0.0,
        weighting.expires_days * MICROSECONDS_PER_DAY if weighting.expires_days else _NEVER,
        *(float(to_hundredths(points) * MICROPOINTS_PER_HUNDREDTH) for points in bounds),
    )
