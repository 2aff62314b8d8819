"""Copies a text file so that DuckDB reads it safely: UTF-8, and one record a line.

Rules:
1. The copy has as many lines as the file, so that a line has one number in both. A field that goes on over
   several lines is joined, and blank lines keep the count.
2. A quote that is text, such as an inch mark, ends nothing: the lines after it are read as if it were not
   there. A quoted field goes on over a line only if what follows is no record by itself, and the joined
   record has as many fields as the header.
3. A byte order mark decides the encoding, whatever the mapping says. Bytes that are no text become U+FFFD,
   which no id may hold.
4. Lines above the header are left out: ``sep=;`` sets the delimiter, and titles of reports are no records.
"""

import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

from attrs import frozen

from sesame_sdk import records

#: Bytes that are read at a time.
BLOCK = 1 << 20
#: Bytes of one line; a longer one is rejected. DuckDB's own limit.
MAX_LINE = 1 << 21
#: Lines of one quoted field.
MAX_JOINED = 1000
#: Lines above the header.
_MAX_TITLES = 50
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
#: Takes the place of a line feed within a field. It is no printable character, so no id may hold it.
_JOINT = b"\x0b"
#: Takes the place of a line that is too long. It is neither a record nor JSON.
_TOO_LONG = b"\x01"
_separator_line = re.compile(rb'"?sep=(.)"?[\r,;\t]*', re.IGNORECASE).fullmatch
#: What DuckDB's JSON reader refuses or alters: half a surrogate pair, a number that is no exact double.
_is_altered = re.compile(rb"\\u[dD][89a-fA-F]|[0-9][eE][+-]?[0-9]|[0-9][0-9.]{15}").search
HINT = "name its columns in a mapping: sesame retail map FILE > FILE.toml"


@frozen
class Dialect:
    """How a text file is written.

    Attributes:
        encoding: by Python's name, without a byte order mark.
        delimiter: of CSV; empty for JSON lines.
        header: names of the columns of CSV, trimmed.
        offset: number of lines above the first record.
    """

    encoding: str
    delimiter: str = ""
    header: tuple[str, ...] = ()
    offset: int = 0


def detect_encoding(head: bytes, encoding: str) -> tuple[str, int]:
    """The encoding of a file that begins with `head`, and the length of its byte order mark."""
    for mark, name in _BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return name, len(mark)
    plain = codecs.lookup(encoding).name
    # Without a mark these would look for one in each piece.
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(plain, plain), 0


def read_text(stream: BinaryIO, encoding: str) -> tuple[str, Iterator[bytes]]:
    """The encoding of a stream, and its text in UTF-8, in blocks of whole lines."""
    head = stream.read(BLOCK)
    encoding, mark = detect_encoding(head, encoding)
    return encoding, whole_lines(_in_utf8(_blocks(stream, head[mark:]), encoding))


def _blocks(stream: BinaryIO, block: bytes) -> Iterator[bytes]:
    while block:
        yield block
        block = stream.read(BLOCK)


def _in_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == "utf-8":
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks of whole lines, which end with a line feed; a line of more than `MAX_LINE` bytes is cut off."""
    carry, skipping = b"", False
    for block in blocks:
        text = carry + block
        if skipping:
            end = text.find(b"\n") + 1
            if not end:
                continue
            text, carry, skipping = _TOO_LONG + text[end - 1 :], b"", False
        cut = text.rfind(b"\n") + 1 or text.rfind(b"\r", 0, -1) + 1
        carry = text[cut:]
        if cut:
            yield clean(text[:cut])
        if len(carry) > MAX_LINE // 2:
            carry, skipping = b"", True
    if carry or skipping:
        yield clean((_TOO_LONG if skipping else carry) + b"\n")


def clean(text: bytes) -> bytes:
    """Valid UTF-8 without NUL, with line feeds alone at the ends of lines."""
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            text = text.decode(errors="replace").encode()
    return text.replace(b"\0", "\ufffd".encode()) if b"\0" in text else text


def find_header(
    blocks: Iterator[bytes], encoding: str, delimiter: str, wanted: tuple[str, ...]
) -> tuple[Dialect, bytes]:
    """The dialect of a CSV file, and the text under the header in the blocks that were read.

    The header is the first record with all wanted columns. If no record has them by the given delimiter,
    the other usual ones are tried.

    Raises:
        InvalidInputError: no record has them, or one has a wanted column twice.
    """
    text = next(blocks, b"")
    lines = text.split(b"\n")[: _MAX_TITLES + MAX_JOINED]
    if separator := separator_of(lines[0]):
        delimiter, lines[0] = separator, b""
    for candidate in dict.fromkeys((delimiter, ",", ";", "\t", "|")):
        for header, after in islice(first_records(lines, candidate), _MAX_TITLES):
            if set(wanted) <= set(header):
                records.find_columns(header, wanted)
                rest = text.split(b"\n", after)[-1]
                return Dialect(encoding, candidate, tuple(header), after), rest
    first = next(
        (header for header, _ in islice(first_records(lines, delimiter), _MAX_TITLES) if len(header) > 1), []
    )
    records.find_columns(first, wanted, HINT)
    raise AssertionError("unreachable: the columns are missing")


def separator_of(line: bytes) -> str:
    """The delimiter that a line like ``sep=;`` sets; empty if it is another line."""
    match = _separator_line(line)
    return match[1].decode() if match else ""


def first_records(lines: list[bytes], delimiter: str) -> Iterator[tuple[list[str], int]]:
    """The first records that are not blank, trimmed, and the number of lines up to the end of each."""
    at = 0
    while at < len(lines):
        while at < len(lines) and not lines[at].strip():
            at += 1
        if at >= len(lines):
            return
        end = _record_end(lines, at)
        joined = _JOINT.join(lines[at : end or at + 1])
        at = end or at + 1
        fields = next(csv.reader([joined.decode()], delimiter=delimiter), [])
        yield [name.strip() for name in fields], at


def chained(first: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """A block and those after it."""
    yield first
    yield from blocks


def copy_records(blocks: Iterable[bytes], out: BinaryIO, dialect: Dialect) -> None:
    """Write records, one a line: of CSV or of JSON."""
    if not dialect.delimiter:
        out.writelines(exact_json(text) if _is_altered(text) else text for text in blocks)
        return
    repair = QuoteRepair(dialect.delimiter.encode(), len(dialect.header))
    out.writelines(repair.add(text) for text in blocks)
    out.write(repair.finish())


def exact_json(text: bytes) -> bytes:
    """JSON lines in which the numbers that DuckDB would alter are texts, as they were written."""
    lines = text.split(b"\n")
    for at, line in enumerate(lines):
        if _is_altered(line):
            try:
                record = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
            except (ValueError, RecursionError):
                continue
            lines[at] = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    return b"\n".join(lines)


def split_record(line: bytes, dialect: Dialect) -> list[str]:
    """The fields of a record of a copy."""
    return next(csv.reader([line.decode()], delimiter=dialect.delimiter), [])


class QuoteRepair:
    """Makes each record of CSV one line, and keeps a quote that is text from hiding the lines after it."""

    def __init__(self, delimiter: bytes, width: int) -> None:
        self._delimiter, self._width, self._carry = delimiter, width, b""
        sign = re.escape(delimiter)
        self._field = re.compile(b'(?:"((?:[^"]|"")*)"|([^' + sign + b"]*))(?:" + sign + b"|$)")
        field = b'(?:"(?:[^"]|"")*"|[^"' + sign + b"]*)"
        self._is_record = re.compile(field + b"(?:" + sign + field + b"){%d}" % (width - 1)).fullmatch
        self._blank_starts = (delimiter, b'""' + delimiter)
        blank = b'[ \t]|""'
        self._is_blank = re.compile(
            b"^(?:" + blank + b")*" + sign + b"(?:" + blank + b"|" + sign + b")*$", re.MULTILINE
        )

    def add(self, text: bytes) -> bytes:
        """The records of further whole lines, but for one that goes on."""
        return self._repair(self._carry + text, last=False)

    def finish(self) -> bytes:
        """The records that were still to go on."""
        return self._repair(self._carry, last=True)

    def _repair(self, text: bytes, *, last: bool) -> bytes:
        self._carry = b""
        if text.startswith(self._blank_starts) or any(b"\n" + start in text for start in self._blank_starts):
            text = self._is_blank.sub(b"", text)  # the empty rows of a spreadsheet
        return self._repair_lines(text.split(b"\n")[:-1], last=last) if _has_odd_line(text) else text

    def _repair_lines(self, lines: list[bytes], *, last: bool) -> bytes:
        done: list[bytes] = []
        at = 0
        while at < len(lines):
            if lines[at].count(b'"') & 1:
                end = _record_end(lines, at)
                if end is None and not last and len(lines) - at < MAX_JOINED:
                    self._carry = b"\n".join([*lines[at:], b""])
                    break
                record = self._one_record(lines[at : end or at + 1], lines[at + 1 : at + 2])
            else:
                record = [lines[at]]
            done += record
            at += len(record)
        return b"\n".join([*done, b""])

    def _one_record(self, lines: list[bytes], following: list[bytes]) -> list[bytes]:
        """The lines of a record whose first line has an odd number of quotes."""
        is_record = any(map(self._is_record, following))
        if len(lines) > 1 and not is_record:
            joined = _JOINT.join(lines)
            if len(self._fields(joined)) == self._width:
                return [joined, *[b""] * (len(lines) - 1)]
        fields = self._fields(lines[0])
        if len(fields) != self._width:  # left as one field, it is rejected alone
            return [lines[0].replace(b'"', b"'").replace(self._delimiter, b" ")]
        quoted = (b'"' + field.replace(b'"', b'""') + b'"' for field in fields)
        return [self._delimiter.join(quoted)]

    def _fields(self, line: bytes) -> list[bytes]:
        """The fields of a line; a quote that does not enclose a field is text."""
        fields, at = [], 0
        while at <= len(line):
            match = self._field.match(line, at)
            if match is None:
                break
            quoted, plain = match.groups()
            fields.append(plain if quoted is None else quoted.replace(b'""', b'"'))
            if match.end() == len(line) and not match.group().endswith(self._delimiter):
                break
            at = match.end()
        return fields


def _has_odd_line(text: bytes) -> bool:
    """Whether a line has an odd number of quotes; the lines without one are passed over."""
    is_odd = False
    for part in text.split(b'"')[1:]:
        is_odd = not is_odd
        if b"\n" in part:
            if is_odd:
                return True
            is_odd = False
    return is_odd


def _record_end(lines: list[bytes], at: int) -> int | None:
    """The index after the last line of the record that begins at `at`, by its quotes; None if it goes on."""
    quotes = 0
    for end, line in enumerate(islice(lines, at, at + MAX_JOINED), at + 1):
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            return end
    return None
