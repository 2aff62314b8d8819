"""How far a file is: a bar on stderr, first of bytes that are read, then of orders that are told."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from sesame_retail.files.compression import Source
from sesame_retail.grouping.line_grouping import Order
from sesame_sdk import Skipped

#: Orders between two looks at the bar.
_STEP = 500


class _Done(ProgressColumn):
    """How much of how much."""

    def render(self, task: Task) -> Text:
        """Bytes, or orders."""
        total = "?" if task.total is None else _said(task, task.total)
        return Text(f"{_said(task, task.completed)} of {total}", style="progress.download")


class _Rate(ProgressColumn):
    """How much a second."""

    def render(self, task: Task) -> Text:
        """Bytes or orders a second; a question mark while that is not known."""
        speed = task.finished_speed or task.speed
        return Text("?" if speed is None else f"{_said(task, speed)}/s", style="progress.data.speed")


def _said(task: Task, amount: float) -> str:
    return decimal(int(amount)) if task.fields["bytes"] else f"{int(amount):,} orders"


class Bar:
    """Sees a file being read, and its orders going by.

    Args:
        progress: what draws.
        telling: what becomes of the orders: "sending".
    """

    def __init__(self, progress: Progress, telling: str) -> None:
        self._progress, self._telling = progress, telling
        self._task: TaskID | None = None
        self._source: Source | None = None

    def opened(self, source: Source) -> None:
        """A file is open."""
        self._source = source
        self._task = self._progress.add_task("reading", total=source.size, bytes=True)

    def moved(self) -> None:
        """Some more of it was read."""
        if self._source is not None and self._task is not None:
            self._progress.update(self._task, completed=self._source.position())

    def grouped(self, orders: int) -> None:
        """It was read, and holds so many orders."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(self._telling, total=orders, bytes=False)

    def passing(self, events: Iterator[Order | Skipped]) -> Iterator[Order | Skipped]:
        """The same events; orders among them move the bar."""
        orders = 0
        for event in events:
            orders += isinstance(event, Order)
            if orders % _STEP == 0 and self._task is not None and isinstance(event, Order):
                self._progress.update(self._task, completed=orders)
            yield event


@contextmanager
def bar(telling: str) -> Iterator[Bar]:
    """A bar, where there is a terminal to draw it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:>9}"), BarColumn(), _Done(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bar(progress, telling)
