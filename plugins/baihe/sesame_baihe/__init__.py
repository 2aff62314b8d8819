"""Rank matchmaking profiles for one member, by relevance and by scores that people chose to show.

Neither numpy nor the command is imported before it is used: every ``sesame`` command loads this.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from sesame_baihe.consumer import Candidates, Matchmaking
from sesame_baihe.result import Fairness, Parameters, Place, Ranked, Why
from sesame_sdk import ScoreConsumer, hookimpl

if TYPE_CHECKING:
    from sesame_baihe.candidate_pool import Pool as Pool
    from sesame_baihe.fair_topk import Fair as Fair
    from sesame_baihe.pagination import Page as Page
    from sesame_baihe.pagination import Pages as Pages
    from sesame_baihe.ranking import rank as rank

SESAME_API = "1.0"

_LAZY = {
    "Fair": "sesame_baihe.fair_topk",
    "Page": "sesame_baihe.pagination",
    "Pages": "sesame_baihe.pagination",
    "Pool": "sesame_baihe.candidate_pool",
    "rank": "sesame_baihe.ranking",
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
    from sesame_baihe.cli import rank

    group.add_command(rank)
