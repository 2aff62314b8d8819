"""A policy in plain English: a sentence for where everybody starts, and one for each kind."""

import re
from decimal import Decimal

from sesame_sdk.model.policy import Policy, Weighting


def is_money(unit: str) -> bool:
    """Whether a unit is a currency: three capital letters, as ISO 4217 writes them."""
    return bool(re.fullmatch("[A-Z]{3}", unit))


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
    unit, half, end = weighting.kind.unit, weighting.half_life_days, weighting.expires_days
    weight, cap, floor = weighting.weight, weighting.cap, weighting.floor
    each = f"for each {unit}" if is_money(unit) else "each"
    way = " either way" if cap and floor else ""
    rules = (
        f"{format_points(weight)} {each}" if weight else "no points",
        f"half as much after {_days(half)}" if half else "",
        f"not counted after {_days(end)}" if end else "",
        f"{format_number(cap)} at most" if cap else "",
        f"{format_number(floor)} at worst" if floor else "",
        f"at most {format_number(weighting.partner_cap)}{way} from any one partner",
    )
    return f"{weighting.kind.reason.rstrip('.')}: {', '.join(filter(None, rules))}."


def format_number(amount: float) -> str:
    """A number as people write it: 4, 0.02, 1,000,000."""
    text = format(Decimal(repr(float(amount))), ",f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_points(amount: float) -> str:
    """So many points; one is singular."""
    text = format_number(amount)
    return f"{text} point" if text in ("1", "-1") else f"{text} points"


def _days(days: float) -> str:
    text = format_number(days)
    return f"{text} day" if text == "1" else f"{text} days"
