"""Prints a ranking as a table: rank, a bar of its parts, and the explanation."""

import os
import sys
from collections.abc import Mapping

from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from sesame_baihe.result import RankedProfile, RankingResult
from sesame_sdk import terminal_text

BAR_WIDTH = 20
_PIPE_WIDTH = 400  # a pipe gets whole lines
#: Least width of the terminal for bars, and for explanations in words.
_MIN_WIDTH_FOR_BARS, _MIN_WIDTH_FOR_WORDS = 110, 180
_RIGHT = ("rank", "relevance", "score", "blended")
_NAMES = ("profile", "without the score")


def print_ranking(result: RankingResult, names: Mapping[str, str]) -> None:
    """Print a ranking and its parameters on stdout, with the site's own id of each pseudonym."""
    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()
    console = Console(highlight=False, markup=False, width=None if has_width else _PIPE_WIDTH)
    before = {profile: rank for rank, profile in enumerate(result.order_without_score, start=1)}
    rows = [
        _make_row(rank, ranked, before.get(ranked.profile), names, console)
        | {"without the score": terminal_text(names[other])}
        for rank, (ranked, other) in enumerate(
            zip(result.profiles, result.order_without_score, strict=True), start=1
        )
    ]
    if rows:
        table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for name in rows[0]:
            # On a narrow terminal, names are wrapped and numbers are not.
            justify: JustifyMethod = "right" if name in _RIGHT else "left"
            table.add_column(name, justify=justify, no_wrap=name not in _NAMES, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row.values()))
        console.print(table)
    console.print(result.parameters.describe())


def _make_row(
    rank: int, ranked: RankedProfile, before: int | None, names: Mapping[str, str], console: Console
) -> dict[str, str | Text]:
    moved = "" if before is None or before == rank else f" ({before - rank:+d})"
    reciprocal = ranked.reciprocal_relevance
    row: dict[str, str | Text] = {
        "rank": f"{rank}{moved}",
        "profile": terminal_text(names[ranked.profile]),
        "relevance": f"{ranked.relevance:.3f}" + ("" if reciprocal is None else f" / {reciprocal:.3f}"),
        "score": "none" if ranked.score is None else f"{ranked.score:.2f}",
        "blended": f"{ranked.blended:.4f}",
    }
    if console.width >= _MIN_WIDTH_FOR_BARS:
        row[""] = draw_bar(ranked, unicode=console.encoding.lower().replace("-", "").startswith("utf"))
    in_words = console.width >= _MIN_WIDTH_FOR_WORDS
    row["explanation"] = ranked.describe() if in_words else ranked.describe_parts()
    return row


def draw_bar(ranked: RankedProfile, *, unicode: bool = True) -> Text:
    """Draw the part of relevance, then the part of the score, on a scale of 0 to 1."""
    total = min(round(ranked.blended * BAR_WIDTH), BAR_WIDTH)
    relevance = min(round(ranked.explanation.relevance * BAR_WIDTH), total)
    full, shaded = "█▒" if unicode else "#+"
    score = shaded * (total - relevance)
    return Text.assemble((full * relevance, "cyan"), (score, "green"), " " * (BAR_WIDTH - total))
