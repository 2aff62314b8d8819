"""Rows with a deadline, each with how it stands in the colour that means it."""

import sys
from collections.abc import Sequence

from sesame_sdk.cli.console import note
from sesame_sdk.cli.tables import Row, rendered

STYLES = {
    "overdue": "bold red",
    "late": "red",
    "soon": "yellow",
    "open": "cyan",
    "kept": "green",
    "done": "green",
}


def show(rows: Sequence[Row], *, title: str = "", empty: str = "nothing") -> None:
    """Print rows that have a ``standing``, which becomes the first column and is said in words too."""
    if not rows:
        note(empty)
        return
    ordered = [{"standing": row["standing"]} | dict(row) for row in rows]
    styles = [STYLES.get(row["standing"], "") for row in ordered]
    sys.stdout.write(rendered(ordered, title, styles=styles))
