"""Terms of a score: visibility, enrolment, effects, ranking.

Policies and consumers declare them. The guard accepts every default; harmful values exist so that it can
refuse them by name.
"""

from typing import Any

from attrs import Attribute, field, frozen

from sesame_sdk.catalogue.effects import EffectEntry, effects, nearest_effects
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators

#: Rule MIN-1.
ADULT = 18
#: Effects of one policy or consumer.
MAX_EFFECTS = 50


def _percent(_: object, attribute: "Attribute[Any]", value: float) -> None:
    validators.finite(_, attribute, value)
    if not 0 <= value <= 100:
        hint = "write how much less than the ordinary price it is: percent = 5"
        raise InvalidInputError("must be from 0 to 100", field=attribute.name, hint=hint)


def _age(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if type(value) is not int or not 0 <= value <= 150:
        raise InvalidInputError("must be a whole number of years", field=attribute.name)


@frozen
class Effect:
    """An effect of a score: an entry of the catalogue, and the band that it belongs to.

    Attributes:
        effect: id of the entry: ``deposit_waived``. The guard refuses an unknown one.
        band: benefits are for those who reached it; reviews and limits for those below it.
        percent: how much less than the ordinary price, of a discount; 0 for all others.
    """

    effect: str = field(validator=validators.observation)
    band: str = field(validator=validators.text(32))
    percent: float = field(default=0.0, validator=_percent)

    @property
    def known(self) -> EffectEntry | None:
        """The entry; None if the catalogue does not contain it."""
        return effects().get(self.effect)

    @property
    def entry(self) -> EffectEntry:
        """The entry. Raises `InvalidInputError` if the catalogue does not contain it."""
        if (entry := self.known) is None:
            near = ", ".join(nearest_effects(self.effect))
            message = f"the catalogue has no {self.effect}"
            raise InvalidInputError(message, field="effect", hint=f"the nearest entries are {near}")
        return entry

    @property
    def name(self) -> str:
        """The words that people read, in English."""
        return f"{self.percent:g} percent off, as the price list says" if self.percent else self.entry.en


@frozen
class Ranking:
    """The declaration of a ranking that uses a score.

    Attributes:
        parameters: the main parameters, as shown to people, of the closed list: "relevance", "score".
        other_order: the alternative order without the score, of the closed list: "newest first".
    """

    parameters: tuple[str, ...] = field(default=(), validator=validators.texts(20, max_length=64))
    other_order: str = field(default="", validator=validators.optional_text(64))


@frozen
class Terms:
    """The terms for a person who has the score.

    Attributes:
        visibility: ``private`` is the person and readers with a grant (rule VIS-1).
        default_on: whether people are enrolled unless they opt out (rule ENR-1).
        mandatory: whether enrolment is mandatory (rule ENR-1).
        bundled: whether another service requires enrolment (rule ENR-1).
        no_score: treatment of people without a score; ``neutral`` is like all others (rule NOS-1).
        reshare: whether readers may share the score (rule PUR-6).
        minimum_age: minimal age in years (rule MIN-1).
    """

    visibility: str = field(default="private", validator=validators.text(32))
    default_on: bool = field(default=False, validator=validators.instance_of(bool))
    mandatory: bool = field(default=False, validator=validators.instance_of(bool))
    bundled: bool = field(default=False, validator=validators.instance_of(bool))
    no_score: str = field(default="neutral", validator=validators.text(32))
    reshare: bool = field(default=False, validator=validators.instance_of(bool))
    minimum_age: int = field(default=ADULT, validator=_age)
    effects: tuple[Effect, ...] = field(default=(), validator=validators.tuple_of(Effect, MAX_EFFECTS))
    ranking: Ranking | None = field(
        default=None, validator=validators.optional(validators.instance_of(Ranking))
    )
