"""What every command shares: where output goes, how it looks, how long work shows its progress.

Rules:
    * data goes to stdout, all else to stderr
    * what others wrote is shown as it is: never as markup, and without control or bidi characters
    * a pipe gets whole lines, unless COLUMNS asks for a width
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
import msgspec
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
from rich.text import Text

from sesame_sdk.cli.tables import Row, rendered
from sesame_sdk.text import terminal_text

Command = Callable[..., Any]

as_json = click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")


def stderr() -> Console:
    """Where notes, errors and progress go. Made when needed, so that redirection is honoured."""
    return Console(stderr=True, highlight=False)


def note(message: str) -> None:
    """Tell the person something that is not data."""
    stderr().print(Text(terminal_text(message)), soft_wrap=True)


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
        # Not click.echo, which would take the colours out again where FORCE_COLOR asks for them.
        sys.stdout.write(rendered(rows, title))
    else:
        note(empty)


def emit(data: object) -> None:
    """Print one JSON document on stdout."""
    plain_ascii = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    click.echo(json.dumps(msgspec.to_builtins(data), ensure_ascii=plain_ascii, indent=2))


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr; yields a function that moves it on by so many."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = stderr()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)
