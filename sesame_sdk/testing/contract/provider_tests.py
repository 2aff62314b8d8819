"""The part of a plugin's contract that holds for what it says."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from sesame_sdk.interfaces import SignalProvider
from sesame_sdk.testing.contract import provider_checks, subprocess_rerun, travelling
from sesame_sdk.testing.contract.asking import OfPlugin, ask_if, hold


class Speaking(OfPlugin):
    """What is asked of a plugin's providers."""

    def test_its_samples_are_understood(self) -> None:
        """Each event is answered with signals, or with what is kept back and why."""
        ask_if(self.tested.why_not_use())
        hold(self.tested.misunderstood)

    def test_it_says_only_what_it_declares(self) -> None:
        """No signal is of a kind that it did not declare."""
        self._ask_providers(provider_checks.undeclared)

    def test_it_says_all_that_it_declares(self) -> None:
        """Every declared kind comes of some sample: what nobody ever says, nobody should agree to."""
        self._ask_providers(provider_checks.unsaid)

    def test_its_ids_are_deterministic(self) -> None:
        """They follow from event and identity, carry their time, and name one observation each."""
        self._ask_providers(provider_checks.ids)

    def test_its_signals_touch_nothing(self) -> None:
        """No file, no socket, no process, no database; the event stays as it was."""
        self._ask_providers(provider_checks.touches)

    def test_its_signals_are_the_same_again(self) -> None:
        """Same in, same out, whatever was asked in between."""
        self._ask_providers(provider_checks.changes)

    def test_its_signals_are_the_same_elsewhere(self, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        """In another process with another hash seed, to the last bit."""
        if not subprocess_rerun.is_here():
            ask_if(self.tested.why_not_speak())
            ask_if("" if self.tested.plugin.offers.providers else "it has no provider")
            ask_if("" if self._same_here() else "they are not the same in one process")
        said = [provider_checks.aloud(provider, events) for provider, events in self.tested.providers]
        hold([subprocess_rerun.compare(request, tmp_path, b"".join(said))])

    def test_hostile_events_are_rejected(self) -> None:
        """Samples with a field spoilt raise Rejected, or are kept back, or say something valid."""
        self._ask_providers(provider_checks.breaks)

    def test_drawn_events_are_answered(self) -> None:
        """Whatever the strategy draws: the same again, rejected, or kept back."""
        ask_if(
            self.tested.why_not_speak() or ("no strategy was given" if self.tested.strategy is None else "")
        )
        for provider, _ in self.tested.providers:
            _draw(self.tested.strategy, partial(_hold_drawn, provider))

    def test_its_signals_arrive(self, tmp_path: Path) -> None:
        """Signed by a real client into a real envelope, they are on a hub in memory once, and unchanged."""
        ask_if(self.tested.why_not_speak())
        for number, (provider, events) in enumerate(self.tested.providers):
            hold(travelling.lost(provider, events, tmp_path / f"outbox{number}"))

    def _same_here(self) -> bool:
        checks = (provider_checks.changes, provider_checks.ids)
        return not any(any(check(*one)) for one in self.tested.providers for check in checks)

    def _ask_providers(self, check: Callable[..., Iterable[str]]) -> None:
        ask_if(self.tested.why_not_speak())
        for provider, events in self.tested.providers:
            if events:  # where there are none, another test says so
                hold(check(provider, events))


def _hold_drawn(provider: SignalProvider[Any], event: object) -> None:
    outcome = provider_checks.speak(provider, event)
    again = "" if outcome == provider_checks.speak(provider, event) else "says something else the second time"
    hold([f"a drawn event {fault}" for fault in (outcome.fault, again) if fault])


def _draw(strategy: SearchStrategy[Any], check: Callable[[object], None]) -> None:
    @settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strategy)
    def drawn(event: object) -> None:
        check(event)

    drawn()
