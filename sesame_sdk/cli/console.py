"""What every command shares: where output goes, how it looks, how long work shows its progress."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
import msgspec
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

Row = Mapping[str, Any]
Command = Callable[..., Any]

as_json = click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")


def stderr() -> Console:
    """Where notes, errors and progress go. Made when needed, so that redirection is honoured."""
    return Console(stderr=True, highlight=False)


def note(message: str) -> None:
    """Tell the person something that is not data."""
    stderr().print(message, soft_wrap=True)


def show(rows: Sequence[Row], *, as_json: bool, title: str = "", empty: str = "nothing") -> None:
    """Print rows of like shape: a table for people, a JSON list for programs.

    Args:
        rows: mappings with the same keys, in the order of the columns.
        as_json: JSON instead of a table.
        title: above the table.
        empty: what to say on stderr when there are no rows.
    """
    if as_json:
        emit(rows)
    elif rows:
        Console(highlight=False, width=_width()).print(_table(rows, title))
    else:
        note(empty)


def emit(data: object) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(msgspec.to_builtins(data), ensure_ascii=False, indent=2))


def _width() -> int | None:
    # Rich folds at 80 columns when nobody watches; a pipe to grep or less should get whole lines.
    return None if sys.stdout.isatty() else 200


def _table(rows: Sequence[Row], title: str) -> Table:
    table = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
    )
    for column in rows[0]:
        # Amounts arrive as text, so that no penny is lost to a float.
        numbers = all(row[column] is None or _is_number(row[column]) for row in rows)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


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
            return "\n".join(str(member) for member in value) or "-"
        case _:
            return str(value)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; yields a function that moves it on by so many."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = stderr()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)
