"""The closed lists: spheres of life, bands, rankings, currencies, source systems, and refused names.

Each file of the catalogue is read when it is first needed.
"""

import tomllib
from collections.abc import Collection, Mapping
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Final

import msgspec
from attrs import frozen

#: Namespaces of the W3C Data Privacy Vocabulary, and of its categories of personal data.
DPV: Final = "https://w3id.org/dpv#"
PD: Final = "https://w3id.org/dpv/pd#"


@frozen
class ClosedLists:
    """The contents of `closed_lists.toml`, which explains each.

    Attributes:
        sources: the events of each source system.
        refused_observations, refused_effects: names that can never be approved, by rule.
    """

    contexts: tuple[str, ...]
    bands: tuple[str, ...]
    ranking_parameters: tuple[str, ...]
    ranking_orders: tuple[str, ...]
    currencies: str
    sources: Mapping[str, tuple[str, ...]]
    refused_observations: Mapping[str, tuple[str, ...]]
    refused_effects: Mapping[str, tuple[str, ...]]


def read_toml(name: str) -> dict[str, Any]:
    """The values of a file of the catalogue."""
    from importlib.resources import files  # many processes need no catalogue

    return tomllib.loads((files("sesame_sdk.catalogue") / name).read_text(encoding="utf-8"))


@cache
def closed_lists() -> ClosedLists:
    """The closed lists."""
    return msgspec.convert(read_toml("closed_lists.toml"), ClosedLists)


@cache
def currencies() -> frozenset[str]:
    """The codes of ISO 4217 that are in circulation."""
    return frozenset(closed_lists().currencies.split())


def is_source(reads: str) -> bool:
    """Whether ``system: event`` is a source system of the list and one of its events."""
    system, _, event = reads.partition(": ")
    return event in closed_lists().sources.get(system, ())


def find_refusing_rule(name: str, refused: Mapping[str, Collection[str]]) -> str | None:
    """The rule that refuses a name by one of the lists: the longest words of it in a row."""
    words = name.split("_")
    ends = range(1, len(words) + 1)
    parts = {"_".join(words[start:end]) for end in ends for start in range(end)}
    matches = ((len(part), rule) for rule, names in refused.items() for part in parts.intersection(names))
    return max(matches, key=lambda match: match[0], default=(0, None))[1]


def nearest(name: str, texts: Mapping[str, str], count: int = 3) -> tuple[str, ...]:
    """The entries most like `name`, by their ids and their texts; the nearest first."""
    words = set(name.split("_"))

    def distance(entry: str) -> tuple[float, str]:
        shared = len(words & set(f"{entry}_{texts[entry]}".casefold().replace(" ", "_").split("_")))
        return (-shared - SequenceMatcher(None, name, entry).ratio(), entry)

    return tuple(sorted(texts, key=distance)[:count])
