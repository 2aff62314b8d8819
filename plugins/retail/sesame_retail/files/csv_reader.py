"""Lines of CSV as fields, as `csv.reader` reads them, in a fraction of its time.

Rules:
1. Lines without a quote are split at their delimiters. Many are split in one call, with a mark
   put after each line, so that a column is every n-th field, and a line that is too long or too short
   is detected: its mark is in the wrong place.
2. A record that begins on a line with a quote is read by `csv.reader`, over as many lines as it takes.
3. No list is made for a line: Python's garbage collector would visit thousands of them repeatedly, which
   alone took longer than reading them.
"""

import codecs
import csv
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import BinaryIO

from sesame_retail.files.row_blocks import TextRows

#: Bytes taken from a file at a time; with fewer, the calls of numpy cost more than its work.
BLOCK = 1 << 19
#: Characters of one record; csv itself refuses a field of more than 131,072.
MAX_RECORD = 1 << 20
END = "\n"


class UnfinishedRecordError(Exception):
    """The text ends inside a quoted field."""


class Block(TextRows):
    """The records of some lines.

    Attributes:
        first: number of the first line; the first of a file is 1.
        fields: of all good records, one after the other, with `END` after each.
    """

    def __init__(self, text: str, first: int, width: int) -> None:
        self.text = text
        self.first = first
        self.fields: list[str] = []
        self.bad: list[tuple[int, str]] = []
        self._stride = width + 1
        self._rows, self._at = [0], [0]

    def column(self, index: int) -> list[str]:
        """The field at an index, of each record."""
        return self.fields[index :: self._stride]

    def place(self, row: int) -> tuple[int, str]:
        """The number of the line on which a record begins, and the line."""
        run = bisect_right(self._rows, row) - 1
        return self.line(self._at[run] + row - self._rows[run])

    def line(self, at: int) -> tuple[int, str]:
        """The number of a line by its index here, and the line."""
        return self.first + at, self._lines[at]

    def append(self, fields: list[str], at: int) -> None:
        """Add records, the first of which begins at the line of that index and each of which is one line."""
        self._rows.append(len(self.fields) // self._stride)
        self._at.append(at)
        self.fields += fields

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")


def read_lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Whole lines, many at a time, each ended by a line feed; other bytes become lone surrogates."""
    decode = codecs.getincrementaldecoder(encoding)("surrogateescape").decode
    carry = ""
    while data := stream.read(BLOCK):
        text = carry + decode(data)
        cut = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
        if not cut and len(text) > MAX_RECORD:
            cut = len(text)  # no line is that long; it is refused in pieces
        carry = text[cut:]
        if cut:
            yield normalize_line_ends(text[:cut])
    if carry := carry + decode(b"", True):
        yield normalize_line_ends(carry)


def normalize_line_ends(text: str) -> str:
    """A text with line feeds alone at the end of its lines, the last one too."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else text + "\n"


class CsvReader:
    """A file's records, from its text in whole lines."""

    def __init__(self, parts: Iterable[str], delimiter: str) -> None:
        self._parts = iter(parts)
        self._delimiter = delimiter
        self._text, self._first = "", 1
        self.header = self._header()

    def _header(self) -> list[str]:
        """The first record that is not blank."""
        for part in self._parts:
            self._text += part
            at = 0
            while at < len(self._text):
                try:
                    row, after = read_record(self._text, at, self._delimiter)
                except (UnfinishedRecordError, csv.Error):
                    break
                if any(row):
                    self._first += self._text.count("\n", 0, after)
                    self._text = self._text[after:]
                    return row
                at = after
            if len(self._text) > MAX_RECORD:
                break
        return []

    def blocks(self) -> Iterator[TextRows]:
        """The records under the header."""
        width = len(self.header)
        if self._text:
            yield from self._read(self._text, width)
        for part in self._parts:
            yield from self._read(self._carry + part, width)
        if self._carry:
            yield split_records(self._carry, self._delimiter, width, first=self._first, last=True)[0]

    _carry = ""

    def _read(self, text: str, width: int) -> Iterator[TextRows]:
        from sesame_retail.files import csv_scanner  # numpy takes a while

        scanned = csv_scanner.scan_csv(text, self._delimiter, width, first=self._first)
        if scanned is not None:
            self._carry = ""
            self._first += scanned.lines
            yield scanned
            return
        block, used = split_records(
            text, self._delimiter, width, first=self._first, last=len(text) > 2 * MAX_RECORD
        )
        self._carry = text[used:]
        self._first += text.count("\n", 0, used)
        yield block


def split_records(
    text: str, delimiter: str, width: int, *, first: int = 1, last: bool = False
) -> tuple[Block, int]:
    """The records of a text in whole lines, and how much of it they took: the rest is a record that goes on.

    After the last text nothing follows: what is unfinished is read as it is.
    """
    block = Block(text, first, width)
    done = line = 0
    while (quote := text.find('"', done)) >= 0:
        start = text.rfind("\n", 0, quote) + 1
        line = _split_unquoted(block, text[done:start], delimiter, width, line)
        try:
            row, done = read_record(text, start, delimiter, last=last)
        except UnfinishedRecordError:
            return block, start
        except csv.Error as error:
            row, done = [], error.args[1]
            block.bad.append((line, "unreadable line"))
        if len(row) == width:
            block.append([*row, END], line)
        elif row:
            block.bad.append((line, "wrong number of columns"))
        line += text.count("\n", start, done)
    _split_unquoted(block, text[done:], delimiter, width, line)
    return block, len(text)


def _split_unquoted(block: Block, text: str, delimiter: str, width: int, line: int) -> int:
    """Read lines without a quote; the index of the line after them."""
    if not text:
        return line
    fields = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
    fields.pop()  # what stands behind the last mark
    lines = text.count("\n")
    marks = fields[width :: width + 1]
    if len(marks) == lines == marks.count(END) and len(fields) == lines * (width + 1):
        block.append(fields, line)
        return line + lines
    for at, text_line in enumerate(text.split("\n")[:-1], line):
        row = text_line.split(delimiter)
        if len(row) == width:
            block.append([*row, END], at)
        elif text_line:
            block.bad.append((at, "wrong number of columns"))
    return line + lines


def read_record(text: str, start: int, delimiter: str, *, last: bool = False) -> tuple[list[str], int]:
    """The record that begins at `start`, and where the next one does.

    Raises:
        UnfinishedRecordError: it goes on after the text.
        csv.Error: it cannot be read; the second argument is where the next one begins.
    """
    end = text.index("\n", start)
    before, *quoted = text[start:end].split('"')
    if len(quoted) == 2 and before[-1:] in ("", delimiter) and quoted[1][:1] in ("", delimiter):
        # One quoted field with nothing special in it, as most have: csv would take five times as long.
        return _split_around_quotes(before, quoted[0], quoted[1], delimiter), end + 1
    after = start

    def lines() -> Iterator[str]:
        nonlocal after
        while after < len(text):
            begin, after = after, text.index("\n", after) + 1
            yield text[begin:after]
        if not last:
            raise UnfinishedRecordError

    try:
        return next(csv.reader(lines(), delimiter=delimiter), []), after
    except csv.Error as error:
        raise csv.Error("unreadable line", after) from error


def _split_around_quotes(before: str, quoted: str, after: str, delimiter: str) -> list[str]:
    row = before[:-1].split(delimiter) if before else []
    row.append(quoted)
    return row + after[1:].split(delimiter) if after else row
