"""Values are what their observation says: counts of 1, money with few decimals, months of the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.catalogue.observations import Measure
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.ingest.values import MAX_DECIMALS, check_value
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.model.signals import MAX_VALUE, Signal
from tests.hub.fixtures import Clock, Partner, kind

MONTH, DAY, KEPT = "retail.customer.months", "retail.customer.days", "retail.order.completed"
POLARITY, MEASURE = DropReason.VALUE_AGAINST_POLARITY, DropReason.VALUE_AGAINST_MEASURE
FAST = DropReason.FASTER_THAN_CALENDAR


@pytest.mark.parametrize(
    ("measure", "value", "reason"),
    [
        (Measure.COUNT, 1, None),
        (Measure.COUNT, 2, MEASURE),
        (Measure.COUNT, 0.5, MEASURE),
        (Measure.COUNT, 0.0, MEASURE),
        (Measure.COUNT, -1.0, POLARITY),
        (Measure.MONEY, 0.01, None),
        (Measure.MONEY, 0.000001, None),
        (Measure.MONEY, 0.0000001, MEASURE),
        (Measure.MONEY, 1 / 3, MEASURE),
        (Measure.MONEY, 0.0, MEASURE),
        (Measure.MONEY, -0.01, POLARITY),
        (Measure.MONEY, MAX_VALUE, None),
        (Measure.MONEY, MAX_VALUE + 1, DropReason.VALUE_OUT_OF_RANGE),
        (Measure.MONTHS, 1.0, None),
        (Measure.MONTHS, 24.0, None),
        (Measure.MONTHS, 0.5, MEASURE),
        (Measure.DAYS, 7.0, None),
        (Measure.DAYS, 0.0, MEASURE),
        (Measure.DAYS, 1e300, DropReason.VALUE_OUT_OF_RANGE),
    ],
)
def test_a_value_is_of_its_measure(measure: Measure, value: float, reason: DropReason | None) -> None:
    """A reason of its own for each way to be wrong."""
    assert check_value(value, measure) is reason


@given(st.integers(1, 10**15))
def test_an_amount_with_as_many_decimals_as_allowed_is_money(millionths: int) -> None:
    """However a double rounds it."""
    value = millionths / 10**MAX_DECIMALS
    assert check_value(value, Measure.MONEY) is (
        None if value <= MAX_VALUE else DropReason.VALUE_OUT_OF_RANGE
    )


@pytest.fixture
def club(hub: Hub, clock: Clock) -> Partner:
    """A partner that sends months, days and orders of ada and bob."""
    kinds = (kind(MONTH, "membership_month"), kind(DAY, "membership_day"), kind(KEPT, "order_kept"))
    partner = Partner.join("https://club.example", hub, clock, *kinds)
    hub.add_grants([*partner.grants("ada", MONTH, DAY, KEPT), *partner.grants("bob", MONTH, DAY, KEPT)])
    return partner


def of(club: Partner, name: str, *reports: tuple[int, int, float], person: str = "ada") -> list[Signal]:
    """Signals of the days of some months of 2025, with values."""
    return [
        club.signal(
            person, f"{name} {month} {day} {value}", name, value, at=datetime(2025, month, day, tzinfo=UTC)
        )
        for month, day, value in reports
    ]


def dropped(club: Partner, signals: list[Signal]) -> list[int]:
    """Positions of the signals of one envelope that were dropped, all for the calendar."""
    receipt = club.send(*signals)
    assert {one.reason for one in receipt.dropped} <= {FAST}
    ids = [signal.id for signal in signals]
    return [ids.index(one.id) for one in receipt.dropped]


def test_a_month_is_counted_once(club: Partner) -> None:
    """Month by month, in one envelope or several, in any order; a second one of a month is dropped."""
    assert dropped(club, of(club, MONTH, (1, 1, 1), (2, 1, 1), (3, 1, 1))) == []
    assert dropped(club, of(club, MONTH, (5, 1, 1), (4, 1, 1))) == []
    assert dropped(club, of(club, MONTH, (5, 2, 1), (5, 3, 1))) == [0, 1]
    assert dropped(club, of(club, MONTH, (6, 1, 1), (6, 30, 1), (7, 1, 1))) == [1]


def test_thirty_months_in_a_month_are_one(club: Partner) -> None:
    """Whatever the days; another person has months of their own."""
    many = of(club, MONTH, *((1, day, 1) for day in range(1, 31)))
    assert dropped(club, many) == list(range(1, 30))
    assert dropped(club, of(club, MONTH, (1, 1, 1), person="bob")) == []


def test_a_long_membership_may_be_reported_at_once(club: Partner) -> None:
    """Once: what comes after it grows with the calendar; and none began before 1970."""
    assert dropped(club, of(club, MONTH, (1, 1, 240))) == []
    assert dropped(club, of(club, MONTH, (3, 1, 2))) == []
    assert dropped(club, of(club, MONTH, (4, 1, 240))) == [0]
    assert dropped(club, of(club, MONTH, (1, 1, 700), person="bob")) == [0]


def test_days_are_days_of_the_calendar(club: Partner) -> None:
    """31 of January, and no second of the same day; orders of the same day are not concerned."""
    assert dropped(club, of(club, DAY, *((1, day, 1) for day in range(1, 32)))) == []
    again = [club.signal("ada", "again", DAY, 1.0, at=datetime(2025, 1, 31, 12, tzinfo=UTC))]
    assert dropped(club, again) == [0]
    assert dropped(club, of(club, KEPT, *((1, day, 1) for day in range(1, 31)))) == []


def test_what_is_sent_again_is_a_duplicate_and_not_too_fast(club: Partner) -> None:
    """An export that is repeated changes nothing."""
    months = of(club, MONTH, (1, 1, 1), (2, 1, 1), (3, 1, 1))
    assert club.send(*months).accepted == 3
    again = club.send(*months)
    assert (again.accepted, again.duplicates, again.dropped) == (0, 3, ())


def test_what_is_dropped_is_in_no_ledger(club: Partner, hub: Hub) -> None:
    """A verification finds the ledger and the table equal."""
    club.send(*of(club, MONTH, (1, 1, 1), (1, 2, 1)), *of(club, KEPT, (1, 1, 2.0), (1, 2, 1)))
    report = hub.verify_ledger()
    assert (report.differences, report.signals) == ((), 2)


def test_a_month_ahead_of_the_clock_is_in_the_future(club: Partner, clock: Clock) -> None:
    """The rules on time come first."""
    ahead = club.signal("ada", "1", MONTH, 1.0, at=clock.now + timedelta(days=40))
    assert club.send(ahead).dropped[0].reason is DropReason.IN_THE_FUTURE
