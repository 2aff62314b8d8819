"""Deadlines: business days counted as a slow, obvious count does, and how each stands on a day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sesame_sdk.hub.rights.dispute_model import Deadline, DeadlineStatus, add_business_days

DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))
MANY = st.integers(1, 400)
_SATURDAY = 5


def counted(start: date, days: int) -> date:
    """Day by day."""
    day = start
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day


@given(DAYS, MANY)
@example(date(2026, 6, 5), 1)
@example(date(2026, 6, 6), 5)
@example(date(2026, 6, 7), 5)
def test_business_days_are_those_that_a_calendar_counts(start: date, days: int) -> None:
    """From any day, also one of a weekend."""
    assert add_business_days(start, days) == counted(start, days)


@given(DAYS, MANY, MANY)
def test_business_days_add_up(start: date, some: int, more: int) -> None:
    """And never end on a weekend."""
    end = add_business_days(start, some + more)
    assert add_business_days(add_business_days(start, some), more) == end
    assert end.weekday() < _SATURDAY


@given(DAYS, st.integers(-40, 40), st.none() | st.integers(-40, 40))
def test_a_deadline_lasts_to_the_end_of_its_day(due: date, ahead: int, done: int | None) -> None:
    """Done on the day is kept, a day later late; not done is overdue from the day after."""
    today = due + timedelta(days=ahead)
    done_at = None if done is None else datetime(due.year, due.month, due.day, 23, 59, tzinfo=UTC)
    if done_at and done:
        done_at += timedelta(days=done)
    status = Deadline("decide", due, done_at).status(today)
    if done is not None:
        assert status is (DeadlineStatus.LATE if done > 0 else DeadlineStatus.MET)
    elif ahead > 0:
        assert status is DeadlineStatus.OVERDUE
    else:
        assert status is (DeadlineStatus.DUE_SOON if ahead >= -3 else DeadlineStatus.OPEN)


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        pytest.param(date(2026, 6, 1), date(2026, 6, 8), id="from a Monday to the Monday after"),
        pytest.param(date(2026, 6, 5), date(2026, 6, 12), id="from a Friday to the Friday after"),
        pytest.param(date(2026, 6, 6), date(2026, 6, 12), id="from a Saturday to the Friday after"),
        pytest.param(
            date(2026, 12, 31), date(2027, 1, 7), id="over New Year, which is not known as a holiday"
        ),
    ],
)
def test_five_business_days(opened: date, due: date) -> None:
    """As somebody with a calendar reads FCRA 1681i(a)(2)(A)."""
    assert add_business_days(opened, 5) == due
