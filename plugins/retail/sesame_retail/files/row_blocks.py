"""Order lines by their columns, whatever form the file has: what `LineGrouper` asks of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from sesame_retail.files.field_parsers import AmountParser

#: Lines that stand together and agree in the columns that say whose they are: what those hold, how many
#: lines, what they come to in ten-thousandths, and what of that is above zero.
Run = tuple[tuple[str, ...], int, int, int]


class Rows(ABC):
    """Many lines, all of which have every column."""

    @abstractmethod
    def column(self, index: int) -> Sequence[str]:
        """The texts of one column."""

    @abstractmethod
    def place(self, row: int) -> tuple[int, str]:
        """The number in the file of the line on which a row begins, and the line."""

    def runs(self, which: Sequence[int], worth: Sequence[int], amounts: AmountParser) -> Iterator[Run]:
        """The lines, in runs.

        Args:
            which: columns that say whose they are.
            worth: columns that say what they come to.
            amounts: reads those.

        Raises:
            Unreadable: for an amount that cannot be read, before there is any run.
        """
        worths = list(amounts.parse_columns([self.column(index) for index in worth]))
        return group_runs(zip(*map(self.column, which), strict=True), worths)


class TextRows(Rows):
    """Rows of a text in which not every line need be good.

    Attributes:
        bad: where no row could be read: the index of the line, and why.
    """

    bad: list[tuple[int, str]]

    @abstractmethod
    def line(self, at: int) -> tuple[int, str]:
        """The number in the file of a line by its index here, and the line."""


class ColumnRows(Rows):
    """Rows whose columns are lists.

    Args:
        columns: texts.
        place: the number of a row's line, and the line.
    """

    def __init__(self, columns: Sequence[Sequence[str]], place: Callable[[int], tuple[int, str]]) -> None:
        self._columns, self._place = columns, place

    def column(self, index: int) -> Sequence[str]:
        """The texts of one column."""
        return self._columns[index]

    def place(self, row: int) -> tuple[int, str]:
        """The number of a row's line, and the line."""
        return self._place(row)


def group_runs(rows: Iterable[tuple[str, ...]], worths: Sequence[int]) -> Iterator[Run]:
    """Equal rows that stand together, counted and summed in C."""
    at = 0
    for which, run in groupby(rows):
        lines = len(list(run))
        found = worths[at : at + lines]
        yield which, lines, sum(found), sum(worth for worth in found if worth > 0)
        at += lines
