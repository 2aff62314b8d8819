"""The catalogue of effects: what may follow from a score. Policies and consumers name its entries."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType

import msgspec
from attrs import frozen

from sesame_sdk.catalogue.closed_lists import DPV, closed_lists, find_refusing_rule, nearest, read_toml
from sesame_sdk.catalogue.observations import Gravity, Language


class Consequence(StrEnum):
    """What an effect does to a person. There is none that is heavier."""

    BENEFIT = "benefit"
    REVIEW = "review"
    LIMIT = "limit"


class Decider(StrEnum):
    """What decides on an effect: the score alone, or a person who can overturn it."""

    SCORE = "score"
    PERSON = "person"


class Side(StrEnum):
    """The people with an effect: those who have reached a band, or those below it."""

    FROM = "from"
    BELOW = "below"


@frozen
class EffectEntry:
    """One effect. `effects.toml` has the entries and explains the attributes.

    Attributes:
        direction: benefits are for those who reached a band, reviews and limits for those below it.
        purposes: that it serves, without DPV's namespace.
        en, zh: the words that a person reads.
        without: what people without a score get.
        excludes: what the entry is never about.
        gravity: the lowest gravity of conduct that may bring it; None for a benefit.
        priced: whether a policy states its percentage.
        ranks: whether it needs a declared ranking.
    """

    direction: Side
    consequence: Consequence
    purposes: tuple[str, ...]
    en: str
    zh: str
    without: str
    excludes: tuple[str, ...]
    burden: str
    source: str
    reasoning: str
    decides: Decider = Decider.SCORE
    gravity: Gravity | None = None
    priced: bool = False
    ranks: bool = False

    @property
    def purpose_iris(self) -> tuple[str, ...]:
        """The IRIs of its purposes."""
        return tuple(name if ":" in name else f"{DPV}{name}" for name in self.purposes)

    def words(self, language: Language = "en") -> str:
        """The words that a person reads."""
        return self.zh if language == "zh" else self.en


@cache
def effects() -> Mapping[str, EffectEntry]:
    """The catalogue, by id."""
    return MappingProxyType(msgspec.convert(read_toml("effects.toml"), dict[str, EffectEntry]))


def nearest_effects(name: str) -> tuple[str, ...]:
    """The three entries that are most like an unknown one."""
    return nearest(name, {key: entry.en for key, entry in effects().items()})


def rule_against(name: str) -> str | None:
    """The rule that refuses an effect of this name for ever; None if there is none."""
    if name in effects():
        return None
    return find_refusing_rule(name, closed_lists().refused_effects)
