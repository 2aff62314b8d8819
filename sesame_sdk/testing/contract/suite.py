"""The contract of a plugin: a pytest class with one test for each requirement.

    TestContract = plugin_contract("sesame_retail", events=[Order(...), ...])

pytest collects it under that name, in any repository. A failure lists what is wrong, a line each, and how
to fix it. A plugin that does not import has no kinds to check: tests that cannot run because an earlier
requirement failed are skipped.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import click
import pytest
from attrs import field, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.interfaces import ScoreConsumer, SignalProvider
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.plugins.isolation import collect_commands
from sesame_sdk.plugins.plugin import Candidate, Plugin, PluginState
from sesame_sdk.testing.contract import checks, interpreters
from sesame_sdk.testing.contract.checks import Benefit
from sesame_sdk.testing.contract.interpreters import ImportResult

#: Faults that one test shows.
MAX_SHOWN = 20
_is_module = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*").fullmatch
#: A list for the only provider or consumer of a plugin, or a list for each by its name.
Samples = Sequence[Any] | Mapping[str, Sequence[Any]]
#: Names that a plugin's command cannot take; a test compares them with the command line's own.
BUILT_IN = (
    *("audit", "disputes", "doctor", "explain", "grants", "hub", "keys", "notices", "observations"),
    *(
        "outbox",
        "partners",
        "people",
        "plugins",
        "policy",
        "post",
        "receipts",
        "registrations",
        "score",
        "store",
        "streams",
    ),
)


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
    def first_import(self) -> ImportResult:
        """Its first import in a fresh interpreter."""
        return interpreters.import_in_fresh_interpreter(self.module)

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
        kinds = self.plugin.results.kinds
        return _refusals(finding for kind in kinds for finding in Guard().check_kind(kind))

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
        return [fault for one, events in self.providers for fault in checks.rejections(one, events)]

    @property
    def import_failure(self) -> str:
        """Why nothing of it can be tested; empty if it can."""
        return "it does not import" if self.first_import.error else ""

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
    return [str(finding) for finding in findings if finding.action is Action.REFUSE]


class PluginContract:
    """What the SDK requires of a plugin: of its loading, its providers and its consumers."""

    tested: ClassVar[PluginUnderTest]

    def test_it_imports(self) -> None:
        """It imports in an interpreter that has imported nothing else."""
        fail_on([self.tested.first_import.error])

    def test_importing_it_is_silent(self) -> None:
        """Importing it writes nothing to stdout, which is for data, and opens no connection."""
        skip_if(self.tested.import_failure)
        first = self.tested.first_import
        printed = ["importing it writes to stdout"] if first.printed else []
        fail_on([*printed, *(f"importing it uses the network: {event}" for event in first.network_events)])

    def test_importing_it_is_quick(self) -> None:
        """Importing it takes under 150 ms, sesame_sdk included; see `interpreters`."""
        skip_if(self.tested.import_failure)
        first = self.tested.first_import
        fail_on([interpreters.describe_slowness(self.tested.module, first.seconds)])

    def test_its_api_version_is_supported(self) -> None:
        """It declares SESAME_API, and this SDK supports that version."""
        skip_if(self.tested.import_failure)
        plugin = self.tested.plugin
        fail_on([plugin.reason] if plugin.state is PluginState.INCOMPATIBLE else [])

    def test_its_hooks_register(self) -> None:
        """Hooks are spelt right and return what their signatures declare."""
        skip_if(self.tested.import_failure)
        plugin = self.tested.plugin
        fail_on([plugin.reason] if plugin.state is PluginState.DISABLED else [])

    def test_its_commands_can_be_added(self) -> None:
        """Its hook adds click commands, and none under the name of another command."""
        skip_if(self.tested.registration_failure)
        group = click.Group(commands={name: click.Command(name) for name in BUILT_IN})
        try:
            collect_commands(self.tested.load(), group)  # a new load: one whose commands fail is disabled
        except ConfigurationError as error:
            fail_on([str(error)])

    def test_its_kinds_pass_the_guard(self) -> None:
        """The guard refuses none of its kinds."""
        skip_if(self.tested.registration_failure)
        fail_on(self.tested.kind_refusals)

    def test_its_purposes_pass_the_guard(self) -> None:
        """The guard refuses none of its purposes, nor the terms on which it uses scores."""
        skip_if(self.tested.registration_failure)
        fail_on(self.tested.purpose_refusals)

    def test_it_has_samples(self) -> None:
        """Every provider has sample events and every consumer sample requests."""
        skip_if(self.tested.guard_failure)
        fail_on(self.tested.missing_samples)

    def test_its_samples_are_accepted(self) -> None:
        """`signals()` answers each sample event with signals, or with `Skipped` and a reason."""
        skip_if(self.tested.guard_failure)
        fail_on(self.tested.rejected_samples)

    def test_signals_are_of_declared_kinds(self) -> None:
        """No signal is of a kind that the provider does not declare."""
        self._check_providers(checks.undeclared_kinds)

    def test_every_declared_kind_has_a_sample(self) -> None:
        """Some sample gives each declared kind: people should not be asked to agree to unused kinds."""
        self._check_providers(checks.unused_kinds)

    def test_ids_are_deterministic(self) -> None:
        """Event and pseudonymizer determine ids and pseudonyms; an id holds its time and names one signal."""
        self._check_providers(checks.invalid_ids)

    def test_natural_keys_hold_no_time(self) -> None:
        """A record that is exported again with another time gives the same natural keys."""
        self._check_providers(checks.keys_with_a_time)

    def test_signals_has_no_side_effects(self) -> None:
        """`signals()` uses no file, socket, process or database, and leaves the event unchanged."""
        self._check_providers(checks.side_effects_of)

    def test_signals_is_repeatable(self) -> None:
        """`signals()` gives the same for the same event, whatever it was called with in between."""
        self._check_providers(checks.differences)

    def test_signals_is_the_same_in_another_process(
        self, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        """`signals()` gives the same, to the last bit, in a process with another hash seed."""
        if not interpreters.is_child():
            skip_if(self.tested.sample_failure)
            skip_if("" if self.tested.plugin.results.providers else "it has no provider")
            skip_if("" if self._is_repeatable() else "signals() differs within one process")
        output = b"".join(checks.encode_output(*each) for each in self.tested.providers)
        fail_on([interpreters.compare(request, tmp_path, output)])

    def test_hostile_events_are_rejected(self) -> None:
        """An event with one invalid field raises `InvalidInputError`, is skipped, or gives valid signals."""
        self._check_providers(checks.unhandled_events)

    def test_generated_events_are_handled(self) -> None:
        """Whatever the strategy generates gives the same twice, is rejected, or is skipped."""
        skip_if(self.tested.sample_failure)
        skip_if("no strategy was given" if self.tested.strategy is None else "")
        for provider, _ in self.tested.providers:
            _check_generated(provider, self.tested.strategy)

    def test_its_signals_reach_the_hub(self, tmp_path: Path) -> None:
        """Sent by a real client, every signal is stored by a real hub once, unchanged."""
        skip_if(self.tested.sample_failure)
        for number, (provider, events) in enumerate(self.tested.providers):
            fail_on(checks.delivery_faults(provider, events, tmp_path / f"hub{number}"))

    def _is_repeatable(self) -> bool:
        both = (checks.differences, checks.invalid_ids)
        return not any(any(check(*one)) for one in self.tested.providers for check in both)

    def _check_providers(self, check: Callable[..., Iterable[str]]) -> None:
        skip_if(self.tested.sample_failure)
        for provider, events in self.tested.providers:
            if events:  # `test_it_has_samples` reports those without
                fail_on(check(provider, events))

    def test_subjects_is_pure(self) -> None:
        """`subjects()` gives the same pseudonyms each time, without side effects."""
        self._check_consumers(checks.subject_faults)

    def test_use_is_pure(self) -> None:
        """`use()` gives the same answer each time, without side effects."""
        self._check_consumers(checks.use_faults, self.tested.points)

    def test_missing_scores_are_handled(self) -> None:
        """`use()` answers whichever of the subjects have no score."""
        self._check_consumers(checks.missing_score_faults, self.tested.points)

    def test_no_score_is_no_disadvantage(self) -> None:
        """A subject without a score gets at least what it would get with the base score (NOS-1)."""
        skip_if("" if self.tested.benefit else "no benefit was given")
        self._check_consumers(checks.disadvantages, self.tested.base_points, self.tested.benefit)

    def _check_consumers(self, check: Callable[..., Iterable[str]], *given: Any) -> None:  # noqa: ANN401
        skip_if(self.tested.guard_failure)
        for consumer, requests in self.tested.consumers:
            fail_on(check(consumer, requests, *given))


def plugin_contract(
    module: str,
    *,
    events: Samples = (),
    requests: Samples = (),
    strategy: SearchStrategy[Any] | None = None,
    points: Sequence[float] = (350.0, 550.0, 950.0),
    base_points: float = 500.0,
    benefit: Benefit | None = None,
) -> type[PluginContract]:
    """A pytest class that tests a plugin against the contract.

    Args:
        module: the module that its entry point names.
        events: valid sample events of its provider, which together give every kind that it declares;
            where it has several providers, a list for each by name.
        requests: sample requests of its consumer, in the same way.
        strategy: generates further events, valid or not, with Hypothesis.
        points: scores that the policy of the consumer's context can give.
        base_points: the score that this policy starts everybody at.
        benefit: how well a subject does in an answer, given both; more is better. With it the contract
            also tests that a subject without a score is at no disadvantage.

    Raises:
        ConfigurationError: `module` is not the name of a module.
    """
    tested = PluginUnderTest(module, events, requests, points, base_points, strategy, benefit)
    applicable = {
        "test_generated_events_are_handled": strategy is not None,
        "test_no_score_is_no_disadvantage": benefit is not None,
        "test_signals_is_the_same_in_another_process": bool(events),
    }
    # Left out and not skipped: a skipped test would look like a fault of the plugin.
    left_out = {name: None for name, applies in applicable.items() if not applies}
    return type("PluginContract", (PluginContract,), {"tested": tested, **left_out})


def _check_generated(provider: SignalProvider[Any], strategy: SearchStrategy[Any]) -> None:
    @settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strategy)
    def check(event: object) -> None:
        result = checks.call_signals(provider, event)
        repeated = result == checks.call_signals(provider, event)
        faults = (result.error, "" if repeated else "signals() gives something else the second time")
        fail_on([f"a generated event: {fault}" for fault in faults if fault])

    check()
