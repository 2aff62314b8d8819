"""The hooks that a plugin may implement, and when they are called.

A plugin is a module in the entry-point group ``sesame_sdk`` whose functions are decorated with `hookimpl`.
Hooks only return objects; the registry calls these objects itself, so that the failure of one plugin is
caught, named and does not affect the others.
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
    """Objects that convert events to signals. Called once, when the plugin is loaded."""


@hookspec
def sesame_score_consumers() -> Iterable[ScoreConsumer[Any, Any]]:  # type: ignore[empty-body]
    """Objects that use scores. Called once, when the plugin is loaded."""


@hookspec
def sesame_policy_rules() -> Iterable[GuardRule]:  # type: ignore[empty-body]
    """Further rules for the guard; none can be removed. Called once, when the plugin is loaded."""


@hookspec
def sesame_signers() -> Iterable[Signer]:  # type: ignore[empty-body]
    """Keys in a KMS or HSM. Called once, when the plugin is loaded."""


@hookspec
def sesame_cli_commands(group: click.Group) -> None:
    """Add commands to ``sesame``. Called when the command line starts, after the plugin is loaded."""
