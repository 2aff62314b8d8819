"""Prints a ranking as a table: rank, a bar of its parts, and the explanation."""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any

from sesame_baihe.result import RankedProfile, RankingResult
from sesame_sdk import print_note, print_rows

BAR_WIDTH = 20
#: Least width of the terminal for bars, and for explanations in words.
_MIN_WIDTH_FOR_BARS, _MIN_WIDTH_FOR_WORDS = 110, 180


def print_ranking(result: RankingResult, names: Mapping[str, str]) -> None:
    """Print a ranking on stdout and its parameters on stderr, with the site's own id of each pseudonym."""
    before = {profile: rank for rank, profile in enumerate(result.order_without_score, start=1)}
    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()
    width = shutil.get_terminal_size().columns if has_width else None
    rows = [
        _make_row(rank, ranked, before.get(ranked.profile), names, width)
        | {"without the score": names[other]}
        for rank, (ranked, other) in enumerate(
            zip(result.profiles, result.order_without_score, strict=True), start=1
        )
    ]
    print_rows(rows, empty="no candidates")
    print_note(result.parameters.describe())


def _make_row(
    rank: int, ranked: RankedProfile, before: int | None, names: Mapping[str, str], width: int | None
) -> dict[str, Any]:
    """A row for a terminal of this width; None for a pipe, which gets whole sentences and no bar."""
    moved = "" if before is None or before == rank else f" ({before - rank:+d})"
    reciprocal = ranked.reciprocal_relevance
    row: dict[str, Any] = {
        "rank": f"{rank}{moved}",
        "profile": names[ranked.profile],
        "relevance": f"{ranked.relevance:.3f}" + ("" if reciprocal is None else f" / {reciprocal:.3f}"),
        "score": "none" if ranked.score is None else f"{ranked.score:.2f}",
        "blended": f"{ranked.blended:.4f}",
    }
    if width is not None and width >= _MIN_WIDTH_FOR_BARS:
        encoding = (sys.stdout.encoding or "").lower().replace("-", "")
        row["bar"] = draw_bar(ranked, unicode=encoding.startswith("utf"))
    in_words = width is None or width >= _MIN_WIDTH_FOR_WORDS
    row["explanation"] = ranked.describe() if in_words else ranked.describe_parts()
    return row


def draw_bar(ranked: RankedProfile, *, unicode: bool = True) -> str:
    """Draw the part of relevance, then the part of the score, on a scale of 0 to 1."""
    total = min(round(ranked.blended * BAR_WIDTH), BAR_WIDTH)
    relevance = min(round(ranked.explanation.relevance * BAR_WIDTH), total)
    full, shaded = "█▒" if unicode else "#+"
    return full * relevance + shaded * (total - relevance)
