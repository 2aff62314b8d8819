"""A ranking as a table for people: who stands where, a bar of what brought them there, and why in words."""

import sys
import unicodedata
from collections.abc import Mapping

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sesame_baihe.answer import Place, Ranked

BAR = 20
_ENDLESS = 400  # a pipe to grep or less should get whole lines
_COLUMNS = ("place", "profile", "relevance", "score", "blended", "", "why", "without the score")
_LEFT = ("profile", "", "why", "without the score")


def show(ranked: Ranked, names: Mapping[str, str]) -> None:
    """Print it on stdout, and under it what made the order.

    Args:
        ranked: the ranking.
        names: the site's own id of each pseudonym.
    """
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _ENDLESS)
    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for column in _COLUMNS:
        # Whoever reads has a screen of some width: the words may fold, the figures may not.
        table.add_column(column, justify="left" if column in _LEFT else "right", no_wrap=column != "why")
    before = {profile: place for place, profile in enumerate(ranked.order_without_score, start=1)}
    pairs = zip(ranked.places, ranked.order_without_score, strict=True)
    for number, (place, other) in enumerate(pairs, start=1):
        table.add_row(
            f"{number}{_moved(before.get(place.profile), number)}",
            Text(_plain(names[place.profile])),
            _relevance(place),
            "none" if place.score is None else f"{place.score:.2f}",
            f"{place.blended:.4f}",
            bar(place, unicode=_speaks_unicode(console)),
            Text(place.words()),
            Text(_plain(names[other])),
        )
    console.print(table)
    console.print(ranked.parameters.words())


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


def _plain(name: str) -> str:
    """A name that does nothing to a terminal: no control characters (Cc), no hidden ones (Cf)."""
    return "".join(one for one in name if unicodedata.category(one) not in ("Cc", "Cf"))
