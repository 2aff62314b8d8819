"""Policies: how the score of a context is computed. Loaded by `scoring.policy_file`, checked by the guard."""

from typing import Any

from attrs import Attribute, field, frozen

from sesame_sdk.constants import MAX_POINTS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Terms

#: Three lifetimes.
MAX_DAYS = 100_000


def _points(_: object, attribute: "Attribute[Any]", value: float) -> None:
    _weight(_, attribute, value)
    if round(value * 100) / 100 != value:
        raise InvalidInputError(
            "must be whole hundredths", field=attribute.name, hint="write two decimals at most"
        )


def _weight(_: object, attribute: "Attribute[Any]", value: float) -> None:
    validators.finite(_, attribute, value)
    if abs(value) > MAX_POINTS:
        raise InvalidInputError(f"must be at most {MAX_POINTS:,} either way", field=attribute.name)


def _version(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if type(value) is not int or not 1 <= value < 1 << 31:
        raise InvalidInputError("must be a whole number from 1", field=attribute.name)


@frozen
class Band:
    """A named part of the range, from `start` points up to the next band."""

    name: str = field(validator=validators.text(32))
    start: float = field(validator=_points)


@frozen
class Weighting:
    """How signals of one kind count. Points are per unit of value.

    Attributes:
        kind: the kind; its reason is shown to people beside the points. It must equal the registered kind.
        weight: points for a value of 1 that happened today. Its sign is that of the observation's polarity.
        floor: minimum of the sum of all signals of the kind; 0 for what raises.
        cap: maximum of that sum; 0 for what lowers.
        partner_cap: maximal absolute sum of the signals of one partner.
        half_life_days: days after which a signal counts half; None means no decay.
        expires_days: days after which a signal no longer counts; None means no end.
        effort: effort of a person for 1 more, in any unit that the policy's kinds share; None means that a
            person can only wait.
        code: reason code, short and stable; empty means the observation's id.
    """

    kind: SignalKind = field(validator=validators.instance_of(SignalKind))
    weight: float = field(validator=_weight)
    floor: float = field(validator=_points)
    cap: float = field(validator=_points)
    partner_cap: float = field(validator=_points)
    half_life_days: float | None = field(default=None, validator=validators.optional(validators.finite))
    expires_days: float | None = field(default=None, validator=validators.optional(validators.finite))
    effort: float | None = field(default=None, validator=validators.optional(validators.finite))
    code: str = field(default="", validator=validators.optional_text(32))

    def __attrs_post_init__(self) -> None:
        if self.floor > 0:
            raise InvalidInputError("must be 0 or less", field="floor")
        if self.cap < 0:
            raise InvalidInputError("must be 0 or more", field="cap")
        if self.partner_cap <= 0:
            raise InvalidInputError("must be more than 0", field="partner_cap")
        if self.effort is not None and not 0 < self.effort <= MAX_POINTS:
            raise InvalidInputError(f"must be more than 0 and at most {MAX_POINTS:,}", field="effort")
        for name in ("half_life_days", "expires_days"):
            days = getattr(self, name)
            if days is not None and not 0 < days <= MAX_DAYS:
                raise InvalidInputError(f"must be more than 0 and at most {MAX_DAYS:,}", field=name)

    @property
    def can_lower(self) -> bool:
        """Whether this kind can lower a score."""
        return self.floor < 0


@frozen
class Policy:
    """The rules by which a person's signals become a score in one context.

    Attributes:
        version: a whole number that grows with every change.
        base: points of a person whose signals add nothing.
        bands: ascending, the first at `low`.
        weightings: one for each kind that counts.
        purposes: IRIs of the purposes for which its score may be read.
        disputes: where a person disputes a signal: an address or a page (rule DSP-1).
        disputed_count: whether disputed signals count (rule DSP-1).
        digest: SHA-256 over the RFC 8785 JSON of all the above, base64url; see `codec.policy_digest`.
    """

    name: str = field(validator=validators.text(64))
    version: int = field(validator=_version)
    context: str = field(validator=validators.context)
    base: float = field(validator=_points)
    low: float = field(validator=_points)
    high: float = field(validator=_points)
    bands: tuple[Band, ...] = field(validator=validators.tuple_of(Band, min_items=1))
    weightings: tuple[Weighting, ...] = field(validator=validators.tuple_of(Weighting, min_items=1))
    purposes: tuple[str, ...] = ()
    disputes: str = field(default="", validator=validators.optional_text(256))
    disputed_count: bool = field(default=False, validator=validators.instance_of(bool))
    terms: Terms = field(factory=Terms, validator=validators.instance_of(Terms))
    digest: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.low <= self.base <= self.high or self.low == self.high:
            raise InvalidInputError("low, base and high must ascend in this order", field="range")
        starts = [band.start for band in self.bands]
        if starts != sorted(set(starts)) or starts[0] != self.low or starts[-1] >= self.high:
            raise InvalidInputError(
                "must start at the low end of the range and ascend within it", field="bands"
            )
        names = [weighting.kind.name for weighting in self.weightings]
        if len(names) != len(set(names)):
            twice = next(name for name in names if names.count(name) > 1)
            raise InvalidInputError(f"{twice} is a duplicate", field="kinds", hint="merge the two entries")
        known = {band.name for band in self.bands}
        for effect in self.terms.effects:
            if effect.band not in known:
                raise InvalidInputError(f"{effect.effect} names an unknown band", field="effects")

    def band(self, points: float) -> str:
        """Name of the band of these points."""
        return next(band.name for band in reversed(self.bands) if points >= band.start)
