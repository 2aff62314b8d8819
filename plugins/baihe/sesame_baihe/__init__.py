"""Ranks matchmaking profiles for one member, by relevance and by scores that people chose to show.

Every ``sesame`` command loads this module, so numpy and the command are imported on first use.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from sesame_baihe.consumer import Matchmaking
from sesame_baihe.request import RankingRequest
from sesame_baihe.result import (
    Explanation,
    FairnessResult,
    RankedProfile,
    RankingParameters,
    RankingResult,
)
from sesame_sdk import ScoreConsumer, hookimpl

if TYPE_CHECKING:
    from sesame_baihe.fair_topk import FairnessRule as FairnessRule
    from sesame_baihe.pagination import Page as Page
    from sesame_baihe.pagination import Paginator as Paginator
    from sesame_baihe.ranking import rank as rank
    from sesame_baihe.score_source import CandidatePool as CandidatePool

SESAME_API = "1.0"

_LAZY = {
    "FairnessRule": "sesame_baihe.fair_topk",
    "Page": "sesame_baihe.pagination",
    "Paginator": "sesame_baihe.pagination",
    "CandidatePool": "sesame_baihe.score_source",
    "rank": "sesame_baihe.ranking",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "CandidatePool",
    "Explanation",
    "FairnessResult",
    "FairnessRule",
    "Matchmaking",
    "Page",
    "Paginator",
    "RankedProfile",
    "RankingParameters",
    "RankingRequest",
    "RankingResult",
    "rank",
    "sesame_cli_commands",
    "sesame_score_consumers",
]


@hookimpl
def sesame_score_consumers() -> Iterable[ScoreConsumer[RankingRequest, RankingResult]]:
    """One consumer, ``baihe``."""
    return (Matchmaking(),)


@hookimpl
def sesame_cli_commands(group: click.Group) -> None:
    """``sesame rank``."""
    from sesame_baihe.cli import rank

    group.add_command(rank)
