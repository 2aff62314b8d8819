"""The score, reference_total and plainly: the design's formula in Python, written without a look at the SQL.

    points = base + sum over kinds of clip( sum over partners of clip( sum of worth, +-partner_cap ),
                                            floor, cap )
    worth  = weight * value * 0.5 ** (age / half_life)

Every worth is whole micropoints; halves go up. Python's whole numbers have no end, so nothing here can
lose a digit.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from attrs import frozen

from sesame_sdk.model.policy import Policy, Weighting

T = TypeVar("T", int, float)

DAY = 86_400_000_000
A_MILLION_POINTS = 1_000_000.0


@frozen
class Counted:
    """A signal as the engines see it; `age` in microseconds at the start of the day."""

    subject: int
    partner: int
    kind: str
    value: float
    age: int


def score(signals: Iterable[Counted], policy: Policy) -> dict[tuple[int, str], int]:
    """Hundredths of a point by subject and kind; kind '' is the bounded total."""
    weightings = {weighting.kind.name: weighting for weighting in policy.weightings}
    sums: dict[tuple[int, str, int], int] = defaultdict(int)
    for signal in signals:
        weighting = weightings.get(signal.kind)
        if weighting and not _expired(signal, weighting):
            sums[signal.subject, signal.kind, signal.partner] += _worth(signal, weighting)

    kinds: dict[tuple[int, str], int] = defaultdict(int)
    for (subject, kind, _), worth in sums.items():
        limit = _micropoints(weightings[kind].partner_cap)
        kinds[subject, kind] += _clip(worth, -limit, limit)

    totals = {}
    for (subject, kind), worth in kinds.items():
        low, high = _micropoints(weightings[kind].floor), _micropoints(weightings[kind].cap)
        totals[subject, kind] = _half_up(_clip(worth, low, high), 10_000)
    return totals | _totals(totals, policy)


def _totals(parts: dict[tuple[int, str], int], policy: Policy) -> dict[tuple[int, str], int]:
    totals: dict[tuple[int, str], int] = defaultdict(lambda: round(policy.base * 100))
    for (subject, _), hundredths in parts.items():
        totals[subject, ""] += hundredths
    low, high = round(policy.low * 100), round(policy.high * 100)
    return {key: _clip(total, low, high) for key, total in totals.items()}


def _expired(signal: Counted, weighting: Weighting) -> bool:
    return weighting.expires_days is not None and signal.age > weighting.expires_days * DAY


def _worth(signal: Counted, weighting: Weighting) -> int:
    today = _clip(weighting.weight * signal.value, -A_MILLION_POINTS, A_MILLION_POINTS)
    age = max(signal.age, 0)
    faded = 0.5 ** (age / (weighting.half_life_days * DAY)) if weighting.half_life_days else 1.0
    # A half begins at 0.499999, so that a product of decimals that misses it by its last bit still counts.
    return math.floor(today * faded * 1e6 + 0.500001)


def _micropoints(points: float) -> int:
    return round(points * 100) * 10_000


def _half_up(number: int, unit: int) -> int:
    return (2 * number + unit) // (2 * unit)


def _clip(number: T, low: T, high: T) -> T:
    return max(low, min(number, high))


def start_of(day: date) -> int:
    """The start of a UTC day in microseconds since 1970, counted day by day."""
    return (day - date(1970, 1, 1)).days * DAY
