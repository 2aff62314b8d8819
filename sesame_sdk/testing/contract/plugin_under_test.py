"""A plugin under test: loaded as the registry would load it, with the samples that its author gives.

A plugin that does not import has no kinds to check. So each requirement that failed is a reason to skip
those that depend on it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar

import pytest
from attrs import field, frozen

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.interfaces import ScoreConsumer, SignalProvider
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.plugins.plugin import Candidate, Plugin, PluginState
from sesame_sdk.testing.contract import provider_checks
from sesame_sdk.testing.contract.consumer_checks import Benefit
from sesame_sdk.testing.contract.import_check import FreshImports

#: Faults that one test shows.
MAX_SHOWN = 20
_is_module = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*").fullmatch
#: A list for the only provider or consumer of a plugin, or a list for each by its name.
Samples = Sequence[Any] | Mapping[str, Sequence[Any]]


def _check_module(_: object, __: object, value: str) -> None:
    if not _is_module(value):
        raise ConfigurationError("must be the name of a module", field="module", hint="like: sesame_retail")


@frozen(slots=False)
class PluginUnderTest:
    """A plugin, by its module's name, and the samples to test it with; see `plugin_contract`."""

    module: str = field(validator=_check_module)
    events: Samples = ()
    requests: Samples = ()
    points: Sequence[float] = ()
    base_points: float = 0.0
    strategy: Any = None
    benefit: Benefit | None = None

    @cached_property
    def fresh(self) -> FreshImports:
        """The module in fresh interpreters."""
        return FreshImports(self.module)

    @cached_property
    def plugin(self) -> Plugin:
        """The plugin in this process, with what it registers, before the guard."""
        return self.load()

    def load(self) -> Plugin:
        """The same, loaded again."""
        plugin = Plugin(Candidate(self.module, self.module, "0", lambda: import_module(self.module)))
        plugin.load()
        return plugin

    @property
    def providers(self) -> Iterator[tuple[SignalProvider[Any], Sequence[Any]]]:
        """Each provider with its sample events."""
        offered = self.plugin.results.providers
        return ((one, _samples_of(self.events, one.name, alone=len(offered) == 1)) for one in offered)

    @property
    def consumers(self) -> Iterator[tuple[ScoreConsumer[Any, Any], Sequence[Any]]]:
        """Each consumer with its sample requests."""
        offered = self.plugin.results.consumers
        alone = len(offered) == 1
        return ((one, _samples_of(self.requests, one.declaration.name, alone=alone)) for one in offered)

    @property
    def kind_refusals(self) -> list[str]:
        """Why the guard refuses its kinds."""
        return _refusals(
            finding for kind in self.plugin.results.kinds for finding in Guard().check_kind(kind)
        )

    @property
    def purpose_refusals(self) -> list[str]:
        """Why the guard refuses its purposes and terms."""
        declared = self.plugin.results.declarations
        return _refusals(finding for one in declared for finding in Guard().check_consumer(one))

    @property
    def missing_samples(self) -> list[str]:
        """Providers and consumers without samples."""
        events = [one.name for one, given in self.providers if not given]
        requests = [one.declaration.name for one, given in self.consumers if not given]
        return [f"provider {name!r} has no sample events: give events=[...]" for name in events] + [
            f"consumer {name!r} has no sample requests: give requests=[...]" for name in requests
        ]

    @property
    def rejected_samples(self) -> list[str]:
        """Sample events that a provider does not accept."""
        return [fault for one, events in self.providers for fault in provider_checks.rejections(one, events)]

    @property
    def import_failure(self) -> str:
        """Why nothing of it can be tested; empty if it can."""
        return "it does not import" if self.fresh.first.error else ""

    @property
    def registration_failure(self) -> str:
        """Why its declarations cannot be tested; empty if they can."""
        if failure := self.import_failure:
            return failure
        return "" if self.plugin.state is PluginState.ACTIVE else "it does not register"

    @property
    def guard_failure(self) -> str:
        """Why its providers and consumers cannot be tested; empty if they can."""
        if failure := self.registration_failure:
            return failure
        return "the guard refuses it" if self.kind_refusals or self.purpose_refusals else ""

    @property
    def sample_failure(self) -> str:
        """Why no more can be tested with its sample events; empty if it can."""
        return self.guard_failure or ("it does not accept its own samples" if self.rejected_samples else "")


class PluginTests:
    """Base of the classes that test a plugin."""

    tested: ClassVar[PluginUnderTest]


def skip_if(reason: str) -> None:
    """Skip the test if there is a reason to."""
    if reason:
        pytest.skip(reason)


def fail_on(faults: Iterable[str]) -> None:
    """Fail the test with a line for each fault; empty ones do not count."""
    shown = list(dict.fromkeys(fault for fault in faults if fault))
    more = [f"and {len(shown) - MAX_SHOWN} more"] if len(shown) > MAX_SHOWN else []
    if shown:
        pytest.fail("\n".join([*shown[:MAX_SHOWN], *more]), pytrace=False)


def _samples_of(samples: Samples, name: str, *, alone: bool) -> Sequence[Any]:
    if isinstance(samples, Mapping):
        return samples.get(name, ())
    return samples if alone else ()


def _refusals(findings: Iterator[Finding]) -> list[str]:
    return [str(finding) for finding in findings if finding.action is not Action.WARN]
