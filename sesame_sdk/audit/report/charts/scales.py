"""Positions of values on a line, and the format of numbers."""

import calendar
import math
from datetime import date

from attrs import frozen

MINUS = "\N{MINUS SIGN}"
#: For cells without a number.
NONE = "\N{EN DASH}"


@frozen
class Scale:
    """A linear scale from `low` at `start` to `high` at `end`. Values outside get the nearer end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Position of a value."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, max_ticks: int = 6) -> tuple[float, ...]:
        """At most `max_ticks` round values within the scale, rising."""
        step = _round_step((self.high - self.low) / max_ticks)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(number * step for number in range(first, last + 1))


def format_points(value: float) -> str:
    """Format points: at most one decimal; two below 0.1."""
    digits = 1 if abs(value) >= 0.1 else 2
    return _tidy(f"{value:,.{digits}f}")


def format_signed(value: float) -> str:
    """Format points with their sign; zero is ``0``."""
    shown = format_points(value)
    return shown if shown == "0" or value < 0 else f"+{shown}"


def format_share(value: float | None) -> str:
    """Format a share as a percentage: ``42%``, ``3.4%``, ``under 0.1%``."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return "no limit"
    if 0 < value < 0.0005:
        return "under 0.1%"
    percent = value * 100
    return _tidy(f"{percent:.1f}" if abs(percent) < 9.95 else f"{percent:.0f}") + "%"


def format_count(value: int) -> str:
    """Format a whole number."""
    return f"{value:,}"


def format_day(day: date) -> str:
    """Format a date: ``1 November 2026``."""
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


def quote(name: str) -> str:
    """Put a name in quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"


def format_tick(value: float) -> str:
    """Format a number of an axis."""
    return _tidy(f"{value:,.2f}")


def _tidy(shown: str) -> str:
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "0") else shown.replace("-", MINUS)


def _round_step(min_step: float) -> float:
    power = 10.0 ** math.floor(math.log10(min_step))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= min_step * (1 - 1e-9))
