"""Output of every command: tables, JSON, messages and progress.

Data goes to stdout, all else to stderr. Text of partners and plugins is printed as it is: never as markup,
without control or bidi characters.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from sesame_sdk.cli.tables import Row, has_width, render_table
from sesame_sdk.text import terminal_text

#: Colours of a deadline's status.
DEADLINE_STYLES = {
    "overdue": "bold red",
    "late": "red",
    "due soon": "yellow",
    "open": "cyan",
    "met": "green",
    "done": "green",
}


def stderr() -> Console:
    """The console for messages, errors and progress. Made on each call, so that redirection is honoured."""
    return Console(stderr=True, highlight=False)


def print_note(message: str) -> None:
    """Print a message on stderr."""
    stderr().print(Text(terminal_text(message)), soft_wrap=True)


def print_text(line: str) -> None:
    """Print a sentence on stdout, folded at spaces if that has a width."""
    if has_width(sys.stdout):
        Console(highlight=False).print(Text(terminal_text(line)))
    else:
        click.echo(terminal_text(line))


def print_rows(
    rows: Sequence[Row],
    *,
    as_json: bool = False,
    title: str = "",
    empty: str = "nothing to list",
    styles: Sequence[str] = (),
) -> None:
    """Print rows on stdout: a table on a terminal, tab-separated lines in a pipe, or a JSON list.

    The title is above the table, and on stderr in a pipe. `styles` are those of each row's first cell.
    """
    if as_json:
        print_json(rows)
        return
    if title and not (rows and has_width(sys.stdout)):
        print_note(title)
    if rows:
        # Not click.echo, which removes the colours that FORCE_COLOR asks for.
        sys.stdout.write(render_table(rows, title, styles=styles))
    else:
        print_note(empty)


def print_deadlines(rows: Sequence[Row], *, title: str = "", empty: str = "nothing to list") -> None:
    """Print rows that have a ``deadline_status``: as the first column, in the colour of the status."""
    ordered = [{"deadline_status": row["deadline_status"]} | dict(row) for row in rows]
    styles = [DEADLINE_STYLES.get(row["deadline_status"], "") for row in ordered]
    print_rows(ordered, title=title, empty=empty, styles=styles)


def print_json(data: object) -> None:
    """Print one JSON document on stdout."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    click.echo(json.dumps(msgspec.to_builtins(data), ensure_ascii=ascii_only, indent=2))


class ProgressBar:
    """A bar that is being drawn; calling it with a number of steps advances it."""

    def __init__(self, progress: Progress, description: str, total: float | None) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total)

    def __call__(self, steps: float) -> None:
        """Advance the bar."""
        self._progress.advance(self._task, steps)

    def restart(self, description: str, total: float | None) -> None:
        """Begin the next stage of the work at zero."""
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(description, total=total)


@contextmanager
def progress_bar(description: str, total: float | None = None) -> Iterator[ProgressBar]:
    """Draw a bar on stderr, if that is a terminal."""
    console = stderr()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        # On a narrow terminal the bar shrinks, and no number wraps.
        _CountColumn(table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield ProgressBar(progress, description, total)


class _CountColumn(ProgressColumn):
    """How many steps are done, of how many if that is known, and how many a second."""

    def render(self, task: Task) -> Text:
        """As text."""
        total = "" if task.total is None else f" of {int(task.total):,}"
        speed = task.finished_speed or task.speed
        rate = "" if speed is None else f", {int(speed):,}/s"
        return Text(f"{int(task.completed):,}{total}{rate}", style="progress.download")
