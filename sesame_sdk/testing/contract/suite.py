"""The contract of a plugin: a pytest class with one test for each requirement.

    TestContract = plugin_contract("sesame_retail", events=[Order(...), ...])

pytest collects it under that name, in any repository. A failure lists what is wrong, a line each, and how
to fix it. Tests that cannot run because an earlier requirement failed are skipped.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.interfaces import SignalProvider
from sesame_sdk.plugins.isolation import collect_commands
from sesame_sdk.plugins.plugin import PluginState
from sesame_sdk.testing.contract import consumer_checks, provider_checks, subprocess_rerun
from sesame_sdk.testing.contract.consumer_checks import Benefit
from sesame_sdk.testing.contract.plugin_under_test import (
    PluginTests,
    PluginUnderTest,
    Samples,
    fail_on,
    skip_if,
)

#: Names that a plugin's command cannot take; a test compares them with the command line's own.
BUILT_IN = (
    *("audit", "disputes", "doctor", "explain", "grants", "hub", "keys", "notices", "outbox", "partners"),
    *("people", "plugins", "policy", "post", "receipts", "registrations", "score", "store", "streams"),
)


class LoadingTests(PluginTests):
    """Requirements of every plugin: it imports, registers, and passes the guard."""

    def test_it_imports(self) -> None:
        """It imports in an interpreter that has imported nothing else."""
        fail_on([self.tested.fresh.first.error])

    def test_importing_it_is_silent(self) -> None:
        """Importing it writes nothing to stdout, which is for data, and opens no connection."""
        skip_if(self.tested.import_failure)
        first = self.tested.fresh.first
        printed = ["importing it writes to stdout"] if first.printed else []
        fail_on([*printed, *(f"importing it uses the network: {event}" for event in first.network_events)])

    def test_importing_it_is_quick(self) -> None:
        """Importing it takes under 150 ms, sesame_sdk included; see `import_check.FreshImports`."""
        skip_if(self.tested.import_failure)
        fail_on([self.tested.fresh.slowness()])

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


class ProviderTests(PluginTests):
    """Requirements of a plugin's providers."""

    def test_its_samples_are_accepted(self) -> None:
        """`signals()` answers each sample event with signals, or with `Skipped` and a reason."""
        skip_if(self.tested.guard_failure)
        fail_on(self.tested.rejected_samples)

    def test_signals_are_of_declared_kinds(self) -> None:
        """No signal is of a kind that the provider does not declare."""
        self._check_providers(provider_checks.undeclared_kinds)

    def test_every_declared_kind_has_a_sample(self) -> None:
        """Some sample gives each declared kind: people should not be asked to agree to unused kinds."""
        self._check_providers(provider_checks.unused_kinds)

    def test_ids_are_deterministic(self) -> None:
        """Event and pseudonymizer determine ids and pseudonyms; an id holds its time and names one signal."""
        self._check_providers(provider_checks.invalid_ids)

    def test_signals_has_no_side_effects(self) -> None:
        """`signals()` uses no file, socket, process or database, and leaves the event unchanged."""
        self._check_providers(provider_checks.side_effects_of)

    def test_signals_is_repeatable(self) -> None:
        """`signals()` gives the same for the same event, whatever it was called with in between."""
        self._check_providers(provider_checks.differences)

    def test_signals_is_the_same_in_another_process(
        self, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        """`signals()` gives the same, to the last bit, in a process with another hash seed."""
        if not subprocess_rerun.is_child():
            skip_if(self.tested.sample_failure)
            skip_if("" if self.tested.plugin.results.providers else "it has no provider")
            skip_if("" if self._is_repeatable() else "signals() differs within one process")
        output = [
            provider_checks.encode_output(provider, events) for provider, events in self.tested.providers
        ]
        fail_on([subprocess_rerun.compare(request, tmp_path, b"".join(output))])

    def test_hostile_events_are_rejected(self) -> None:
        """An event with one invalid field raises `InvalidInputError`, is skipped, or gives valid signals."""
        self._check_providers(provider_checks.unhandled_events)

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
            fail_on(provider_checks.delivery_faults(provider, events, tmp_path / f"hub{number}"))

    def _is_repeatable(self) -> bool:
        checks = (provider_checks.differences, provider_checks.invalid_ids)
        return not any(any(check(*one)) for one in self.tested.providers for check in checks)

    def _check_providers(self, check: Callable[..., Iterable[str]]) -> None:
        skip_if(self.tested.sample_failure)
        for provider, events in self.tested.providers:
            if events:  # `test_it_has_samples` reports those without
                fail_on(check(provider, events))


class ConsumerTests(PluginTests):
    """Requirements of a plugin's consumers."""

    def test_subjects_is_pure(self) -> None:
        """`subjects()` gives the same pseudonyms each time, without side effects."""
        skip_if(self.tested.guard_failure)
        for consumer, requests in self.tested.consumers:
            fail_on(consumer_checks.subject_faults(consumer, requests))

    def test_use_is_pure(self) -> None:
        """`use()` gives the same answer each time, without side effects."""
        skip_if(self.tested.guard_failure)
        for consumer, requests in self.tested.consumers:
            fail_on(consumer_checks.use_faults(consumer, requests, self.tested.points))

    def test_missing_scores_are_handled(self) -> None:
        """`use()` answers whichever of the subjects have no score."""
        skip_if(self.tested.guard_failure)
        for consumer, requests in self.tested.consumers:
            fail_on(consumer_checks.missing_score_faults(consumer, requests, self.tested.points))

    def test_no_score_is_no_disadvantage(self) -> None:
        """A subject without a score gets at least what it would get with the base score (NOS-1)."""
        benefit = self.tested.benefit
        skip_if(self.tested.guard_failure or ("" if benefit else "no benefit was given"))
        for consumer, requests in self.tested.consumers:
            if benefit is not None:
                fail_on(consumer_checks.disadvantages(consumer, requests, self.tested.base_points, benefit))


class PluginContract(ConsumerTests, ProviderTests, LoadingTests):
    """What the SDK requires of a plugin."""


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
        result = provider_checks.call_signals(provider, event)
        repeated = result == provider_checks.call_signals(provider, event)
        faults = (result.error, "" if repeated else "signals() gives something else the second time")
        fail_on([f"a generated event: {fault}" for fault in faults if fault])

    check()
