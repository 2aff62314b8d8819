"""The options of a person: kinds of which they can do more, and what more units of each add.

Rules:
    * more of a kind is an option only if the person can act on it (`is_actionable`), and only at partners
      that can send it: those that may for this person, or others on the hub
    * the headroom of a kind and of each partner limits what units add: the caps, less the sums of the scoring
      SQL. Both are whole micropoints, so the result is exactly that of the SQL
    * units are placed first where they count in full, then where a partner's headroom is less than one unit
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from attrs import frozen

from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import Conduct
from sesame_sdk.scoring.policy_text import is_money
from sesame_sdk.scoring.scorecard import MICROPOINTS, MICROPOINTS_PER_HUNDREDTH, to_hundredths

#: Steps of one option that a search compares; where units are more, a step is a round number of them.
MAX_STEPS = 60
#: More signals, or more money, than anybody would be advised to add.
MAX_UNITS, MAX_MONEY = 1_000, 1_000_000
#: Partners new to the person in one option.
MAX_NEW_PARTNERS = 3
#: Prefix of the name of a partner that is new to the person; no issuer begins with it.
_NEW = "\0"


@frozen
class Senders:
    """Who can send a kind for a person.

    Attributes:
        partners: issuers of the partners that may now.
        further: how many other partners, whom the person does not use, can send it.
    """

    partners: tuple[str, ...] = ()
    further: int = 0


class OptionStep(NamedTuple):
    """A number of units and what they come to."""

    units: int
    hundredths: int
    effort: float


@frozen
class Option:
    """One kind of which a person can do more.

    Attributes:
        weighting: the kind.
        unit: micropoints of one unit.
        sums: micropoints of each partner's signals today, uncapped.
        blocks: at which partner to add how many units, in the order in which they add most.
    """

    weighting: Weighting
    unit: int
    sums: Mapping[str, int]
    blocks: tuple[tuple[str, int], ...]

    def places(self, units: int) -> dict[str, int]:
        """How many of the units to add at each partner."""
        places: dict[str, int] = {}
        for partner, size in self.blocks:
            if taken := min(units, size):
                places[partner] = places.get(partner, 0) + taken
                units -= taken
        return places

    def hundredths(self, units: int) -> int:
        """Hundredths of a point that the units add."""
        return self._part(self.places(units)) - self._part({})

    def units_for(self, wanted: int) -> int:
        """The fewest units that add `wanted` hundredths, or as many as there is headroom for."""
        limit = MAX_MONEY if is_money(self.weighting.kind.unit) else MAX_UNITS
        capacity = min(sum(size for _, size in self.blocks), limit)
        return bisect_left(range(capacity), min(wanted, self.hundredths(capacity)), key=self.hundredths)

    def step(self, units: int) -> OptionStep:
        """What a number of units comes to."""
        effort = round((self.weighting.effort or 0.0) * units, 9)
        return OptionStep(units, self.hundredths(units), effort)

    def steps(self, wanted: int) -> list[OptionStep]:
        """Up to `MAX_STEPS` steps towards `wanted` hundredths, each adding more than the one before."""
        enough = self.units_for(wanted)
        size = next(size for size in _round_numbers() if size * MAX_STEPS >= enough)
        rising: list[OptionStep] = []
        for units in range(size, enough + size, size):
            step = self.step(min(units, enough))
            if step.hundredths > (rising[-1].hundredths if rising else 0):
                rising.append(step)
        return rising

    def _part(self, places: Mapping[str, int]) -> int:
        limit = to_hundredths(self.weighting.partner_cap) * MICROPOINTS_PER_HUNDREDTH
        sums = (
            self.sums.get(partner, 0) + places.get(partner, 0) * self.unit
            for partner in {**self.sums, **places}
        )
        total = sum(max(-limit, min(limit, micropoints)) for micropoints in sums)
        floor, cap = (
            to_hundredths(points) * MICROPOINTS_PER_HUNDREDTH
            for points in (self.weighting.floor, self.weighting.cap)
        )
        bounded = max(floor, min(cap, total))
        return (bounded + MICROPOINTS_PER_HUNDREDTH // 2) // MICROPOINTS_PER_HUNDREDTH


def list_options(
    policy: Policy, sums: Mapping[str, Mapping[str, int]], senders: Mapping[str, Senders]
) -> list[Option]:
    """The options of a person.

    Args:
        policy: how the score is made.
        sums: micropoints by kind and partner; see `hypothetical.sum_by_partner`.
        senders: for each kind, who can send it.
    """
    options = []
    for weighting in filter(is_actionable, policy.weightings):
        kind = weighting.kind.name
        unit = math.floor(weighting.weight * MICROPOINTS + 0.500001)  # as the scoring SQL rounds it
        of_kind = sums.get(kind, {})
        if unit > 0:
            blocks = _blocks(weighting, unit, of_kind, _partners(senders.get(kind, Senders()), of_kind))
            options.append(Option(weighting, unit, of_kind, blocks))
    return options


def is_actionable(weighting: Weighting) -> bool:
    """Whether a person can raise their score by more of this kind, and only raise it.

    It must take effort, be the person's own conduct, and never lower the score: the text of a kind that can
    do both could not say which way to go.
    """
    own = weighting.kind.conduct is Conduct.OWN
    raises = weighting.weight > 0 and weighting.cap > 0 and not weighting.can_lower
    return own and raises and weighting.effort is not None


def is_new(partner: str) -> bool:
    """Whether this stands for a partner that the person does not use yet."""
    return partner.startswith(_NEW)


def _partners(senders: Senders, sums: Mapping[str, int]) -> tuple[str, ...]:
    """Known and new partners, without those whose signals take points so far, if there are others."""
    new = [f"{_NEW}{number}" for number in range(min(senders.further, MAX_NEW_PARTNERS))]
    partners = [*sorted(set(senders.partners)), *new]
    return tuple(partner for partner in partners if sums.get(partner, 0) >= 0) or tuple(partners)


def _blocks(
    weighting: Weighting, unit: int, sums: Mapping[str, int], partners: Iterable[str]
) -> tuple[tuple[str, int], ...]:
    limit = to_hundredths(weighting.partner_cap) * MICROPOINTS_PER_HUNDREDTH
    headroom = {partner: max(limit - sums.get(partner, 0), 0) for partner in partners}
    full = {partner: space // unit for partner, space in headroom.items()}
    rest = {partner: space % unit for partner, space in headroom.items()}
    return (
        *((partner, full[partner]) for partner in sorted(full, key=lambda each: (is_new(each), -full[each]))),
        *((partner, 1) for partner in sorted(rest, key=lambda each: -rest[each]) if rest[partner]),
    )


def _round_numbers() -> Iterable[int]:
    return (figure * 10**zeros for zeros in range(7) for figure in (1, 2, 5))
