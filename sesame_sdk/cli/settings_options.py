"""A click option for each of a hub's settings."""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import click
from attrs import NOTHING

if TYPE_CHECKING:
    from sesame_sdk.hub.settings import Setting


class SettingsCommand(click.Command):
    """A command that also takes every setting of a hub as an option; they are imported when it is used."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters and one for each setting."""
        own = super().get_params(ctx)
        return [*own[:-1], *self._settings, *own[-1:]]  # --help comes last

    @cached_property
    def _settings(self) -> list[click.Option]:
        from sesame_sdk.hub.settings import SETTINGS

        return [
            click.Option(
                [setting.flag],
                metavar="VALUE",
                help=f"{setting.help}; {setting.type.expected}."
                f"{_default(setting)}  [env: {setting.variable}]",
            )
            for setting in SETTINGS.values()
        ]


def _default(setting: "Setting") -> str:
    return "" if setting.default in {None, "", NOTHING} else f"  [default: {setting.default}]"


def given_settings(flags: Mapping[str, str | None]) -> dict[str, str]:
    """The settings that were given as options."""
    return {name: value for name, value in flags.items() if value is not None}


def unknown_variables() -> list[str]:
    """Environment variables with the prefix of settings that are not settings, perhaps misspelt."""
    from sesame_sdk.hub.settings import SETTINGS

    known = {setting.variable for setting in SETTINGS.values()} | {"SESAME_HUB", "SESAME_CONFIG"}
    return sorted(name for name in os.environ if name.startswith("SESAME_") and name not in known)
