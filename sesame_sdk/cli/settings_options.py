"""A flag for each of a hub's settings, on the commands that take them."""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import click
from attrs import NOTHING

if TYPE_CHECKING:
    from sesame_sdk.hub.settings import Setting


class WithSettings(click.Command):
    """A command whose further options are the settings of a hub. They are read when it is asked for."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own, and one a setting."""
        own = super().get_params(ctx)
        return [*own[:-1], *self._settings, *own[-1:]]  # --help comes last

    @cached_property
    def _settings(self) -> list[click.Option]:
        from sesame_sdk.hub.settings import SETTINGS

        return [
            click.Option(
                [setting.flag],
                metavar="VALUE",
                help=f"{setting.means}; {setting.ask.words}.{_default(setting)}  [env: {setting.variable}]",
            )
            for setting in SETTINGS.values()
        ]


def _default(setting: "Setting") -> str:
    return "" if setting.default in {None, "", NOTHING} else f"  [default: {setting.default}]"


def given(flags: Mapping[str, str | None]) -> dict[str, str]:
    """The flags that were set."""
    return {name: value for name, value in flags.items() if value is not None}


def strangers() -> list[str]:
    """Variables that look like settings, and are none: misspelt perhaps."""
    from sesame_sdk.hub.settings import SETTINGS

    known = {setting.variable for setting in SETTINGS.values()} | {"SESAME_HUB", "SESAME_HOME"}
    return sorted(name for name in os.environ if name.startswith("SESAME_") and name not in known)
