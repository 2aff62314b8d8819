"""The W3C Data Privacy Vocabulary (DPV) 2.3: purposes and categories of personal data, with their hierarchy.

The text files in `guard/vocabularies` state their licence and format. Each is read when first needed.
"""

import re
from collections.abc import Iterator, Mapping, Set
from functools import cache
from types import MappingProxyType
from typing import Literal

from sesame_sdk.catalogue.closed_lists import DPV as DPV
from sesame_sdk.catalogue.closed_lists import PD as PD


@cache
def load_hierarchy(name: Literal["purposes", "categories"]) -> Mapping[str, tuple[str, ...]]:
    """Each purpose, or category of personal data, to those one step broader, by name."""
    from importlib.resources import files  # many processes need no vocabulary

    file = files("sesame_sdk.guard") / "vocabularies" / f"dpv_{name}.txt"
    return parse_hierarchy(file.read_text(encoding="utf-8"))


def parse_hierarchy(text: str) -> Mapping[str, tuple[str, ...]]:
    """Each term of a vocabulary to the terms one step broader."""
    broader: dict[str, tuple[str, ...]] = {}
    head = ""
    for word in re.sub("#.*", "", text).split():
        if word.endswith(":"):
            head = word[:-1]
        else:
            broader[word] = broader.get(word, ()) + (() if head == "-" else (head,))
    return MappingProxyType(broader)


def walk_broader(term: str, broader: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """`term`, then the terms one step broader, then two, and so on. No term twice, so that a cycle ends."""
    seen: set[str] = set()
    level: tuple[str, ...] = (term,)
    while level:
        yield level
        seen.update(level)
        above = (wider for narrow in level for wider in broader.get(narrow, ()))
        level = tuple(wider for wider in dict.fromkeys(above) if wider not in seen)


def find_nearest_rule(
    term: str, broader: Mapping[str, tuple[str, ...]], refused: Mapping[str, Set[str]]
) -> str | None:
    """The rule in `refused` that names `term` or the nearest broader term; of equally near ones the first."""
    levels = walk_broader(term, broader)
    named = (rule for level in levels for rule, names in refused.items() if not names.isdisjoint(level))
    return next(named, None)
