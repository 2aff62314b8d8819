"""The contract of a plugin, as a pytest class with one test for each thing that is asked of it.

    TestContract = plugin_contract("sesame_retail", events=[Order(...), ...])

Under that name pytest finds it, in any repository. A test that fails says what is wrong, a line each,
and how to mend it; what cannot be asked because something before it failed is skipped.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from sesame_sdk.errors import Misconfigured
from sesame_sdk.interfaces import SignalProvider
from sesame_sdk.plugins.commands import commands_of
from sesame_sdk.plugins.info import State
from sesame_sdk.testing import elsewhere, speaking, travelling, using
from sesame_sdk.testing.tested import Samples, Tested
from sesame_sdk.testing.using import Standing

#: Faults of one test that are shown.
MOST_SHOWN = 20
#: Names that a plugin's command cannot take; a test of ours compares them with the command line's.
BUILT_IN = (
    *("audit", "doctor", "explain", "grants", "hub", "keys", "outbox", "partners", "plugins", "policy"),
    *("post", "register", "score"),
)


def plugin_contract(
    module: str,
    *,
    events: Samples = (),
    requests: Samples = (),
    strategy: SearchStrategy[Any] | None = None,
    points: Sequence[float] = (350.0, 550.0, 950.0),
    standing: Standing | None = None,
) -> type["PluginContract"]:
    """A pytest class that holds a plugin to the contract.

    Args:
        module: what its entry point names.
        events: honest sample events of its provider, which together give every kind that it declares;
            where it has several providers, a list for each by name.
        requests: sample requests of its consumer, in the same way.
        strategy: draws further events, honest or not, with Hypothesis.
        points: scores that the policy of the consumer's context can give.
        standing: of an answer and a subject, how well the subject comes off; more is better. With it
            the contract can also see whether somebody without a score is worse off for it.

    Raises:
        Misconfigured: `module` is not the name of one.
    """
    tested = Tested(module, events, requests, points, strategy, standing)
    return type("PluginContract", (PluginContract,), {"tested": tested})


class PluginContract:
    """What the SDK asks of a plugin."""

    tested: ClassVar[Tested]

    def test_it_imports(self) -> None:
        """In an interpreter that has imported nothing else."""
        _hold([self.tested.fresh.first.fault])

    def test_importing_it_is_silent(self) -> None:
        """It writes nothing to stdout, which is for data, and opens no connection."""
        _ask_if(self.tested.why_not_register())
        first = self.tested.fresh.first
        printed = ["importing it writes to stdout"] if first.printed else []
        _hold([*printed, *(f"importing it does: {touch}" for touch in first.touched)])

    def test_importing_it_is_quick(self) -> None:
        """Under 150 ms, sesame_sdk included: the best of up to 15 fresh interpreters; see `fresh.Fresh`."""
        _ask_if(self.tested.why_not_register())
        _hold([self.tested.fresh.slowness()])

    def test_it_is_for_this_api(self) -> None:
        """It says SESAME_API, and this SDK speaks it."""
        _ask_if(self.tested.why_not_register())
        plugin = self.tested.plugin
        _hold([plugin.why] if plugin.state is State.INCOMPATIBLE else [])

    def test_its_hooks_register(self) -> None:
        """They are spelt right and return what their signatures say."""
        _ask_if(self.tested.why_not_register())
        plugin = self.tested.plugin
        _hold([plugin.why] if plugin.state is State.SET_ASIDE else [])

    def test_its_commands_can_be_added(self) -> None:
        """Its hook adds click commands, and none under the name of another."""
        _ask_if(self.tested.why_not_ask())
        group = click.Group(commands={name: click.Command(name) for name in BUILT_IN})
        try:
            commands_of(self.tested.load(), group)  # which is set aside if they cannot
        except Misconfigured as error:
            _hold([str(error)])

    def test_its_kinds_pass_the_guard(self) -> None:
        """None is refused, for what it says or for what it does not say of itself."""
        _ask_if(self.tested.why_not_ask())
        _hold(self.tested.against_kinds)

    def test_its_purposes_pass_the_guard(self) -> None:
        """None is refused, nor the terms on which scores are used."""
        _ask_if(self.tested.why_not_ask())
        _hold(self.tested.against_purposes)

    def test_its_samples_are_here(self) -> None:
        """Every provider has sample events and every consumer sample requests, or this proves little."""
        _ask_if(self.tested.why_not_use())
        _hold(self.tested.missing)

    def test_its_samples_are_understood(self) -> None:
        """Each event is answered with signals, or with what is kept back and why."""
        _ask_if(self.tested.why_not_use())
        _hold(self.tested.misunderstood)

    def test_it_says_only_what_it_declares(self) -> None:
        """No signal is of a kind that it did not declare."""
        self._ask_providers(speaking.undeclared)

    def test_it_says_all_that_it_declares(self) -> None:
        """Every declared kind comes of some sample: what nobody ever says, nobody should agree to."""
        self._ask_providers(speaking.unsaid)

    def test_its_ids_are_deterministic(self) -> None:
        """They follow from event and identity, carry their time, and name one observation each."""
        self._ask_providers(speaking.ids)

    def test_its_signals_touch_nothing(self) -> None:
        """No file, no socket, no process, no database, no sleep; the event stays as it was."""
        self._ask_providers(speaking.touches)

    def test_its_signals_are_the_same_again(self) -> None:
        """Same in, same out, whatever was asked in between."""
        self._ask_providers(speaking.changes)

    def test_its_signals_are_the_same_elsewhere(self, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        """In another process with another hash seed, to the last bit."""
        _ask_if(self.tested.why_not_speak())
        said = []
        for provider, events in self.tested.providers:
            if any(speaking.changes(provider, events)) or any(speaking.ids(provider, events)):
                pytest.skip("they are not the same in one process")
            said.append(speaking.aloud(provider, events))
        _ask_if("" if said else "it has no provider")
        _hold([elsewhere.compare(request, tmp_path, b"".join(said))])

    def test_hostile_events_are_rejected(self) -> None:
        """Samples with a field spoilt raise Rejected, or are kept back, or say something valid."""
        self._ask_providers(speaking.breaks)

    def test_drawn_events_are_answered(self) -> None:
        """Whatever the strategy draws: the same again, rejected, or kept back."""
        _ask_if(self.tested.why_not_speak() or ("" if self.tested.strategy else "no strategy was given"))
        for provider, _ in self.tested.providers:
            _draw(self.tested.strategy, partial(_hold_drawn, provider))

    def test_its_signals_arrive(self, tmp_path: Path) -> None:
        """Signed by a real client into a real envelope, they are on a hub in memory once, and unchanged."""
        _ask_if(self.tested.why_not_speak())
        for number, (provider, events) in enumerate(self.tested.providers):
            _hold(travelling.lost(provider, events, tmp_path / f"outbox{number}"))

    def test_it_names_subjects_purely(self) -> None:
        """`subjects()` gives pseudonyms, the same each time, and touches nothing."""
        _ask_if(self.tested.why_not_use())
        for consumer, requests in self.tested.consumers:
            _hold(using.wants(consumer, requests))

    def test_it_uses_scores_purely(self) -> None:
        """`use()` answers the same each time, and touches nothing."""
        _ask_if(self.tested.why_not_use())
        for consumer, requests in self.tested.consumers:
            _hold(using.impure(consumer, requests, self.tested.points))

    def test_it_can_do_without_scores(self) -> None:
        """Whoever of the subjects has no score, `use()` answers."""
        _ask_if(self.tested.why_not_use())
        for consumer, requests in self.tested.consumers:
            _hold(using.fails_without(consumer, requests, self.tested.points))

    def test_no_score_is_no_worse(self) -> None:
        """Where all others have one and the same score, who has none comes off no worse (NOS-1)."""
        standing = self.tested.standing
        _ask_if(self.tested.why_not_use() or ("" if standing else "no standing was given"))
        for consumer, requests in self.tested.consumers:
            if standing is not None:
                _hold(using.disadvantages(consumer, requests, self.tested.points, standing))

    def _ask_providers(self, check: Callable[..., Iterable[str]]) -> None:
        _ask_if(self.tested.why_not_speak())
        for provider, events in self.tested.providers:
            _hold(check(provider, events))


def _ask_if(why_not: str) -> None:
    if why_not:
        pytest.skip(why_not)


def _hold(faults: Iterable[str]) -> None:
    found = list(dict.fromkeys(fault for fault in faults if fault))
    more = [f"and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else []
    if found:
        pytest.fail("\n".join([*found[:MOST_SHOWN], *more]), pytrace=False)


def _hold_drawn(provider: SignalProvider[Any], event: object) -> None:
    outcome = speaking.speak(provider, event)
    again = "" if outcome == speaking.speak(provider, event) else "says something else the second time"
    _hold([f"a drawn event {fault}" for fault in (outcome.fault, again) if fault])


def _draw(strategy: SearchStrategy[Any], check: Callable[[object], None]) -> None:
    @settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strategy)
    def drawn(event: object) -> None:
        check(event)

    drawn()
