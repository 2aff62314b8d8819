"""A plugin's objects as the rest of the program gets them: every exception caught, every result checked.

Template methods: the public method is ours, and calls the plugin's. A plugin adds its commands to a copy
of the group, so that one which raises half-way leaves nothing behind, and none can replace a command.
"""

from collections.abc import Iterator, Mapping
from copy import copy
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sesame_sdk.errors import InvalidInputError, SesameError
from sesame_sdk.interfaces import ScoreConsumer, SignalProvider, Signer, Skipped
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Signal
from sesame_sdk.plugins.plugin import Plugin, PluginCall

#: How a command ends on purpose. Anything else that it raises is a failure of its plugin.
_COMMAND_ENDINGS = (
    SesameError,
    SystemExit,
    BrokenPipeError,
    click.ClickException,
    click.Abort,
    click.exceptions.Exit,
)


class IsolatedProvider(SignalProvider[Any]):
    """A plugin's provider. Whatever it raises, except a `SesameError`, disables it: `ConfigurationError`."""

    def __init__(self, plugin: Plugin, inner: SignalProvider[Any]) -> None:
        self._plugin = plugin
        self._inner = inner
        self.name = inner.name  # type: ignore[misc] # a class variable of the plugin's class, ours by instance
        self.kinds = tuple(inner.kinds)  # type: ignore[misc] # the same
        self._kind_names = frozenset(kind.name for kind in self.kinds)

    def read(self, path: Path) -> Iterator[Any]:
        """The events of a file, as `SignalProvider.read` says."""
        # Only the plugin's code runs inside: an exception of the caller's loop does not reach a generator.
        with PluginCall(self._plugin, f"{self.name}.read()"):
            yield from self._inner.read(path)

    def signals(self, event: Any, pseudonymizer: Pseudonymizer) -> tuple[Signal | Skipped, ...]:  # noqa: ANN401
        """The signals of one event, as `SignalProvider.signals` says, of kinds that were declared."""
        with PluginCall(self._plugin, f"{self.name}.signals()"):
            signals = tuple(self._inner.signals(event, pseudonymizer))
        for signal in signals:
            if not isinstance(signal, Skipped):
                self._check(signal)
        return signals

    def _check(self, signal: object) -> None:
        if not isinstance(signal, Signal):
            raise self._plugin.disable(f"{self.name}.signals() returned a {type(signal).__name__}")
        if signal.kind not in self._kind_names:
            raise self._plugin.disable(f"{self.name}.signals() used an undeclared kind: {signal.kind}")


class IsolatedConsumer(ScoreConsumer[Any, Any]):
    """A plugin's consumer, isolated in the same way."""

    def __init__(self, plugin: Plugin, inner: ScoreConsumer[Any, Any]) -> None:
        self._plugin = plugin
        self._inner = inner
        self.declaration = inner.declaration  # type: ignore[misc] # a class variable of the plugin's class

    def subjects(self, request: Any) -> tuple[str, ...]:  # noqa: ANN401
        """The subjects whose scores it needs, as `ScoreConsumer.subjects` says."""
        action = f"{self.declaration.name}.subjects()"
        with PluginCall(self._plugin, action):
            subjects = tuple(self._inner.subjects(request))
        if not all(isinstance(subject, str) for subject in subjects):
            raise self._plugin.disable(f"{action} returned something that is not a pseudonym")
        return subjects

    def use(self, request: Any, scores: Mapping[str, Score | None]) -> Any:  # noqa: ANN401
        """Its answer, as `ScoreConsumer.use` says."""
        with PluginCall(self._plugin, f"{self.declaration.name}.use()"):
            return self._inner.use(request, scores)


class IsolatedSigner:
    """A plugin's signer, isolated in the same way; satisfies `Signer`."""

    def __init__(self, plugin: Plugin, inner: Signer) -> None:
        self._plugin = plugin
        self._inner = inner

    @property
    def kid(self) -> str:
        """As `Signer.kid`."""
        with PluginCall(self._plugin, "signer.kid"):
            return self._inner.kid

    @property
    def public_jwk(self) -> dict[str, Any]:
        """As `Signer.public_jwk`."""
        from sesame_sdk.signing.keys import public_point  # listing plugins needs no cryptography

        with PluginCall(self._plugin, "signer.public_jwk"):
            jwk = self._inner.public_jwk
            try:
                public_point(jwk)
            except InvalidInputError as error:
                raise self._plugin.disable(f"signer.public_jwk is not a public key: {error}") from error
            return jwk

    def sign(self, data: bytes) -> bytes:
        """As `Signer.sign`."""
        with PluginCall(self._plugin, "signer.sign()"):
            return self._inner.sign(data)


def collect_commands(plugin: Plugin, group: click.Group) -> dict[str, click.Command]:
    """The commands that a plugin adds to `group`, by name; `ConfigurationError` if its hook fails."""
    added = copy(group)
    added.commands = {}
    with PluginCall(plugin, "sesame_cli_commands()", ()):
        plugin.commands(group=added)
    for name, command in added.commands.items():
        if not isinstance(command, click.Command):
            raise plugin.disable(f"sesame_cli_commands() added {name!r}, which is not a click command")
        if name in group.commands:
            raise plugin.disable(f"sesame_cli_commands() added {name!r}, which exists already")
    for command in added.commands.values():
        _isolate_command(command, plugin)
    return added.commands


def _isolate_command(command: click.Command, plugin: Plugin) -> None:
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _isolate_command(inner, plugin)
    callback = command.callback
    if callback is None:
        return

    @wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the command takes
        with PluginCall(plugin, f"command {command.name!r}", _COMMAND_ENDINGS):
            return callback(*args, **kwargs)

    command.callback = run
