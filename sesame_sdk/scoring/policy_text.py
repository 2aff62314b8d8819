"""A policy in plain English: a sentence for where everybody starts, and one for each kind."""

import re
from decimal import Decimal

from sesame_sdk.model.policy import Policy, Weighting

_CURRENCY = re.compile(r"[A-Z]{3}").fullmatch


def is_money(unit: str) -> bool:
    """Whether a unit is a currency: three capital letters, as ISO 4217 writes them."""
    return bool(_CURRENCY(unit))


def describe_policy(policy: Policy) -> tuple[str, ...]:
    """The policy, in a sentence for each of its rules."""
    bands = ", ".join(f"'{band.name}' from {format_number(band.start)}" for band in policy.bands)
    ends = f"between {format_number(policy.low)} and {format_number(policy.high)}"
    return (
        f"Everybody starts at {format_number(policy.base)} points. A score lies {ends}: {bands}.",
        *(describe_weighting(weighting) for weighting in policy.weightings),
    )


def describe_weighting(weighting: Weighting) -> str:
    """How one kind counts: "Orders that you kept: 4 points each, half as much after 365 days, ..."."""
    rules = filter(None, (_worth(weighting), *_times(weighting), _bounds(weighting), _partner(weighting)))
    return f"{weighting.kind.reason.rstrip('.')}: {', '.join(rules)}."


def describe_range(policy: Policy, *, above: bool) -> str:
    """Why points beyond an end of the range do not count."""
    end = f"above {policy.high:g}" if above else f"below {policy.low:g}"
    return f"The score does not go {end}"


def format_number(amount: float) -> str:
    """A number as people write it: 4, 0.02, 1,000,000."""
    text = format(Decimal(repr(float(amount))), ",f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_points(amount: float) -> str:
    """So many points; one is singular."""
    text = format_number(amount)
    return f"{text} point" if text in ("1", "-1") else f"{text} points"


def _worth(weighting: Weighting) -> str:
    unit = weighting.kind.unit
    each = f"for each {unit}" if is_money(unit) else "each"
    return f"{format_points(weighting.weight)} {each}" if weighting.weight else "no points"


def _times(weighting: Weighting) -> tuple[str, ...]:
    half, end = weighting.half_life_days, weighting.expires_days
    return (
        f"half as much after {_days(half)}" if half else "",
        f"not counted after {_days(end)}" if end else "",
    )


def _bounds(weighting: Weighting) -> str:
    up = f"{format_number(weighting.cap)} at most" if weighting.cap else ""
    down = f"{format_number(weighting.floor)} at worst" if weighting.floor else ""
    return ", ".join(filter(None, (up, down)))


def _partner(weighting: Weighting) -> str:
    way = " either way" if weighting.cap and weighting.floor else ""
    return f"at most {format_number(weighting.partner_cap)}{way} from any one partner"


def _days(days: float) -> str:
    text = format_number(days)
    return f"{text} day" if text == "1" else f"{text} days"
