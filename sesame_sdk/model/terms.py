"""On what terms a score is carried and used: who sees it, how one joins, what follows from it.

A policy and a consumer both state them. Every default is the one that the guard lets pass; what is
harmful can be written down so that it can be refused by name.
"""

from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen, validators

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators

#: Rule MIN-1.
ADULT = 18
#: Effects that one policy or consumer states at most: the guard reads every word of them.
MAX_EFFECTS = 50


class Consequence(StrEnum):
    """What an effect does to a person, from a kindness to the end of the service."""

    BENEFIT = "benefit"
    REVIEW = "review"
    LIMIT = "limit"
    SUSPENSION = "suspension"
    BAN = "ban"

    @property
    def weight(self) -> int:
        """0 for a benefit, and one more for each step that is harder to bear."""
        return list(Consequence).index(self)


class Decider(StrEnum):
    """Who decides that an effect comes about: the score by itself, or a person who may overturn it."""

    SCORE = "score"
    PERSON = "person"


class Side(StrEnum):
    """Whom an effect meets: those who have reached a band, or those below it."""

    FROM = "from"
    BELOW = "below"


def _percent(_: object, attribute: "Attribute[Any]", value: float) -> None:
    model_validators.finite(_, attribute, value)
    if not -100 <= value <= 1000:
        raise InvalidInputError("must be from -100 to 1000", field=attribute.name)


def _age(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if type(value) is not int or not 0 <= value <= 150:
        raise InvalidInputError("must be a whole number of years", field=attribute.name)


@frozen
class Effect:
    """One thing that follows from a score.

    Attributes:
        name: what happens, in the words that people are told: "No deposit".
        band: name of a band.
        side: whether it meets those who have reached the band, or those below it.
        consequence: how heavy it is.
        decides: the score alone, or a person with the power to overturn it.
        price_percent: what it changes of the ordinary price; below 0 is a discount.
        disclosed: whether those who do not get the price are told that others do.
    """

    name: str = field(validator=model_validators.text(200))
    band: str = field(validator=model_validators.text(32))
    side: Side = field(default=Side.FROM, validator=validators.instance_of(Side))
    consequence: Consequence = field(
        default=Consequence.BENEFIT, validator=validators.instance_of(Consequence)
    )
    decides: Decider = field(default=Decider.SCORE, validator=validators.instance_of(Decider))
    price_percent: float = field(default=0.0, validator=_percent)
    disclosed: bool = field(default=False, validator=validators.instance_of(bool))


@frozen
class Ranking:
    """How a ranking that uses a score keeps people free of it.

    Attributes:
        parameters: the main parameters, as people are shown them: "relevance", "score".
        other_order: the order that is always offered without the score: "newest first".
    """

    parameters: tuple[str, ...] = field(default=(), validator=model_validators.texts(20, max_length=64))
    other_order: str = field(default="", validator=model_validators.optional_text(64))


@frozen
class Terms:
    """What a person is subject to who carries the score.

    Attributes:
        visibility: who sees it; ``private`` is the person and whom they let read (rule VIS-1).
        default_on: whether people are in unless they say no (rule ENR-1).
        mandatory: whether they must join (rule ENR-1).
        bundled: whether something else depends on joining (rule ENR-1).
        no_score: how people without a score are treated; ``neutral`` is like everybody (rule NOS-1).
        reshare: whether readers may pass the score on (rule PUR-6).
        minimum_age: the youngest who may carry it, in years (rule MIN-1).
        effects: what follows from it.
        ranking: how profiles are ranked by it, if they are (rule MAT-1).
    """

    visibility: str = field(default="private", validator=model_validators.text(32))
    default_on: bool = field(default=False, validator=validators.instance_of(bool))
    mandatory: bool = field(default=False, validator=validators.instance_of(bool))
    bundled: bool = field(default=False, validator=validators.instance_of(bool))
    no_score: str = field(default="neutral", validator=model_validators.text(32))
    reshare: bool = field(default=False, validator=validators.instance_of(bool))
    minimum_age: int = field(default=ADULT, validator=_age)
    effects: tuple[Effect, ...] = field(
        default=(), validator=model_validators.tuple_of(Effect, max_items=MAX_EFFECTS)
    )
    ranking: Ranking | None = field(
        default=None, validator=validators.optional(validators.instance_of(Ranking))
    )
