"""The settings of simulated people: how many, in which groups, and how groups and behaviour correlate.

A group is named by a letter and represents no real group. By default the groups do not differ; a population
file states how they do. Equal settings and an equal seed make equal people.
`examples/population.toml` has every key.
"""

from math import isclose
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from attrs import NOTHING, Attribute, field, fields, frozen, validators

from sesame_sdk import toml_file
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.validators import Validator
from sesame_sdk.toml_file import TomlDocument

MAX_BYTES = 64 * 1024
MIN_PEOPLE, MAX_PEOPLE = 100, 1_000_000
MAX_GROUPS = 20
MAX_MARKETS = 50
MAX_PARTNERS = 100
MIN_DAYS, MAX_DAYS = 28, 3650

T = TypeVar("T")


def _between(low: float, high: float) -> Validator:
    def check(_: object, attribute: "Attribute[Any]", value: float) -> None:
        model_validators.finite(_, attribute, value)
        if not low <= value <= high:
            raise InvalidInputError(f"must be from {low:g} to {high:g}", field=attribute.name)

    return check


def _whole_number(low: int, high: int) -> Validator:
    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if type(value) is not int or not low <= value <= high:
            reason = f"must be a whole number from {low:,} to {high:,}"
            raise InvalidInputError(reason, field=attribute.name)

    return check


def _check_sum(shares: tuple[float, ...], name: str) -> None:
    if not isclose(sum(shares), 1.0, abs_tol=1e-6):
        raise InvalidInputError("must add up to 1", field=name, hint="give each its part of the whole")


_share = _between(0.001, 1.0)


@frozen
class Group:
    """A group of people: its share of all, and the factor of its income. Never named as a real group."""

    name: str = field(validator=model_validators.text(16, pattern=r"group [A-Z]", example="group A"))
    share: float = field(validator=_share)
    income: float = field(default=1.0, validator=_between(0.01, 100.0))


@frozen
class Correlation:
    """How each trait correlates with the order of the groups: above 0, the first groups have more of it."""

    income: float = field(default=0.0, validator=_between(-1.0, 1.0))
    engagement: float = field(default=0.0, validator=_between(-1.0, 1.0))
    reliability: float = field(default=0.0, validator=_between(-1.0, 1.0))


@frozen
class Market:
    """The partners of a context, by their shares; without a context, of every context that is not named.

    `adoption` is the share of the people who let a partner of this context send.
    """

    context: str = field(default="", validator=model_validators.optional_text(32))
    shares: tuple[float, ...] = field(
        default=(0.5, 0.3, 0.2), validator=model_validators.each(_share, max_items=MAX_PARTNERS)
    )
    adoption: float = field(default=0.8, validator=_between(0.01, 1.0))

    def __attrs_post_init__(self) -> None:
        _check_sum(self.shares, "shares")


@frozen
class Leak:
    """How much a free choice changes how often people do what a policy rewards; not at all, by default.

    At 0.2, the option that is rewarded most comes with a fifth more of it, the least with a fifth less.
    """

    writing: float = field(default=0.0, validator=_between(0.0, 1.0))
    goods: float = field(default=0.0, validator=_between(0.0, 1.0))
    meeting: float = field(default=0.0, validator=_between(0.0, 1.0))


@frozen
class Population:
    """The settings of simulated people. `correlation` refers to `groups` in their order.

    `income` is the median for a month, in the policy's money, `income_spread` the standard deviation of its
    logarithm. `rationality` is how strongly people respond to points: growth of the logarithm of an option's
    odds for points as wide as the whole range.
    """

    people: int = field(default=100_000, validator=_whole_number(MIN_PEOPLE, MAX_PEOPLE))
    seed: int = field(default=1, validator=_whole_number(0, 2**63 - 1))
    days: int = field(default=365, validator=_whole_number(MIN_DAYS, MAX_DAYS))
    groups: tuple[Group, ...] = field(
        default=(Group("group A", 0.5), Group("group B", 0.3), Group("group C", 0.2)),
        validator=model_validators.tuple_of(Group, min_items=1, max_items=MAX_GROUPS),
    )
    income: float = field(default=2000.0, validator=_between(1.0, 1e9))
    income_spread: float = field(default=0.5, validator=_between(0.0, 2.0))
    correlation: Correlation = field(factory=Correlation, validator=validators.instance_of(Correlation))
    markets: tuple[Market, ...] = field(
        default=(), validator=model_validators.tuple_of(Market, max_items=MAX_MARKETS)
    )
    leak: Leak = field(factory=Leak, validator=validators.instance_of(Leak))
    rationality: float = field(default=30.0, validator=_between(0.0, 1000.0))

    def __attrs_post_init__(self) -> None:
        _check_sum(tuple(group.share for group in self.groups), "groups")
        for names in ([group.name for group in self.groups], [market.context for market in self.markets]):
            if len(names) != len(set(names)):
                raise InvalidInputError("must not repeat a name", field="groups, markets")

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of the groups, by number."""
        return tuple(group.name for group in self.groups)

    def find_market(self, context: str) -> Market:
        """Find the market of a context, or the one for all others."""
        markets = {market.context: market for market in self.markets}
        return markets.get(context) or markets.get("") or Market(context)


def _schema(noun: Any, **tables: Any) -> type[msgspec.Struct]:  # noqa: ANN401 - attrs classes and types
    """A schema with the fields of a class; `tables` are the schemas of its nested tables."""
    keys: list[Any] = []
    for each in fields(noun):
        key = (each.name, tables.get(each.name, each.type))
        keys.append(key if each.default is NOTHING else (*key, msgspec.UNSET))
    return msgspec.defstruct(noun.__name__, keys, forbid_unknown_fields=True, frozen=True, kw_only=True)


_TABLES: dict[str, Any] = {"groups": Group, "markets": Market, "correlation": Correlation, "leak": Leak}
_SCHEMA = _schema(
    Population,
    groups=list[_schema(Group)],  # type: ignore[misc]
    markets=list[_schema(Market)],  # type: ignore[misc]
    correlation=_schema(Correlation),
    leak=_schema(Leak),
)


def load_population(path: Path) -> Population:
    """Read and check the population in the file `path`; see `parse_population`."""
    return parse_population(toml_file.read_text(path, "population", MAX_BYTES), name=str(path))


def parse_population(text: str, *, name: str = "population") -> Population:
    """Read and check a population in TOML; a ConfigurationError names file, line and key, with a hint."""
    document = TomlDocument(name, text, "population", MAX_BYTES)
    values = _given(document.decode(_SCHEMA))
    for key, noun in _TABLES.items():
        entry = values.get(key)
        if isinstance(entry, list):
            values[key] = tuple(_build(document, noun, each, key, at) for at, each in enumerate(entry))
        elif entry is not None:
            values[key] = _build(document, noun, entry, key)
    with document.locating():
        return Population(**values)


def _build(document: TomlDocument, noun: type[T], entry: msgspec.Struct, *path: str | int) -> T:
    with document.locating(*path):
        return noun(**_given(entry))


def _given(entry: msgspec.Struct) -> dict[str, Any]:
    """The keys that the file has, so that the class supplies the defaults of the others."""
    return {key: value for key, value in msgspec.structs.asdict(entry).items() if value is not msgspec.UNSET}
