"""Helpful posts and confirmed abuse as signals, and a classifier that works on the platform's own machine.

Neither numpy nor a command is imported before it is used: every ``sesame`` command loads this.
"""

from collections.abc import Iterable

import click

from sesame_sdk import SignalProvider, hookimpl
from sesame_social.events import PostEvent
from sesame_social.provider import CommunityPosts

SESAME_API = "1.0"

__all__ = ["CommunityPosts", "PostEvent", "sesame_cli_commands", "sesame_signal_providers"]


@hookimpl
def sesame_signal_providers() -> Iterable[SignalProvider[PostEvent]]:
    """One provider, ``social``."""
    return (CommunityPosts(),)


@hookimpl
def sesame_cli_commands(group: click.Group) -> None:
    """``sesame social``."""
    from sesame_social.cli import social

    group.add_command(social)
