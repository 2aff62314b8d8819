"""A plugin under test: loaded as the registry would load it, with the samples that its author gives.

What cannot be asked is not asked: a plugin that does not import has no kinds to look at. So of several
checks only the first that fails is told, and the others are skipped.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any

from attrs import field, frozen

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.interfaces import ScoreConsumer, SignalProvider
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.plugins.discovery import Candidate
from sesame_sdk.plugins.plugin import Plugin
from sesame_sdk.plugins.status import PluginState
from sesame_sdk.testing.contract import provider_checks
from sesame_sdk.testing.contract.consumer_checks import Standing
from sesame_sdk.testing.contract.import_check import Fresh

_is_module = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*").fullmatch
#: One list for the only provider or consumer of a plugin, or a list for each by its name.
Samples = Sequence[Any] | Mapping[str, Sequence[Any]]


def _named(_: object, __: object, value: str) -> None:
    if not _is_module(value):
        raise ConfigurationError("must be the name of a module", field="module", hint="like: sesame_retail")


@frozen(slots=False)
class Tested:
    """A plugin, by its module's name, and the samples to ask it about; see `plugin_contract`."""

    module: str = field(validator=_named)
    events: Samples = ()
    requests: Samples = ()
    points: Sequence[float] = ()
    ordinary: float = 0.0
    strategy: Any = None
    standing: Standing | None = None

    @cached_property
    def fresh(self) -> Fresh:
        """The module in fresh interpreters."""
        return Fresh(self.module)

    @cached_property
    def plugin(self) -> Plugin:
        """The plugin in this process, with what it registers; the guard was not asked."""
        return self.load()

    def load(self) -> Plugin:
        """The same, loaded anew."""
        plugin = Plugin(Candidate(self.module, self.module, "0", lambda: import_module(self.module)))
        plugin.load()
        return plugin

    @property
    def providers(self) -> Iterator[tuple[SignalProvider[Any], Sequence[Any]]]:
        """Each provider with its sample events."""
        offered = self.plugin.offers.providers
        return ((one, _of(self.events, one.name, alone=len(offered) == 1)) for one in offered)

    @property
    def consumers(self) -> Iterator[tuple[ScoreConsumer[Any, Any], Sequence[Any]]]:
        """Each consumer with its sample requests."""
        offered = self.plugin.offers.consumers
        alone = len(offered) == 1
        return ((one, _of(self.requests, one.declaration.name, alone=alone)) for one in offered)

    @property
    def against_kinds(self) -> list[str]:
        """What the guard refuses of what it may say."""
        return _refusals(finding for kind in self.plugin.offers.kinds for finding in Guard().kind(kind))

    @property
    def against_purposes(self) -> list[str]:
        """What the guard refuses of why it reads."""
        declared = self.plugin.offers.declarations
        return _refusals(finding for one in declared for finding in Guard().consumer(one))

    @property
    def missing(self) -> list[str]:
        """Samples that its author still has to give."""
        events = [one.name for one, given in self.providers if not given]
        requests = [one.declaration.name for one, given in self.consumers if not given]
        return [f"provider {name!r} has no sample events: give events=[...]" for name in events] + [
            f"consumer {name!r} has no sample requests: give requests=[...]" for name in requests
        ]

    @property
    def misunderstood(self) -> list[str]:
        """Samples that a provider does not understand."""
        return [fault for one, events in self.providers for fault in provider_checks.understood(one, events)]

    def why_not_register(self) -> str:
        """Why its hooks cannot be looked at; empty if they can."""
        return "it does not import" if self.fresh.first.fault else ""

    def why_not_ask(self) -> str:
        """Why its declarations cannot be looked at; empty if they can."""
        if why := self.why_not_register():
            return why
        return "" if self.plugin.state is PluginState.ACTIVE else "it does not register"

    def why_not_use(self) -> str:
        """Why its objects cannot be used; empty if they can."""
        if why := self.why_not_ask():
            return why
        return "the guard refuses it" if self.against_kinds or self.against_purposes else ""

    def why_not_speak(self) -> str:
        """Why nothing more can be asked of its samples; empty if it can."""
        return self.why_not_use() or ("it does not understand its own samples" if self.misunderstood else "")


def _of(samples: Samples, name: str, *, alone: bool) -> Sequence[Any]:
    if isinstance(samples, Mapping):
        return samples.get(name, ())
    return samples if alone else ()


def _refusals(findings: Iterator[Finding]) -> list[str]:
    return [str(finding) for finding in findings if finding.action is not Action.WARN]
