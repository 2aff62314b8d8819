"""Whether a signal's value is what its observation says that it is.

Rules:
    * no value is negative: polarity is the observation's, and its weight has the sign
    * a count is 1 an event
    * money is more than 0, with `MAX_DECIMALS` at most
    * months and days are whole numbers from 1. Those of one person, partner and kind, without the largest,
      are at most as many as the calendar has between the first and the last of them. The largest may be the
      first report of a long membership; it does not begin before 1970
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from attrs import define
from sqlalchemy import Connection, func, select

from sesame_sdk.catalogue.observations import Measure
from sesame_sdk.hub.database.dialects.base import SignalRow
from sesame_sdk.hub.database.engine import is_in
from sesame_sdk.hub.database.tables import signals
from sesame_sdk.hub.database.timestamps import from_micros
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.model.signals import MAX_VALUE, MIN_TIMESTAMP

#: Of an amount of money: enough for every currency and for unit prices.
MAX_DECIMALS: Final = 6
CALENDAR_MEASURES: Final = frozenset((Measure.MONTHS, Measure.DAYS))


def check_value(value: float, measure: Measure) -> DropReason | None:
    """Why a value is not of its measure; None if it is."""
    if measure is Measure.COUNT and value == 1:  # nearly all values
        return None
    if value < 0:
        return DropReason.VALUE_AGAINST_POLARITY
    if value > MAX_VALUE:
        return DropReason.VALUE_OUT_OF_RANGE
    if measure is Measure.MONEY:
        fits = value > 0 and round(value, MAX_DECIMALS) == value
    else:
        fits = measure is not Measure.COUNT and value >= 1 and value == int(value)
    return None if fits else DropReason.VALUE_AGAINST_MEASURE


@define
class _Reported:
    """The months or days of one person, partner and kind: first and last of the calendar, sum, largest."""

    first: int
    last: int
    total: float
    largest: float

    def add(self, unit: int, value: float) -> bool:
        """Add a report, unless there would be more than the calendar has; whether it was added."""
        first, last = min(self.first, unit), max(self.last, unit)
        total, largest = self.total + value, max(self.largest, value)
        if total - largest > last - first:
            return False
        self.first, self.last, self.total, self.largest = first, last, total, largest
        return True


def faster_than_calendar(
    connection: Connection, rows: Sequence[SignalRow], measures: dict[int, Measure]
) -> Iterator[int]:
    """Positions of the new signals by which months or days would run faster than the calendar.

    `measures` has the kinds that are measured so; rows of other kinds are not looked at.
    """
    dated = sorted(
        (occurred_at, position)
        for position, (_, _, _, kind, _, occurred_at, *_) in enumerate(rows)
        if kind in measures
    )
    if not dated:
        return
    reported = _find_reported(connection, [rows[position] for _, position in dated], measures)
    seen: set[tuple[int, int, bytes]] = set()
    for occurred_at, position in dated:
        person, partner, key, kind, value, *_ = rows[position]
        if (person, partner, key) in seen:  # sent twice, and stored once
            continue
        seen.add((person, partner, key))
        unit = _unit_of(occurred_at, measures[kind])
        if value > unit + 1:
            yield position
        elif (known := reported.get((person, kind))) is None:
            reported[person, kind] = _Reported(unit, unit, value, value)
        elif not known.add(unit, value):
            yield position


def _find_reported(
    connection: Connection, rows: Sequence[SignalRow], measures: dict[int, Measure]
) -> dict[tuple[int, int], _Reported]:
    """What is stored for the persons and kinds of `rows`, of one partner, without these signals."""
    columns = signals.c
    at = columns.occurred_at
    query = (
        select(
            columns.person,
            columns.kind,
            func.min(at),
            func.max(at),
            func.sum(columns.value),
            func.max(columns.value),
        )
        .where(
            columns.partner == rows[0][1],
            is_in(columns.person, sorted({row[0] for row in rows})),
            is_in(columns.kind, sorted(measures)),
            columns.key.not_in(sorted({row[2] for row in rows})),
        )
        .group_by(columns.person, columns.kind)
    )
    return {
        (person, kind): _Reported(
            _unit_of(first, measures[kind]), _unit_of(last, measures[kind]), total, largest
        )
        for person, kind, first, last, total, largest in connection.execute(query)
    }


def _unit_of(occurred_at: int, measure: Measure) -> int:
    """The number of the month, or day, since 1970."""
    at: datetime = from_micros(occurred_at)
    if measure is Measure.DAYS:
        return (at - MIN_TIMESTAMP).days
    return (at.year - MIN_TIMESTAMP.year) * 12 + at.month - MIN_TIMESTAMP.month
