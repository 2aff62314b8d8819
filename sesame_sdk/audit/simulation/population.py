"""Who is simulated: how many people, in which groups, how groups and behaviour hang together. Nouns only.

Rules:
    * a group has a letter for a name and stands for nobody: the product knows no real person's group
    * by default no group differs in anything; whoever plays a policy says what differs
    * equal settings and an equal seed make equal people
"""

from math import isclose
from typing import Any

from attrs import Attribute, field, frozen, validators

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.validators import Validator

FEWEST_PEOPLE, MOST_PEOPLE = 100, 1_000_000
MOST_GROUPS = 20
MOST_MARKETS = 50
MOST_PARTNERS = 100
FEWEST_DAYS, MOST_DAYS = 28, 3650


def _between(least: float, most: float) -> Validator:
    def check(_: object, attribute: "Attribute[Any]", value: float) -> None:
        model_validators.finite(_, attribute, value)
        if not least <= value <= most:
            raise InvalidInputError(f"must be from {least:g} to {most:g}", field=attribute.name)

    return check


def _whole(least: int, most: int) -> Validator:
    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if type(value) is not int or not least <= value <= most:
            raise InvalidInputError(
                f"must be a whole number from {least:,} to {most:,}", field=attribute.name
            )

    return check


def _adds_up(shares: tuple[float, ...], name: str) -> None:
    if not isclose(sum(shares), 1.0, abs_tol=1e-6):
        raise InvalidInputError("must add up to 1", field=name, hint="give each its part of the whole")


_share = _between(0.001, 1.0)


@frozen
class Group:
    """Some of the people.

    Attributes:
        name: ``group A``; never anybody's real group.
        share: of all people, 0.001 to 1.
        income: what its income is multiplied by.
    """

    name: str = field(validator=model_validators.text(16, pattern=r"group [A-Z]", like="group A"))
    share: float = field(validator=_share)
    income: float = field(default=1.0, validator=_between(0.01, 100.0))


@frozen
class Correlation:
    """How a trait hangs together with the order of the groups, -1 to 1.

    Above 0, the groups named first have more of it; at 0, no group differs.

    Attributes:
        income: money.
        engagement: time, and the wish to take part.
        reliability: how seldom somebody does what lowers a score.
    """

    income: float = field(default=0.0, validator=_between(-1.0, 1.0))
    engagement: float = field(default=0.0, validator=_between(-1.0, 1.0))
    reliability: float = field(default=0.0, validator=_between(-1.0, 1.0))


@frozen
class Market:
    """The partners of a context.

    Attributes:
        context: ``retail``; empty for every context that is not named.
        shares: of the market, one for each partner.
        adoption: share of the people who let a partner of this context send.
    """

    context: str = field(default="", validator=model_validators.text_or_none(32))
    shares: tuple[float, ...] = field(
        default=(0.5, 0.3, 0.2), validator=model_validators.each(_share, at_most=MOST_PARTNERS)
    )
    adoption: float = field(default=0.8, validator=_between(0.01, 1.0))

    def __attrs_post_init__(self) -> None:
        _adds_up(self.shares, "shares")


@frozen
class Leak:
    """How much a free choice changes how often people do what a policy rewards; nothing, by default.

    At 0.2, the option that is rewarded most goes with a fifth more of it, the one that is rewarded least
    with a fifth less.

    Attributes:
        writing: what to write about.
        goods: where goods come from.
        meeting: whom to meet.
    """

    writing: float = field(default=0.0, validator=_between(0.0, 1.0))
    goods: float = field(default=0.0, validator=_between(0.0, 1.0))
    meeting: float = field(default=0.0, validator=_between(0.0, 1.0))


@frozen
class Population:
    """The settings that people are made of.

    Attributes:
        people: how many.
        seed: with which the same people are made again.
        days: how long they are watched.
        groups: in the order that `correlation` speaks of.
        income: median that a person has for a month, in the policy's money.
        income_spread: standard deviation of its logarithm.
        correlation: of groups and traits.
        markets: partners by context; an entry without a context is for all others.
        leak: what free choices do to what is rewarded.
        rationality: how strongly people answer to points: by how much the logarithm of an option's
            odds grows for points as wide as the whole range.
    """

    people: int = field(default=100_000, validator=_whole(FEWEST_PEOPLE, MOST_PEOPLE))
    seed: int = field(default=1, validator=_whole(0, 2**63 - 1))
    days: int = field(default=365, validator=_whole(FEWEST_DAYS, MOST_DAYS))
    groups: tuple[Group, ...] = field(
        default=(Group("group A", 0.5), Group("group B", 0.3), Group("group C", 0.2)),
        validator=model_validators.tuple_of(Group, at_least=1, at_most=MOST_GROUPS),
    )
    income: float = field(default=2000.0, validator=_between(1.0, 1e9))
    income_spread: float = field(default=0.5, validator=_between(0.0, 2.0))
    correlation: Correlation = field(factory=Correlation, validator=validators.instance_of(Correlation))
    markets: tuple[Market, ...] = field(
        default=(), validator=model_validators.tuple_of(Market, at_most=MOST_MARKETS)
    )
    leak: Leak = field(factory=Leak, validator=validators.instance_of(Leak))
    rationality: float = field(default=30.0, validator=_between(0.0, 1000.0))

    def __attrs_post_init__(self) -> None:
        _adds_up(tuple(group.share for group in self.groups), "groups")
        for names in ([group.name for group in self.groups], [market.context for market in self.markets]):
            if len(names) != len(set(names)):
                raise InvalidInputError("must not name one twice", field="groups, markets")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the groups, by number."""
        return tuple(group.name for group in self.groups)

    def market(self, context: str) -> Market:
        """The partners of a context."""
        known = {market.context: market for market in self.markets}
        return known.get(context) or known.get("") or Market(context)
