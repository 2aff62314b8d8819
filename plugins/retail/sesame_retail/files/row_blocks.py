"""Order lines by columns, independent of the file format."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from sesame_retail.files.field_parsers import AmountParser

#: Adjacent lines with equal key columns: these values, the number of lines, their sum in ten-thousandths, and
#: the sum of its positive parser.
Run = tuple[tuple[str, ...], int, int, int]


class Rows(ABC):
    """Many lines, all of which have every column."""

    @abstractmethod
    def column(self, index: int) -> Sequence[str]:
        """The texts of one column."""

    @abstractmethod
    def place(self, row: int) -> tuple[int, str]:
        """The number in the file of the line on which a row begins, and the line."""

    def runs(
        self, key_columns: Sequence[int], amount_columns: Sequence[int], parser: AmountParser
    ) -> Iterator[Run]:
        """The lines, in runs of equal key columns.

        Raises:
            UnreadableFieldError: for an amount that cannot be parsed, before the first run.
        """
        amounts = list(parser.parse_columns([self.column(index) for index in amount_columns]))
        return group_runs(zip(*map(self.column, key_columns), strict=True), amounts)


class TextRows(Rows):
    """Rows of a text that may have bad lines: the index and the reason of each that cannot be read."""

    bad: list[tuple[int, str]]

    @abstractmethod
    def line(self, at: int) -> tuple[int, str]:
        """The number in the file of a line by its index here, and the line."""


class ColumnRows(Rows):
    """Rows given as lists of texts, one a column."""

    def __init__(self, columns: Sequence[Sequence[str]], place: Callable[[int], tuple[int, str]]) -> None:
        self._columns, self._place = columns, place

    def column(self, index: int) -> Sequence[str]:
        """The texts of one column."""
        return self._columns[index]

    def place(self, row: int) -> tuple[int, str]:
        """The number of a row's line, and the line."""
        return self._place(row)


def group_runs(rows: Iterable[tuple[str, ...]], amounts: Sequence[int]) -> Iterator[Run]:
    """Adjacent equal rows, counted and summed in C."""
    at = 0
    for key, run in groupby(rows):
        lines = len(list(run))
        run_amounts = amounts[at : at + lines]
        yield key, lines, sum(run_amounts), sum(amount for amount in run_amounts if amount > 0)
        at += lines
