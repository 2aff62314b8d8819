"""Rank matchmaking profiles for one member, by relevance and by scores that people chose to show.

Neither numpy nor the command is imported before it is used: every ``sesame`` command loads this.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from sesame_baihe.answer import Fairness, Parameters, Place, Ranked, Why
from sesame_baihe.consumer import Candidates, Matchmaking
from sesame_sdk import ScoreConsumer, hookimpl

if TYPE_CHECKING:
    from sesame_baihe.fair import Fair as Fair
    from sesame_baihe.matching import rank as rank
    from sesame_baihe.pages import Page as Page
    from sesame_baihe.pages import Pages as Pages
    from sesame_baihe.pool import Pool as Pool

SESAME_API = "1.0"

_LAZY = {
    "Fair": "sesame_baihe.fair",
    "Page": "sesame_baihe.pages",
    "Pages": "sesame_baihe.pages",
    "Pool": "sesame_baihe.pool",
    "rank": "sesame_baihe.matching",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Candidates",
    "Fair",
    "Fairness",
    "Matchmaking",
    "Page",
    "Pages",
    "Parameters",
    "Place",
    "Pool",
    "Ranked",
    "Why",
    "rank",
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
