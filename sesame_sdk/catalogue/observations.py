"""The catalogue of observations: what a kind of signal may record, and what follows from that.

A kind names one entry, and takes everything else from it: polarity, evidence, categories, the defaults of a
policy, and the words that a person reads. An entry has no place for whose conduct it is: it is the person's
own.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from attrs import Attribute, field, fields, frozen

from sesame_sdk.catalogue.closed_lists import PD, closed_lists, find_refusing_rule, nearest, read_toml
from sesame_sdk.errors import ConfigurationError, InvalidInputError

Language = Literal["en", "zh"]
#: Characters of a text of a proposed entry.
MAX_TEXT = 300
_MAX_BYTES = 16 * 1024
_MAX_ITEMS = 10


class Evidence(StrEnum):
    """How the provider knows. An inference may never lower a score (rule INF-1)."""

    OBSERVED = "observed"
    DECLARED = "declared"
    INFERRED = "inferred"


class Polarity(StrEnum):
    """Whether an observation raises a score or lowers it. It fixes the sign of its weight."""

    RAISES = "raises"
    LOWERS = "lowers"


class Measure(StrEnum):
    """What a value is: 1 an event, an amount of money, months or days."""

    COUNT = "count"
    MONEY = "money"
    MONTHS = "months"
    DAYS = "days"


class Gravity(StrEnum):
    """How grave the conduct is that lowers a score. No effect may be heavier (rule PRP-1)."""

    MINOR = "minor"
    SERIOUS = "serious"
    GRAVE = "grave"

    @property
    def weight(self) -> int:
        """1 to 3."""
        return list(Gravity).index(self) + 1


class Sensitivity(StrEnum):
    """What an observation reveals about a person."""

    ORDINARY = "ordinary"
    FINANCIAL = "financial"


def _text(_: object, attribute: "Attribute[Any]", value: object) -> None:
    name = attribute.name
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise InvalidInputError("must be text", field=name, hint="write a sentence")
    if len(value) > MAX_TEXT:
        raise InvalidInputError(f"must be at most {MAX_TEXT} characters", field=name, hint="shorten it")


def _names(_: object, attribute: "Attribute[Any]", value: object) -> None:
    name = attribute.name
    if not isinstance(value, tuple) or not 1 <= len(value) <= _MAX_ITEMS:
        raise InvalidInputError(f"must have 1 to {_MAX_ITEMS} members", field=name, hint="list them")
    for member in value:
        _text(_, attribute, member)


def _optional_names(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if value != ():
        _names(_, attribute, value)


def _days(_: object, attribute: "Attribute[Any]", value: float | None) -> None:
    if value is not None and not 0 < value <= 100_000:
        message = "must be more than 0 and at most 100,000"
        raise InvalidInputError(message, field=attribute.name, hint="correct it")


@frozen
class Observation:
    """One thing that may be observed. `observations.toml` has the entries and explains the attributes.

    Attributes:
        reads: source system and event: ``orders: completed``.
        computed: what the value is computed from.
        excludes: what it is never computed from, nor selected by.
        contexts: spheres of life.
        unit: of a count: what one is; empty for other measures.
        categories: terms of W3C DPV-PD, without their namespace.
        gravity: of what lowers; None for what raises.
        monthly: the most events of one person in a month that are usual.
        amount: the largest mean value that is usual; of money only.
        en, zh: the words that a person reads, in English and Chinese.

    Raises:
        InvalidInputError: a text or a list is empty or too long, or a number of days is out of range.
    """

    reads: str = field(validator=_text)
    computed: str = field(validator=_text)
    contexts: tuple[str, ...] = field(validator=_names)
    measure: Measure
    polarity: Polarity
    categories: tuple[str, ...] = field(validator=_names)
    en: str = field(validator=_text)
    zh: str = field(validator=_text)
    source: str = field(validator=_text)
    reasoning: str = field(validator=_text)
    unit: str = ""
    excludes: tuple[str, ...] = field(default=(), validator=_optional_names)
    gravity: Gravity | None = None
    evidence: Evidence = Evidence.OBSERVED
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    half_life_days: float | None = field(default=None, validator=_days)
    expires_days: float | None = field(default=None, validator=_days)
    effort: float | None = field(default=None, validator=_days)
    monthly: float = field(default=31.0, validator=_days)
    amount: float | None = field(default=None, validator=_days)

    @property
    def lowers(self) -> bool:
        """Whether it lowers a score."""
        return self.polarity is Polarity.LOWERS

    @property
    def category_iris(self) -> tuple[str, ...]:
        """The IRIs of its categories."""
        return tuple(f"{PD}{name}" for name in self.categories)

    def reason(self, language: Language = "en") -> str:
        """The words that a person reads beside the points."""
        return self.zh if language == "zh" else self.en


@cache
def observations() -> Mapping[str, Observation]:
    """The catalogue, by id."""
    return MappingProxyType(msgspec.convert(read_toml("observations.toml"), dict[str, Observation]))


def nearest_observations(name: str) -> tuple[str, ...]:
    """The three entries that are most like an unknown one."""
    return nearest(name, {key: entry.en for key, entry in observations().items()})


def rule_against(name: str) -> str | None:
    """The rule that refuses an observation of this name for ever; None if there is none."""
    if name in observations():
        return None
    return find_refusing_rule(name, closed_lists().refused_observations)


def parse_observation(table: Mapping[str, Any]) -> Observation:
    """The entry that a table of a TOML file proposes.

    Raises:
        InvalidInputError: a key is unknown or missing, or a value is invalid.
    """
    keys = [attribute.name for attribute in fields(Observation)]
    if unknown := sorted(table.keys() - set(keys)):
        raise InvalidInputError("unknown key", field=unknown[0], hint=f"the keys are {', '.join(keys)}")
    try:
        return msgspec.convert(dict(table), Observation)
    except msgspec.ValidationError as error:
        raise InvalidInputError(str(error)[:400], field="observation", hint="correct the entry") from error


def load_proposal(path: Path) -> tuple[str, Observation]:
    """The id and the entry of a file that proposes one observation, written as in `observations.toml`.

    Raises:
        ConfigurationError: it cannot be read, or is not one entry.
    """
    hint = "write one table as in the catalogue: sesame observations show"
    try:
        with path.open("rb") as file:
            values = tomllib.loads(file.read(_MAX_BYTES).decode())
        tables = msgspec.convert(values, dict[str, dict[str, Any]])
        entries = {name: parse_observation(table) for name, table in tables.items()}
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", field=str(path), hint=hint) from error
    except ValueError as error:  # no TOML, not UTF-8, or not an entry
        raise ConfigurationError(f"is no entry: {error}"[:400], field=str(path), hint=hint) from error
    if len(entries) != 1:
        raise ConfigurationError(f"has {len(entries)} entries, not one", field=str(path), hint=hint)
    return next(iter(entries.items()))
