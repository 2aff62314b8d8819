"""Terms of a score: visibility, enrolment, effects, ranking.

Policies and consumers declare them. The guard accepts every default; harmful values exist so that it can
refuse them by name.
"""

from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators

#: Rule MIN-1.
ADULT = 18
#: Effects of one policy or consumer: the guard checks every word of them.
MAX_EFFECTS = 50


class Consequence(StrEnum):
    """What an effect does to a person, from a benefit to exclusion."""

    BENEFIT = "benefit"
    REVIEW = "review"
    LIMIT = "limit"
    SUSPENSION = "suspension"
    BAN = "ban"

    @property
    def weight(self) -> int:
        """0 for a benefit, increasing with severity."""
        return list(Consequence).index(self)


class Decider(StrEnum):
    """What decides on an effect: the score alone, or a person who can overturn it."""

    SCORE = "score"
    PERSON = "person"


class Side(StrEnum):
    """The people with an effect: those who have reached a band, or those below it."""

    FROM = "from"
    BELOW = "below"


def _percent(_: object, attribute: "Attribute[Any]", value: float) -> None:
    validators.finite(_, attribute, value)
    if not -100 <= value <= 1000:
        raise InvalidInputError("must be from -100 to 1000", field=attribute.name)


def _age(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if type(value) is not int or not 0 <= value <= 150:
        raise InvalidInputError("must be a whole number of years", field=attribute.name)


@frozen
class Effect:
    """An effect of a score.

    Attributes:
        name: text shown to people: "No deposit".
        side: whether it applies to those who have reached the band, or to those below it.
        price_percent: change of the regular price; below 0 is a discount.
        disclosed: whether people without this price are told about it.
    """

    name: str = field(validator=validators.text(200))
    band: str = field(validator=validators.text(32))
    side: Side = field(default=Side.FROM, validator=validators.instance_of(Side))
    consequence: Consequence = field(
        default=Consequence.BENEFIT, validator=validators.instance_of(Consequence)
    )
    decides: Decider = field(default=Decider.SCORE, validator=validators.instance_of(Decider))
    price_percent: float = field(default=0.0, validator=_percent)
    disclosed: bool = field(default=False, validator=validators.instance_of(bool))


@frozen
class Ranking:
    """The declaration of a ranking that uses a score.

    Attributes:
        parameters: the main parameters, as shown to people: "relevance", "score".
        other_order: the alternative order without the score: "newest first".
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
