"""Finds plugins: entry points, or modules that a program passes itself.

Only metadata is read. No plugin is imported here.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points

from attrs import frozen

from sesame_sdk.hookspecs import PROJECT


@frozen
class Candidate:
    """A plugin that is not imported yet.

    Attributes:
        name: the entry point's name.
        distribution: the distribution's name, in lower case.
        version: the distribution's version.
        load: imports the plugin and returns its module; may raise anything.
    """

    name: str
    distribution: str
    version: str
    load: Callable[[], object]


def find_installed() -> tuple[Candidate, ...]:
    """Every installed plugin, sorted by name and distribution."""
    candidates = (_from_entry_point(entry) for entry in entry_points(group=PROJECT))
    return tuple(sorted(candidates, key=lambda one: (one.name, one.distribution)))


def from_modules(modules: Mapping[str, object]) -> tuple[Candidate, ...]:
    """Plugins of a program that embeds the SDK, or of a test, which are not installed."""
    return tuple(_from_module(name, module) for name, module in sorted(modules.items()))


def _from_module(name: str, module: object) -> Candidate:
    return Candidate(name, name.lower(), str(getattr(module, "__version__", "0")), lambda: module)


def _from_entry_point(entry: EntryPoint) -> Candidate:
    distribution = entry.dist
    if distribution is None:
        return Candidate(entry.name, entry.name.lower(), "0", entry.load)
    return Candidate(entry.name, distribution.name.lower(), distribution.version, entry.load)
