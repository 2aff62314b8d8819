"""Prints rows as a table or as JSON. Cells hold text from outside, which is made safe for a terminal."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from sesame_sdk import terminal_text

_PIPE_WIDTH = 200  # a pipe gets whole lines


def print_table(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows with the same keys on stdout: as a table, or as a JSON array in ASCII."""
    if as_json:
        click.echo(json.dumps(list(rows), indent=2))
        return
    if not rows:
        click.echo(empty)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name, value in rows[0].items():
        table.add_column(name, justify="right" if isinstance(value, float) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_format(value)) for value in row.values()))
    Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def _format(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}"
        case list() | tuple():
            return ", ".join(map(str, value)) or "-"
        case _:
            return terminal_text(str(value))
