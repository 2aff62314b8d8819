"""Reads a population from TOML. These are all keys, with their defaults; unknown keys are errors.

people = 100000
seed = 1
days = 365
income = 2000                 # median for a month, in the policy's money
income_spread = 0.5           # standard deviation of its logarithm
rationality = 30              # how strongly people respond to points

[[groups]]                    # names of no real group
name = "group A"
share = 0.6
income = 1.0                  # factor on the income

[correlation]                 # -1 to 1; above 0, the groups named first have more
income = 0.0
engagement = 0.0
reliability = 0.0

[[markets]]
context = "retail"            # default: every context without an entry
shares = [0.5, 0.3, 0.2]      # of each partner
adoption = 0.8                # share of people who let a partner send

[leak]                        # 0 to 1: how much a free choice affects what is rewarded
writing = 0.0
goods = 0.0
meeting = 0.0
"""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from attrs import NOTHING, fields

from sesame_sdk import toml_file
from sesame_sdk.audit.simulation.population import Correlation, Group, Leak, Market, Population
from sesame_sdk.toml_file import TomlDocument

MAX_BYTES = 64 * 1024

T = TypeVar("T")


def _schema(noun: Any, **tables: Any) -> type[msgspec.Struct]:  # noqa: ANN401 - attrs classes and types
    """A schema with the fields of a class; `tables` are the schemas of its nested tables."""
    keys: list[Any] = [(each.name, tables.get(each.name, each.type)) for each in fields(noun)]
    optional = [each.default is not NOTHING for each in fields(noun)]
    return msgspec.defstruct(
        noun.__name__,
        [(*key, msgspec.UNSET) if default else key for key, default in zip(keys, optional, strict=True)],
        forbid_unknown_fields=True,
        frozen=True,
        kw_only=True,
    )


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
