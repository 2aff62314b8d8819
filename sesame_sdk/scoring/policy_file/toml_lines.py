"""Which line of a TOML text says what: `tomllib` gives values and forgets where they stood.

Rules:
    * the text is TOML that `tomllib` has read; what it would refuse is not looked for again
    * a key's line is where the key stands; an array's is where it begins; a member of an array has its own
    * a table that only its members name ([a.b] names a) has the line of the first that does
    * lines help a person to find a place, and nothing depends on them: an unknown place has none
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import suppress

from attrs import define, field

Path = tuple[str | int, ...]

_BLANKS = re.compile(r"[ \t]*")
_NOTHING = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*'")
#: One text, number, date or truth. A multi-line text may end in five quotes, of which two are its own.
_SCALAR = re.compile(
    r"\"{3}(?:[^\\]|\\.)*?\"{3,5}|'{3}.*?'{3,5}|\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^,\]}#\r\n]+", re.DOTALL
)


def key_lines(text: str) -> Mapping[Path, int]:
    """The line, from 1, of every key and every member of an array in `text`.

    A path is made of keys and, within arrays, of places from 0: ``("kinds", 0, "cap")``.
    """
    scanner = _Scanner(text)
    # Nested as deep as nothing of ours, or no TOML after all: what was found so far is right.
    with suppress(RecursionError, ValueError):
        scanner.run()
    return scanner.lines


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """The line of `path`, or of the nearest thing around it that has one."""
    around = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[each] for each in around if each in lines), None)


@define
class _Scanner:
    text: str
    at: int = 0
    lines: dict[Path, int] = field(factory=dict)
    _ends: list[int] = field(init=False)
    _tables: dict[Path, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._ends = [found.start() for found in re.finditer("\n", self.text)]

    def run(self) -> None:
        """Read table after table."""
        table: Path = ()
        while self._more():
            table = self._header() if self._sees("[") else self._pair(table)

    def _header(self) -> Path:
        """``[a.b]`` or ``[[a.b]]``: the path of the table that it opens."""
        started, double = self.at, self.text.startswith("[[", self.at)
        self.at += 1 + double
        *above, last = self._names()
        self.at = self.text.index("]", self.at) + 1 + double
        path: Path = ()
        for name in above:
            path = self._found((*path, name), started)
            if path in self._tables:  # a name above means the latest table of its array
                path = (*path, self._tables[path])
        path = self._found((*path, last), started)
        if not double:
            return path
        self._tables[path] = self._tables.get(path, -1) + 1
        return self._found((*path, self._tables[path]), started)

    def _pair(self, table: Path) -> Path:
        """``a.b = value``; gives back `table`, which it leaves as it was."""
        started, path = self.at, table
        for name in self._names():
            path = self._found((*path, name), started)
        self.at = self.text.index("=", self.at) + 1
        self._value(path)
        return table

    def _value(self, path: Path) -> None:
        self._skip(_BLANKS)
        if self._sees("["):
            self._members(path)
        elif self._sees("{"):
            self.at += 1
            while self._more() and not self._sees("}"):
                self._pair(path)
                self._after_comma()
            self.at += 1
        elif found := _SCALAR.match(self.text, self.at):
            self.at = found.end()
        else:
            raise ValueError

    def _members(self, path: Path) -> None:
        self.at += 1
        number = 0
        while self._more() and not self._sees("]"):
            self._value(self._found((*path, number), self.at))
            self._after_comma()
            number += 1
        self.at += 1

    def _after_comma(self) -> None:
        if self._more() and self._sees(","):
            self.at += 1

    def _names(self) -> Iterator[str]:
        """The parts of a key, up to what follows it."""
        while True:
            self._skip(_BLANKS)
            started = self.at
            self._skip(_KEY)
            yield _unquoted(self.text[started : self.at])
            self._skip(_BLANKS)
            if not self._sees("."):
                return
            self.at += 1

    def _more(self) -> bool:
        """Skip what says nothing; whether something follows."""
        self._skip(_NOTHING)
        return self.at < len(self.text)

    def _sees(self, sign: str) -> bool:
        return self.text.startswith(sign, self.at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self.text, self.at):
            self.at = found.end()

    def _found(self, path: Path, at: int) -> Path:
        self.lines.setdefault(path, bisect_right(self._ends, at - 1) + 1)
        return path


def _unquoted(key: str) -> str:
    return next(iter(tomllib.loads(f"{key} = 0"))) if key[:1] in {'"', "'"} else key
