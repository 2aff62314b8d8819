"""Computes the deadlines of people's rights. Pure.

Rules:
    * a day is a UTC day, and a deadline is met until the end of its day
    * the day on which the period starts is not counted
    * business days are Monday to Friday. Public holidays are not considered: where one falls into the period,
      the law may allow a day more than is shown
"""

from datetime import date, datetime, timedelta
from enum import StrEnum

from attrs import frozen

#: Source: FCRA 1681i(a)(2)(A), (a)(1)(A), (a)(1)(B), (a)(6)(A).
NOTIFY_SOURCE_DAYS = 5
DECISION_DAYS = 30
EXTENSION_DAYS = 15
NOTIFY_RESULT_DAYS = 5
#: Ours; GDPR 12(3) allows a month.
REVIEW_DAYS = 14
#: A deadline this near counts as due soon.
DUE_SOON_DAYS = 3
_SATURDAY, _DAYS_PER_WEEK, _BUSINESS_DAYS_PER_WEEK = 5, 7, 5


class DeadlineStatus(StrEnum):
    """Whether a deadline was met, or when it is due."""

    MET = "met"
    LATE = "late"
    OPEN = "open"
    DUE_SOON = "due soon"
    OVERDUE = "overdue"


@frozen
class Deadline:
    """A task, for people to read, that must be done by the end of the day `due`."""

    task: str
    due: date
    done_at: datetime | None = None

    def status(self, today: date) -> DeadlineStatus:
        """The status on a day."""
        if self.done_at is not None:
            return DeadlineStatus.MET if self.done_at.date() <= self.due else DeadlineStatus.LATE
        if today > self.due:
            return DeadlineStatus.OVERDUE
        return DeadlineStatus.DUE_SOON if (self.due - today).days <= DUE_SOON_DAYS else DeadlineStatus.OPEN


def add_business_days(start: date, days: int) -> date:
    """The business day that is `days` (1 or more) after `start`, which is not counted."""
    # A weekend counts like the Friday before it.
    weekday = min(start.weekday(), _SATURDAY - 1)
    business_day = start - timedelta(days=start.weekday() - weekday)
    weeks, remainder = divmod(weekday + days, _BUSINESS_DAYS_PER_WEEK)
    return business_day + timedelta(days=weeks * _DAYS_PER_WEEK + remainder - weekday)
