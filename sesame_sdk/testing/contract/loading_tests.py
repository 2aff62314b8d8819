"""The part of a plugin's contract that holds for all: it imports, registers, and passes the guard."""

import click

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.plugins.commands import commands_of
from sesame_sdk.plugins.status import PluginState
from sesame_sdk.testing.contract.asking import OfPlugin, ask_if, hold

#: Names that a plugin's command cannot take; a test of ours compares them with the command line's.
BUILT_IN = (
    *("audit", "book", "disputes", "doctor", "erase", "explain", "export", "follow", "grants", "hub"),
    *("keys", "notices", "outbox", "partners", "plugins", "policy", "post", "register", "score", "scrub"),
)


class Loading(OfPlugin):
    """What is asked of a plugin before anything is asked of what it brings."""

    def test_it_imports(self) -> None:
        """In an interpreter that has imported nothing else."""
        hold([self.tested.fresh.first.fault])

    def test_importing_it_is_silent(self) -> None:
        """It writes nothing to stdout, which is for data, and opens no connection."""
        ask_if(self.tested.why_not_register())
        first = self.tested.fresh.first
        printed = ["importing it writes to stdout"] if first.printed else []
        hold([*printed, *(f"importing it does: {touch}" for touch in first.touched)])

    def test_importing_it_is_quick(self) -> None:
        """Under 150 ms, sesame_sdk included: the best of up to 15 fresh interpreters; see `fresh.Fresh`."""
        ask_if(self.tested.why_not_register())
        hold([self.tested.fresh.slowness()])

    def test_it_is_for_this_api(self) -> None:
        """It says SESAME_API, and this SDK speaks it."""
        ask_if(self.tested.why_not_register())
        plugin = self.tested.plugin
        hold([plugin.why] if plugin.state is PluginState.INCOMPATIBLE else [])

    def test_its_hooks_register(self) -> None:
        """They are spelt right and return what their signatures say."""
        ask_if(self.tested.why_not_register())
        plugin = self.tested.plugin
        hold([plugin.why] if plugin.state is PluginState.DISABLED else [])

    def test_its_commands_can_be_added(self) -> None:
        """Its hook adds click commands, and none under the name of another."""
        ask_if(self.tested.why_not_ask())
        group = click.Group(commands={name: click.Command(name) for name in BUILT_IN})
        try:
            commands_of(self.tested.load(), group)  # which is set aside if they cannot
        except ConfigurationError as error:
            hold([str(error)])

    def test_its_kinds_pass_the_guard(self) -> None:
        """None is refused, for what it says or for what it does not say of itself."""
        ask_if(self.tested.why_not_ask())
        hold(self.tested.against_kinds)

    def test_its_purposes_pass_the_guard(self) -> None:
        """None is refused, nor the terms on which scores are used."""
        ask_if(self.tested.why_not_ask())
        hold(self.tested.against_purposes)

    def test_its_samples_are_here(self) -> None:
        """Every provider has sample events and every consumer sample requests, or this proves little."""
        ask_if(self.tested.why_not_use())
        hold(self.tested.missing)
