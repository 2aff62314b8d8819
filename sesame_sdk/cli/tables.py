"""Rows as a table on a terminal, and as tab-separated lines in a pipe.

Rules:
    * a terminal gets aligned columns that fold at spaces; where the longest words do not fit, ids and URLs
      are shortened in the middle; where that is not enough, or sentences would fold into narrow columns,
      each row becomes a list of its fields
    * a pipe gets one line a row with whole values, without padding, unless COLUMNS asks for a width
    * cells hold what partners and plugins wrote: they are never markup, and control and bidi characters are
      removed
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from sesame_sdk.text import terminal_text

Row = Mapping[str, Any]

_GAP = "  "
#: Words up to this many characters, such as names of kinds, are never shortened.
_MAX_WHOLE = 28
#: Longer ones, which are ids and URLs, are not shortened below this many.
_MIN_SHORTENED = 20
#: A column of sentences is not folded below this many.
_MIN_FOLDED = 20


def render_table(
    rows: Sequence[Row], title: str = "", *, stream: TextIO | None = None, styles: Sequence[str] = ()
) -> str:
    """A table as text, for where it is printed: `stream`, or else stdout. A pipe gets no title.

    `styles` are those of each row's first cell on a terminal.
    """
    stream = stream or sys.stdout
    if not has_width(stream):
        return _separated(rows)
    console = Console(file=stream, highlight=False)
    with console.capture() as capture:
        if title:
            console.print(Text(terminal_text(title), style="bold"), soft_wrap=True)
        for line in _Layout(rows, console).lines(styles or [""] * len(rows)):
            console.print(line, soft_wrap=True)
    return "".join(f"{line.rstrip(' ')}\n" for line in capture.get().splitlines())


def has_width(stream: TextIO) -> bool:
    """Whether output has a width: on a terminal (or with FORCE_COLOR), and where COLUMNS gives one."""
    return Console(file=stream).is_terminal or os.environ.get("COLUMNS", "").isdecimal()


def _separated(rows: Sequence[Row]) -> str:
    lines = ["\t".join(map(terminal_text, rows[0]))]
    lines += ["\t".join(_raw(value) for value in row.values()) for row in rows]
    return "".join(f"{line}\n" for line in lines)


class _Layout:
    """A table whose columns fit a console's width."""

    def __init__(self, rows: Sequence[Row], console: Console) -> None:
        self._console = console
        self._names = [terminal_text(name) for name in rows[0]]
        # Amounts arrive as text, so that no penny is lost to a float.
        self._numeric = [
            {_is_number(row[name]) for row in rows if row[name] is not None} == {True} for name in rows[0]
        ]
        self._rows = [[_cell(value) for value in row.values()] for row in rows]

    def lines(self, styles: Sequence[str]) -> Iterator[Text]:
        """The lines of the table."""
        widths = self._widths(shortened=False)
        if widths is None and (widths := self._widths(shortened=True)):
            self._rows = [
                [_shorten_words(cell, width) for cell, width in zip(row, widths, strict=True)]
                for row in self._rows
            ]
        if widths is None or self._is_cramped(widths):
            yield from self._records(styles)
            return
        yield from self._line(self._names, widths, ["bold"] * len(widths))
        yield Text(_GAP.join("─" * width for width in widths))
        for row, style in zip(self._rows, styles, strict=True):
            yield from self._line(row, widths, [style, *[""] * (len(widths) - 1)])

    def _widths(self, *, shortened: bool) -> list[int] | None:
        """A width for each column: all of it, or what folding at spaces needs; None if they do not fit."""
        free = self._console.width - len(_GAP) * (len(self._names) - 1)
        columns = [[name, *cells] for name, *cells in zip(self._names, *self._rows, strict=True)]
        whole = [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in columns]
        widths = [
            min(size, max(_min_width(cell, shortened=shortened) for cell in column))
            for column, size in zip(columns, whole, strict=True)
        ]
        if sum(widths) > free:
            return None
        # The rest goes to the columns that fold, evenly, until each has all that it wants.
        while growing := [at for at, size in enumerate(whole) if widths[at] < size]:
            share = (free - sum(widths)) // len(growing)
            if not share:
                break
            for at in growing:
                widths[at] = min(whole[at], widths[at] + share)
        return widths

    def _is_cramped(self, widths: Sequence[int]) -> bool:
        columns = zip(*self._rows, strict=True)
        wanted = (max(cell_len(line) for cell in column for line in cell.split("\n")) for column in columns)
        return any(width < min(want, _MIN_FOLDED) for width, want in zip(widths, wanted, strict=True))

    def _line(self, cells: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> Iterator[Text]:
        folded = [
            Text(cell, style=style).wrap(self._console, width, justify="right" if numeric else "left")
            for cell, width, style, numeric in zip(cells, widths, styles, self._numeric, strict=True)
        ]
        for at in range(max(map(len, folded))):
            parts = [
                lines[at] if at < len(lines) else Text(" " * width)
                for lines, width in zip(folded, widths, strict=True)
            ]
            for part, width in zip(parts, widths, strict=True):
                part.pad_right(width - part.cell_len)
            yield Text(_GAP).join(parts)

    def _records(self, styles: Sequence[str]) -> Iterator[Text]:
        """Each row as a list of its fields: where a table does not fit."""
        label = max(map(cell_len, self._names))
        width = max(self._console.width - label - len(_GAP), 1)
        for number, (row, style) in enumerate(zip(self._rows, styles, strict=True)):
            if number:
                yield Text()
            for name, cell in zip(self._names, row, strict=True):
                for at, line in enumerate(Text(cell, style=style).wrap(self._console, width)):
                    head = Text("" if at else name, style="bold")
                    head.pad_right(label - head.cell_len)
                    line.rstrip()
                    yield Text(_GAP).join((head, line))
                style = ""


def _min_width(cell: str, *, shortened: bool) -> int:
    longest = max(map(cell_len, cell.split()), default=0)
    if shortened and longest > _MAX_WHOLE:
        return max([_MIN_SHORTENED, *(size for size in map(cell_len, cell.split()) if size <= _MAX_WHOLE)])
    return longest


def _shorten_words(cell: str, width: int) -> str:
    return "\n".join(" ".join(_shorten(word, width) for word in line.split(" ")) for line in cell.split("\n"))


def _shorten(word: str, width: int) -> str:
    """A word with its middle left out; its ends tell ids and URLs apart."""
    if cell_len(word) <= width:
        return word
    tail = (width - 1) // 2
    return f"{word[: width - 1 - tail]}…{word[-tail:]}"


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
            return terminal_text(str(value)) or "-"


def _raw(value: object) -> str:
    """A value for other programs: numbers without separators, the members of a list on one line."""
    match value:
        case float():
            return f"{value:.2f}"
        case bool() | None:
            return _cell(value)
        case tuple() | list():
            return ",".join(terminal_text(str(member)) for member in value) or "-"
        case _:
            return terminal_text(str(value)) or "-"
