"""The hooks that a plugin may implement, each saying when it is called.

A plugin is a module, named in the entry-point group ``sesame_sdk``, whose functions carry
`hookimpl`. Hooks only hand over objects; the registry calls those objects itself, so that one
plugin's failure is caught, named and kept from the others.
"""

from collections.abc import Iterable
from typing import Any

import click
import pluggy

from sesame_sdk.interfaces import GuardRule, ScoreConsumer, SignalProvider, Signer

PROJECT = "sesame_sdk"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def sesame_signal_providers() -> Iterable[SignalProvider[Any]]:  # type: ignore[empty-body]
    """Objects that turn events into signals. Called once, when the plugin is loaded."""


@hookspec
def sesame_score_consumers() -> Iterable[ScoreConsumer[Any, Any]]:  # type: ignore[empty-body]
    """Objects that use scores. Called once, when the plugin is loaded."""


@hookspec
def sesame_policy_rules() -> Iterable[GuardRule]:  # type: ignore[empty-body]
    """Further rules for the guard; none can take one away. Called once, when the plugin is loaded."""


@hookspec
def sesame_signers() -> Iterable[Signer]:  # type: ignore[empty-body]
    """Keys that live elsewhere. Called once, when the plugin is loaded."""


@hookspec
def sesame_cli_commands(group: click.Group) -> None:
    """Add commands to ``sesame``. Called when the command line starts, after the plugin is loaded."""
