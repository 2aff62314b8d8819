"""From values to places on a line, and how numbers are written for people."""

import calendar
import math
from datetime import date

from attrs import frozen

MINUS = "\N{MINUS SIGN}"
#: For places without a number.
NONE = "\N{EN DASH}"


@frozen
class Scale:
    """A line from `low` at `start` to `high` at `end`. What lies outside is drawn at the nearer end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where a value lies; an infinite one at its end."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> tuple[float, ...]:
        """At most `most` round values within the line, rising."""
        step = _round_step((self.high - self.low) / most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(number * step for number in range(first, last + 1))


def points(value: float) -> str:
    """Points as people read them: at most one decimal, hundredths only where there is no more."""
    digits = 1 if abs(value) >= 0.1 else 2
    return _tidy(f"{value:,.{digits}f}")


def signed(value: float) -> str:
    """The same with its sign; nothing is ``0``."""
    shown = points(value)
    return shown if shown == "0" or value < 0 else f"+{shown}"


def share(value: float | None) -> str:
    """A share as a percentage: ``42%``, ``3.4%``, ``under 0.1%``."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return "no limit"
    if 0 < value < 0.0005:
        return "under 0.1%"
    percent = value * 100
    return _tidy(f"{percent:.1f}" if abs(percent) < 9.95 else f"{percent:.0f}") + "%"


def count(value: int) -> str:
    """People and the like."""
    return f"{value:,}"


def day(when: date) -> str:
    """A date in words: ``1 November 2026``."""
    return f"{when.day} {calendar.month_name[when.month]} {when.year}"


def quoted(name: str) -> str:
    """A name within a sentence."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"


def tick(value: float) -> str:
    """A number beside an axis."""
    return _tidy(f"{value:,.2f}")


def _tidy(shown: str) -> str:
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "0") else shown.replace("-", MINUS)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= least * (1 - 1e-9))
