"""Days by which a right must be met. Pure.

Rules:
    * a day is a UTC day, and a deadline lasts to the end of its day
    * the day on which the time begins to run is not counted
    * business days are Monday to Friday. Public holidays differ from place to place and are not known
      here, so where one falls into the time the law may allow a day more than is shown
"""

from datetime import date, datetime, timedelta
from enum import StrEnum

from attrs import frozen

#: Source: FCRA 1681i(a)(2)(A), (a)(1)(A), (a)(1)(B), (a)(6)(A).
TELL_SOURCE = 5
DECIDE = 30
EXTENSION = 15
TELL_RESULT = 5
#: Ours; GDPR 12(3) allows a month.
REVIEW = 14
#: A deadline this near is pointed out.
SOON = 3
_SATURDAY, _WEEK, _WORKING = 5, 7, 5


class DeadlineStatus(StrEnum):
    """How it stands with a deadline."""

    KEPT = "kept"
    LATE = "late"
    OPEN = "open"
    SOON = "soon"
    OVERDUE = "overdue"


@frozen
class Deadline:
    """Something that must be done by the end of a day.

    Attributes:
        what: in words.
        due: the last day.
        done_at: when it was done, if it was; UTC.
    """

    what: str
    due: date
    done_at: datetime | None = None

    def standing(self, today: date) -> DeadlineStatus:
        """How it stands on a day."""
        if self.done_at is not None:
            return DeadlineStatus.KEPT if self.done_at.date() <= self.due else DeadlineStatus.LATE
        if today > self.due:
            return DeadlineStatus.OVERDUE
        return DeadlineStatus.SOON if (self.due - today).days <= SOON else DeadlineStatus.OPEN


def after_business_days(start: date, days: int) -> date:
    """The business day that is so many after `start`; `start` itself is not counted.

    Args:
        start: any day, also one of a weekend.
        days: 1 or more.
    """
    # From a weekend it is counted as from the Friday before.
    monday_based = min(start.weekday(), _SATURDAY - 1)
    friday_or_before = start - timedelta(days=start.weekday() - monday_based)
    weeks, further = divmod(monday_based + days, _WORKING)
    return friday_or_before + timedelta(days=weeks * _WEEK + further - monday_based)
