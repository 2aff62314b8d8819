"""A ranking as a table for people: who stands where, a bar of what brought them there, and why in words."""

import sys
from collections.abc import Mapping

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sesame_baihe.result import Place, Ranked
from sesame_sdk import terminal_text

BAR = 20
_ENDLESS = 400  # a pipe to grep or less should get whole lines
#: Narrower than this there is no bar, and narrower than that the why is its two figures.
_FOR_BARS, _FOR_WORDS = 110, 180
_RIGHT = ("place", "relevance", "score", "blended")


def show(ranked: Ranked, names: Mapping[str, str]) -> None:
    """Print it on stdout, and under it what made the order.

    Args:
        ranked: the ranking.
        names: the site's own id of each pseudonym.
    """
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _ENDLESS)
    before = {profile: place for place, profile in enumerate(ranked.order_without_score, start=1)}
    pairs = zip(ranked.places, ranked.order_without_score, strict=True)
    rows = [
        _row(number, place, before, names, console) | {"without the score": terminal_text(names[other])}
        for number, (place, other) in enumerate(pairs, start=1)
    ]
    if rows:
        console.print(_table(rows))
    console.print(ranked.parameters.words())


def _table(rows: "list[dict[str, str | Text]]") -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in rows[0]:
        # Where there is no room, the names fold and the figures do not.
        figures = column not in ("profile", "without the score")
        table.add_column(
            column, justify="right" if column in _RIGHT else "left", no_wrap=figures, overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row.values()))
    return table


def _row(
    number: int, place: Place, before: Mapping[str, int], names: Mapping[str, str], console: Console
) -> dict[str, str | Text]:
    row: dict[str, str | Text] = {
        "place": f"{number}{_moved(before.get(place.profile), number)}",
        "profile": terminal_text(names[place.profile]),
        "relevance": _relevance(place),
        "score": "none" if place.score is None else f"{place.score:.2f}",
        "blended": f"{place.blended:.4f}",
    }
    if console.width >= _FOR_BARS:
        row[""] = bar(place, unicode=_speaks_unicode(console))
    row["why"] = place.words() if console.width >= _FOR_WORDS else place.sum()
    return row


def bar(place: Place, *, unicode: bool = True) -> Text:
    """What relevance brought, then what the score brought, to the scale of 0 to 1."""
    whole = min(round(place.blended * BAR), BAR)
    near = min(round(place.why.relevance * BAR), whole)
    full, part = "█▒" if unicode else "#+"
    return Text.assemble((full * near, "cyan"), (part * (whole - near), "green"), " " * (BAR - whole))


def _moved(before: int | None, now: int) -> str:
    """How many places the score moved somebody, where that is on the page."""
    return "" if before is None or before == now else f" ({before - now:+d})"


def _relevance(place: Place) -> str:
    back = "" if place.in_return is None else f" / {place.in_return:.3f}"
    return f"{place.relevance:.3f}{back}"


def _speaks_unicode(console: Console) -> bool:
    return console.encoding.lower().replace("-", "").startswith("utf")
