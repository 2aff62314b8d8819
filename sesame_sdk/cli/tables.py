"""Rows as a table for people. Cells hold what partners and plugins wrote, so none is believed."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sesame_sdk.text import terminal_text

Row = Mapping[str, Any]

#: Columns up to this wide stay whole while the wider ones have `_LEAST` each.
_SHORT = 28
_LEAST = 16
#: For pipes: wider than any row, so that grep and less see whole lines.
_ENDLESS = 100_000


def rendered(
    rows: Sequence[Row], title: str = "", *, stream: TextIO | None = None, styles: Sequence[str] = ()
) -> str:
    """A table as text, as wide as where it goes; lines end without blanks.

    Args:
        rows: mappings with the same keys, in the order of the columns.
        title: above the table.
        stream: where it goes; stdout if it is not said.
        styles: how the first cell of each row looks where there are colours.
    """
    stream = stream or sys.stdout
    console = Console(file=stream, highlight=False, width=_width(stream))
    with console.capture() as captured:
        if title:
            console.print(Text(terminal_text(title), style="bold"), soft_wrap=True)
        console.print(_table(rows, console.width, styles or [""] * len(rows)))
    return "".join(f"{line.rstrip(' ')}\n" for line in captured.get().splitlines())


def _width(stream: TextIO) -> int | None:
    """None lets Rich ask the terminal, or COLUMNS."""
    return None if stream.isatty() or os.environ.get("COLUMNS", "").isdecimal() else _ENDLESS


def _table(rows: Sequence[Row], width: int, styles: Sequence[str]) -> Table:
    table = Table(header_style="bold", box=box.SIMPLE_HEAD)
    lines = [[_cell(value) for value in row.values()] for row in rows]
    whole = _kept_whole([list(rows[0]), *lines], width)
    for column, keep in zip(rows[0], whole, strict=True):
        # Amounts arrive as text, so that no penny is lost to a float.
        numbers = all(row[column] is None or _is_number(row[column]) for row in rows)
        header = Text(terminal_text(column))
        table.add_column(header, justify="right" if numbers else "left", overflow="fold", no_wrap=keep)
    for (first, *others), style in zip(lines, styles, strict=True):
        table.add_row(Text(first, style=style), *map(Text, others))
    return table


def _kept_whole(lines: Sequence[Sequence[str]], width: int) -> list[bool]:
    """Which columns must not be folded: the short ones, if that leaves room for the others."""
    widest = [max(_widest(cell) for cell in column) for column in zip(*lines, strict=True)]
    taken = sum(each + 2 for each in widest if each <= _SHORT)
    folding = sum(each > _SHORT for each in widest)
    roomy = taken + folding * (_LEAST + 2) + 2 <= width
    return [roomy and each <= _SHORT for each in widest]


def _widest(cell: str) -> int:
    return max(map(cell_len, cell.split("\n")))


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return value.replace(",", "").replace(".", "", 1).removeprefix("-").isdecimal()
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.2f}"
        case int():
            return f"{value:,}"
        case tuple() | list():
            return "\n".join(terminal_text(str(member)) for member in value) or "-"
        case _:
            return terminal_text(str(value))
