"""Commands that plugins add to ``sesame``.

A plugin works on a copy of the group, so that one which raises half-way leaves nothing behind, and
none can replace a command that is there already.
"""

from collections.abc import Callable
from copy import copy
from functools import partial, wraps
from typing import Any

import click

from sesame_sdk.errors import SesameError
from sesame_sdk.plugins.plugin import Plugin

#: How a command ends on purpose. Anything else that it raises is a failure of its plugin.
_ENDINGS = (
    SesameError,
    SystemExit,
    BrokenPipeError,
    click.ClickException,
    click.Abort,
    click.exceptions.Exit,
)


def collect_commands(plugin: Plugin, group: click.Group) -> dict[str, click.Command]:
    """What the plugin would add to `group`, by name. Each command names the plugin when it fails.

    Raises:
        ConfigurationError: its hook raised, or it adds something that is no command or is there already.
    """
    apart = copy(group)
    apart.commands = {}
    plugin.call("sesame_cli_commands()", lambda: plugin.commands(group=apart), passing=())
    for name, command in apart.commands.items():
        if not isinstance(command, click.Command):
            raise plugin.disable(f"sesame_cli_commands() added {name!r}, which is not a click command")
        if name in group.commands:
            raise plugin.disable(f"sesame_cli_commands() added {name!r}, which is there already")
    for command in apart.commands.values():
        _name_failures(command, plugin)
    return apart.commands


def _name_failures(command: click.Command, plugin: Plugin) -> None:
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _name_failures(inner, plugin)
    if command.callback is not None:
        command.callback = _guarded(command.callback, plugin, f"command {command.name!r}")


def _guarded(callback: Callable[..., Any], plugin: Plugin, doing: str) -> Callable[..., Any]:
    @wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the command takes
        return plugin.call(doing, partial(callback, *args, **kwargs), passing=_ENDINGS)

    return run
