"""Reads the payloads of webhooks, which may hold anything."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from sesame_retail.money import SCALE, Currencies
from sesame_retail.webhooks.reconciliation import OrderReport, RefundReport
from sesame_sdk import Skipped

_is_name = re.compile(r"[0-9A-Za-z_.:/-]{1,64}").fullmatch
_MAX_AMOUNT = Decimal(10) ** 13


class UnreadablePayloadError(ValueError):
    """A payload that cannot be read; its text is the reason."""


@frozen
class ShopRules:
    """A shop's rules for its orders; staff are numbers or tags of customers who work for it."""

    currencies: Currencies = field(factory=Currencies)
    staff: frozenset[str] = frozenset({"staff"})


@frozen
class PrivacyRequest:
    """A request that a platform passes on, for access or erasure (GDPR 15, 17).

    Attributes:
        customer: the shop's number; None if it concerns the whole shop.
        orders: that it names.
    """

    topic: str
    customer: str | None
    orders: tuple[str, ...]


#: What a webhook says.
Report = OrderReport | RefundReport | PrivacyRequest | Skipped


def read_name(payload: Mapping[str, Any], key: str) -> str:
    """A number or a short name."""
    value = read_text(payload, key)
    if not _is_name(value):
        raise UnreadablePayloadError(f"unreadable {key}")
    return value


def read_text(payload: Mapping[str, Any], key: str) -> str:
    """A text, or a number as it was written; empty if it is missing or null."""
    value = payload.get(key)
    if value is None:
        return ""
    # The app reads numbers as text. Anything else may be nested so deeply that its text cannot be made.
    if not isinstance(value, str):
        raise UnreadablePayloadError(f"unreadable {key}")
    return value


def read_timestamp(payload: Mapping[str, Any], key: str) -> datetime:
    """A timestamp, in UTC; one without a zone is in UTC."""
    try:
        read = datetime.fromisoformat(payload[key])
        at = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnreadablePayloadError(f"unreadable {key}") from error
    if at.year < 1970:
        raise UnreadablePayloadError(f"{key} before 1970")
    return at


def read_amount(payload: Mapping[str, Any], key: str) -> int:
    """An amount, in millionths; at most six decimals."""
    try:
        # ArithmeticError: an exponent that no decimal can hold, before or after the multiplication.
        parts = Decimal(read_text(payload, key)) * SCALE
    except ArithmeticError as error:
        raise UnreadablePayloadError(f"unreadable {key}") from error
    if not parts.is_finite() or abs(parts) > _MAX_AMOUNT * SCALE or parts != parts.to_integral_value():
        raise UnreadablePayloadError(f"unreadable {key}")
    return int(parts)


def convert_amount(parts: int, currency: object, rules: ShopRules) -> tuple[int, str]:
    """An amount in the currency in which it is sent, and that currency."""
    code = currency if isinstance(currency, str) else ""
    amount, unit = rules.currencies.convert(parts, code), rules.currencies.sent_currency(code)
    if amount is None or unit is None:
        raise UnreadablePayloadError("another currency")
    return amount, unit


def read_object(payload: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An object; empty if it is missing or null."""
    value = payload.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadablePayloadError(f"unreadable {key}")
    return value


def read_objects(values: object) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; none if there is no list."""
    if values is None:
        return
    if not isinstance(values, list) or not all(isinstance(member, dict) for member in values):
        raise UnreadablePayloadError("unreadable list")
    yield from values
