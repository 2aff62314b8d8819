"""Parses the fields of an order line.

Files repeat themselves: a few thousand prices, quantities and minutes make up a million lines. So each text
is parsed once and then looked up in a dictionary, without a call; the dictionaries are bounded.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from operator import mul
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from sesame_retail.money import SCALE

_is_quantity = re.compile(r"[+-]?[0-9]{1,9}").fullmatch
_read_price = re.compile(r"([+-]?)([0-9]{1,9})(?:\.([0-9]{1,4}))?").fullmatch
_has_thousands = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?").fullmatch
_is_zero_fraction = re.compile(r"[+-]?[0-9]{1,9}\.0+").fullmatch
_MAX_NAME = 64
_YES = {"1", "true", "yes", "y", "t", "x"}
_MAX_MEMOIZED = 1 << 16
V = TypeVar("V")


class UnreadableFieldError(ValueError):
    """A field that cannot be parsed. The reason never has its text, which may be personal."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MemoizedParser(dict[str, V], Generic[V]):
    """Values by text; a look-up of a new text parses it."""

    def __missing__(self, text: str) -> V:
        """Parse it, or raise `UnreadableFieldError`."""
        if len(self) >= _MAX_MEMOIZED:
            self.clear()
        value = self[text] = self.parse(text)
        return value

    def parse(self, text: str) -> V:
        """The value of one text."""
        raise NotImplementedError


class QuantityParser(MemoizedParser[int]):
    """Parses quantities."""

    def parse(self, text: str) -> int:
        """A whole number; 6.0 is one, from software that knows only fractions."""
        text = text.strip()
        if not _is_quantity(text):
            if not _is_zero_fraction(text):
                raise UnreadableFieldError("unreadable quantity")
            text = text.partition(".")[0]
        return int(text)


class MoneyParser(MemoizedParser[int]):
    """Parses prices or amounts, in ten-thousandths. With a decimal comma, 1.234,50 is 1234.50."""

    def __init__(self, what: str, *, decimal_comma: bool) -> None:
        super().__init__()
        self._what, self._comma = what, decimal_comma

    def parse(self, text: str) -> int:
        """One amount, exact."""
        text = text.strip()
        if self._comma:
            # A dot is only a separator of thousands: 1.5 must not become 15.
            if "." in text and not _has_thousands(text):
                raise UnreadableFieldError(f"unreadable {self._what}")
            text = text.replace(".", "").replace(",", ".")
        match = _read_price(text)
        if not match:
            raise UnreadableFieldError(f"unreadable {self._what}")
        sign, whole, fraction = match.groups()
        parts = int(whole) * SCALE + int((fraction or "").ljust(4, "0"))
        return -parts if sign == "-" else parts


class AmountParser:
    """Computes the amounts of lines, in ten-thousandths: quantity times unit price, or the given amount."""

    def __init__(self, *, decimal_comma: bool) -> None:
        self._counted = (QuantityParser(), MoneyParser("price", decimal_comma=decimal_comma))
        self._stated = (MoneyParser("amount", decimal_comma=decimal_comma),)
        #: A scanner's caches of parsed columns, by the number of columns.
        self.scanner_caches: dict[int, tuple[Any, ...]] = {}

    def parse_columns(self, columns: Sequence[Sequence[str]]) -> Iterator[int]:
        """The amount of each line, from columns of quantities and prices, or of amounts alone.

        The iterator raises `UnreadableFieldError` for the first line that cannot be read.
        """
        parsers = self.parsers(len(columns))
        values = [map(parser.__getitem__, column) for parser, column in zip(parsers, columns, strict=True)]
        return values[0] if len(values) == 1 else map(mul, *values)

    def parsers(self, columns: int) -> tuple[MemoizedParser[int], ...]:
        """The parsers for so many columns."""
        return self._stated if columns == 1 else self._counted


class TimestampParser(MemoizedParser[datetime]):
    """Parses timestamps, in UTC. The form is that of `datetime.strptime`, or ISO 8601 if empty.

    A wrong zone, of texts without one, would move orders over midnight.
    """

    def __init__(self, form: str = "", zone: ZoneInfo | None = None) -> None:
        super().__init__()
        self._form = form
        self._zone: tzinfo = UTC if zone is None or zone.key == "UTC" else zone

    def parse(self, text: str) -> datetime:
        """One timestamp."""
        try:
            read = self._parsed(text.strip())
            if read.tzinfo is None:
                read = read.replace(tzinfo=self._zone)
            at = read if read.tzinfo is UTC else read.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise UnreadableFieldError("unreadable date") from error
        if at.year < 1970:
            raise UnreadableFieldError("date before 1970")
        return at

    def _parsed(self, text: str) -> datetime:
        if self._form:
            return datetime.strptime(text, self._form)  # noqa: DTZ007 - the zone is added later
        return datetime.fromisoformat(text)


class CustomerParser(MemoizedParser[str | None]):
    """Parses the shop's numbers for its customers; None for an empty one."""

    def parse(self, text: str) -> str | None:
        """One number."""
        if text and not _is_name(text):
            raise UnreadableFieldError("unreadable customer")
        return text or None


def parse_number(text: str) -> str:
    """An invoice number."""
    if not _is_name(text):
        raise UnreadableFieldError("unreadable invoice number" if text else "no invoice number")
    return text


def parse_flag(text: str) -> bool:
    """Whether a flag is set; anything but a plain yes is a no."""
    return text.strip().lower() in _YES


def _is_name(text: str) -> bool:
    # Undecodable bytes are lone surrogates here, which are not printable: two customers whose numbers
    # were mangled in the same way must not become one.
    return 0 < len(text) <= _MAX_NAME and text.isprintable()
