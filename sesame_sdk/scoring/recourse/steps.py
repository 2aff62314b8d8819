"""The nouns of climbing: who can send a kind, so many units of it, and the ladder that they are rungs of.

A kind can be climbed if it takes effort, is the person's own conduct, and more of it lifts and can never
lower. One that can go both ways is none: its words could not say which way to go.
"""

from collections.abc import Mapping

from attrs import frozen

from sesame_sdk.model.policy import Weighting
from sesame_sdk.model.signals import Conduct
from sesame_sdk.scoring.hypothetical import Held

#: How the name of a partner begins who is new to the person; no issuer's does.
NEW = "\0"


@frozen
class Senders:
    """Who can send a kind for a person.

    Attributes:
        partners: issuers of those who may now.
        further: how many others can say it, whom the person does not use.
    """

    partners: tuple[str, ...] = ()
    further: int = 0


@frozen
class OptionStep:
    """So many units, and what they come to.

    Attributes:
        units: how many.
        places: of them, at each partner; a name that `is_new` stands for one who is new to the person.
        hundredths: what they add.
        effort: what they take.
    """

    units: int
    places: tuple[tuple[str, int], ...]
    hundredths: int
    effort: float


@frozen
class Option:
    """How one kind can be climbed.

    Attributes:
        weighting: the kind.
        unit: value of the signal of today that one unit is worth.
        partners: at whom, the ones that take most units first.
        held: what the kind stands at.
        now: hundredths that it adds already.
        step: units from one rung to the next.
        most: how many rungs.
    """

    weighting: Weighting
    unit: float
    partners: tuple[str, ...]
    held: tuple[Held, ...]
    now: int
    step: int
    most: int

    def with_units(self, places: Mapping[str, int], today: int) -> list[Held]:
        """Somebody who has of this kind what the person has, and so many units more."""
        kind = self.weighting.kind.name
        more = (Held(partner, kind, units * self.unit, today) for partner, units in places.items())
        return [*self.held, *more]

    def rung(self, places: Mapping[str, int], parts: Mapping[str, int]) -> OptionStep:
        """What came of trying so many units."""
        units = sum(places.values())
        effort = round((self.weighting.effort or 0.0) * units, 9)
        return OptionStep(units, tuple(places.items()), parts[self.weighting.kind.name] - self.now, effort)


def is_new(partner: str) -> bool:
    """Whether this stands for a partner whom the person does not use yet."""
    return partner.startswith(NEW)


def can_climb(weighting: Weighting) -> bool:
    """Whether a person can lift their score by more of this kind, and by it alone."""
    own = weighting.kind.conduct is Conduct.OWN
    lifts = weighting.weight > 0 and weighting.cap > 0 and not weighting.can_lower
    return own and lifts and weighting.effort is not None
