"""Rows for people, or as JSON. Cells hold what strangers wrote, so none is believed."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from sesame_sdk import terminal_text


def print_table(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows with the same keys on stdout: aligned, or as a JSON array in ASCII."""
    if as_json:
        click.echo(json.dumps(list(rows), indent=2))
    elif not rows:
        click.echo(empty)
    else:
        _print(rows)


def _print(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name, value in rows[0].items():
        table.add_column(name, justify="right" if isinstance(value, float) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    # A pipe to grep or less should get whole lines.
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)


def _cell(value: object) -> str:
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
