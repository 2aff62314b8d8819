"""Rank matchmaking profiles for one member, by relevance and by scores that people chose to show.

Neither numpy nor the command is imported before it is used: every ``sesame`` command loads this.
"""

from collections.abc import Iterable

import click

from sesame_baihe.consumer import Candidates, Matchmaking, Place, Ranked
from sesame_sdk import ScoreConsumer, hookimpl

SESAME_API = "1.0"

__all__ = [
    "Candidates",
    "Matchmaking",
    "Place",
    "Ranked",
    "sesame_cli_commands",
    "sesame_score_consumers",
]


@hookimpl
def sesame_score_consumers() -> Iterable[ScoreConsumer[Candidates, Ranked]]:
    """One consumer, ``baihe``."""
    return (Matchmaking(),)


@hookimpl
def sesame_cli_commands(group: click.Group) -> None:
    """``sesame rank``."""
    from sesame_baihe.command import rank

    group.add_command(rank)
