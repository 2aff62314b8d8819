"""What a setting asks for: told in words, read from text, and checked. Pure."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from attrs import Attribute, frozen

from sesame_sdk.constants import MAX_URL_LENGTH
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators


@frozen
class SettingType:
    """An attrs validator that can say what it wants.

    It raises `InvalidInputError`, and never repeats what it refuses.

    Attributes:
        words: what it wants, to stand after "must be".
        good: whether a value is that.
        read: the value that a text of a flag or of the environment stands for; the text itself where it can
            be none, so that it is refused like any other.
    """

    words: str
    good: Callable[[Any], bool]
    read: Callable[[str], object] = str

    def __call__(self, _: object, attribute: "Attribute[Any]", value: object) -> None:
        """Pass, or raise `InvalidInputError`."""
        if not self.good(value):
            raise InvalidInputError(f"must be {self.words}", field=attribute.name)


def whole(least: int, most: int) -> SettingType:
    """A whole number within bounds. A bool is none, and ``1_0`` is none in a text."""

    def good(value: object) -> bool:
        return type(value) is int and least <= value <= most

    return SettingType(
        f"a whole number from {least} to {most}",
        good,
        lambda text: int(text) if re.fullmatch(r"[0-9]{1,18}", text) else text,
    )


def text(longest: int, words: str) -> SettingType:
    """Some text, but not of spaces alone."""
    return SettingType(
        words, lambda value: isinstance(value, str) and 0 < len(value.strip()) <= len(value) <= longest
    )


def one_of(*choices: str) -> SettingType:
    """One of a few words."""
    return SettingType(
        f"one of {', '.join(choices)}", lambda value: isinstance(value, str) and value in choices
    )


def _is_url(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MAX_URL_LENGTH
        and bool(re.fullmatch(validators.URL_PATTERN, value))
    )


def _is_address(value: object) -> bool:
    found = (
        re.fullmatch(r"([^\s:/@]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})", value) if isinstance(value, str) else None
    )
    return value == "" or (found is not None and 0 < int(found[2]) <= 65_535)


def _as_day(text: str) -> object:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text or None


URL = SettingType("a URL like https://hub.example", _is_url)
ADDRESS = SettingType("host:port like 127.0.0.1:9464, or empty for none", _is_address)
#: A datetime is a date too, and would name a moment of the day.
DAY = SettingType("a day like 2026-06-01", lambda value: value is None or type(value) is date, _as_day)
