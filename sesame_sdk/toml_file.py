"""Reads a TOML file into a msgspec schema. Every error names the file, the line, the key, and how to fix it.

`tomllib` returns values without their lines, so a scanner finds the lines again in text that `tomllib` has
read. A table that only its members name ([a.b] names a) has the line of the first that does.
"""

import json
import re
import stat
import tomllib
import typing
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from attrs import define, field, frozen

from sesame_sdk.constants import MAX_TOML_DOTS_PER_LINE
from sesame_sdk.errors import ConfigurationError, InvalidInputError

#: Keys and, within arrays, positions from 0: ``("kinds", 0, "cap")``.
KeyPath = tuple[str | int, ...]
T = TypeVar("T")

_MAX_KEY_SHOWN = 60
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+(, [a-z]+)?")

_WITH_PATH = re.compile(r"(?P<what>.*) - at `\$\.?(?P<where>.*)`", re.DOTALL)
_PATH_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)
_MISSING_KEY = re.compile(r"Object missing required field `(?P<key>\w+)`")
_WRONG_TYPE = re.compile(r"Expected `(?P<expected>[a-z |]+)`, got `(?P<got>[a-z]+)`")
_TYPE_NAMES = {
    "float": "a number",
    "int": "a whole number",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}

_BLANKS = re.compile(r"[ \t]*")
_BLANKS_AND_COMMENTS = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*'")
#: One string, number, date or boolean. A multi-line string may end in five quotes, of which two are its own.
_SCALAR = re.compile(
    r"\"{3}(?:[^\\]|\\.)*?\"{3,5}|'{3}.*?'{3,5}|\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^,\]}#\r\n]+", re.DOTALL
)


def read_text(path: Path, noun: str, max_bytes: int) -> str:
    """The text of a TOML file; what is beyond `max_bytes` is left for `TomlDocument.decode` to refuse."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would block
            raise ConfigurationError("is not a file", field=str(path), hint=f"name a {noun} in TOML")
        with path.open("rb") as file:
            return file.read(max_bytes + 1).decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        hint = f"name a {noun} in TOML that you may read"
        raise ConfigurationError(f"cannot be read: {reason}", field=str(path), hint=hint) from error
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 at byte {error.start}"
        raise ConfigurationError(reason, field=str(path), hint="save it as UTF-8") from error


@frozen
class TomlDocument:
    """The text of a TOML file that describes a `noun`; `examples` say what to write for a missing key."""

    name: str
    text: str
    noun: str
    max_bytes: int
    examples: Mapping[str, str] = {}

    def decode(self, schema: type[T]) -> T:
        """The values of the file, checked against a `msgspec.Struct`, or a `ConfigurationError`."""
        values = self._values()
        try:
            return msgspec.convert(values, schema, strict=True)
        except msgspec.ValidationError as error:
            raise self._schema_error(str(error), schema) from error

    def error(self, path: KeyPath, message: str, hint: str) -> ConfigurationError:
        """An error that names the file, the line if there is one, and the key."""
        line = find_line(find_key_lines(self.text), path)
        where = (self.name, f"line {line}" if line else "", _dotted(path))
        return ConfigurationError(message, field=", ".join(filter(None, where)), hint=hint)

    @contextmanager
    def locating(self, *path: str | int, keys: Mapping[str, str] | None = None) -> Iterator[None]:
        """Turn an `InvalidInputError` raised inside into an error that names the place in the file.

        `path` is of the table that is converted; `keys` names fields that have another name in the file.
        """
        try:
            yield
        except InvalidInputError as error:
            key = (keys or {}).get(error.field or "", error.field)
            whole = (*path, key) if key else path
            raise self.error(whole, error.message, error.hint or "correct the value") from error

    def _values(self) -> Mapping[str, object]:
        if len(self.text) > self.max_bytes or len(self.text.encode(errors="replace")) > self.max_bytes:
            hint = f"keep a {self.noun} under {self.max_bytes // 1024} KiB"
            raise ConfigurationError("file too large", field=self.name, hint=hint)
        for number, line in enumerate(self.text.split("\n"), start=1):
            if line.count(".") > MAX_TOML_DOTS_PER_LINE:
                where = f"{self.name}, line {number}"
                raise ConfigurationError("too many dots", field=where, hint="shorten the key")
        try:
            return tomllib.loads(self.text)
        except RecursionError as error:
            hint = f"a {self.noun} is two tables deep"
            raise ConfigurationError("nested too deeply", field=self.name, hint=hint) from error
        except ValueError as error:  # TOMLDecodeError, or a number beyond what Python reads
            hint = "correct that line"
            raise ConfigurationError(f"invalid TOML: {error}", field=self.name, hint=hint) from error

    def _schema_error(self, message: str, schema: object) -> ConfigurationError:
        located = _WITH_PATH.fullmatch(message)
        what, where = (located["what"], located["where"]) if located else (message, "")
        path: KeyPath = tuple(int(at) if at else key for at, key in _PATH_STEP.findall(where))
        if unknown := _UNKNOWN_KEY.fullmatch(what):
            return self.error((*path, unknown["key"]), "unknown key", _suggest(unknown["key"], schema, path))
        if missing := _MISSING_KEY.fullmatch(what):
            key = missing["key"]
            return self.error((*path, key), "missing key", f"add {self.examples.get(key, key)}")
        expected = _type_at(schema, path)
        if what.startswith("Invalid enum value"):
            choices = ", ".join(each.value for each in expected)
            return self.error(path, "invalid value", f"use one of: {choices}")
        if wrong := _WRONG_TYPE.fullmatch(what):
            wanted, got = (_TYPE_NAMES.get(name.split(" | ")[0], name) for name in wrong.groups())
            what = f"must be {wanted}, not {got}"
        return self.error(path, what[:200], f"see the format of a {self.noun} file in the documentation")


def _suggest(key: str, schema: object, path: KeyPath) -> str:
    """What the author of an unknown key may have meant."""
    if path and key in _keys(schema):
        return f"{key} is a top-level key: write it above the first [[...]]"
    tables = [name for name in _keys(schema) if key in _keys(_type_at(schema, (name, 0)))]
    if not path and tables:
        return f"{key} belongs under [[{tables[0]}]]"
    if close := get_close_matches(key, _keys(_type_at(schema, path)), n=1):
        return f"did you mean {close[0]}?"
    return "correct the name of the key or remove it"


def _keys(kind: object) -> list[str]:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    return [each.encode_name for each in msgspec.structs.fields(kind)]


def _type_at(schema: object, path: KeyPath) -> Any:  # noqa: ANN401 - whatever the schema has there
    """The type that the schema has for a path: of lists that of their members, without None."""
    for step in path:
        if isinstance(step, str):
            fields = msgspec.structs.fields(schema) if _keys(schema) else ()  # type: ignore[arg-type]
            schema = next((each.type for each in fields if each.encode_name == step), None)
        else:
            schema = next(iter(typing.get_args(schema)), None)
        some = [each for each in typing.get_args(schema) if each is not type(None)]
        if len(some) == 1 and typing.get_origin(schema) is not list:
            schema = some[0]
    return schema


def _dotted(path: KeyPath) -> str:
    """A path as people write it: ``kinds[0].cap``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{_shown(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def _shown(key: str) -> str:
    return (key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False))[:_MAX_KEY_SHOWN]


def find_key_lines(text: str) -> Mapping[KeyPath, int]:
    """The line, from 1, of every key and every member of an array in `text`."""
    scanner = _Scanner(text)
    # Nested deeper than any file of ours, or not TOML: the lines so far are right.
    with suppress(RecursionError, ValueError):
        scanner.scan()
    return scanner.lines


def find_line(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of `path`, or of the innermost table around it that has one."""
    enclosing = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[each] for each in enclosing if each in lines), None)


@define
class _Scanner:
    text: str
    position: int = 0
    lines: dict[KeyPath, int] = field(factory=dict)
    _ends: list[int] = field(init=False)
    _tables: dict[KeyPath, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._ends = [match.start() for match in re.finditer("\n", self.text)]

    def scan(self) -> None:
        """Record the lines of all tables."""
        table: KeyPath = ()
        while self._skip_to_content():
            table = self._header() if self._follows("[") else self._pair(table)

    def _header(self) -> KeyPath:
        """``[a.b]`` or ``[[a.b]]``: the path of the table that it opens."""
        started, double = self.position, self.text.startswith("[[", self.position)
        self.position += 1 + double
        *above, last = self._names()
        self.position = self.text.index("]", self.position) + 1 + double
        path: KeyPath = ()
        for name in above:
            path = self._record((*path, name), started)
            if path in self._tables:  # the name of an array means its latest table
                path = (*path, self._tables[path])
        path = self._record((*path, last), started)
        if not double:
            return path
        self._tables[path] = self._tables.get(path, -1) + 1
        return self._record((*path, self._tables[path]), started)

    def _pair(self, table: KeyPath) -> KeyPath:
        """``a.b = value``; returns `table` unchanged."""
        started, path = self.position, table
        for name in self._names():
            path = self._record((*path, name), started)
        self.position = self.text.index("=", self.position) + 1
        self._value(path)
        return table

    def _value(self, path: KeyPath) -> None:
        self._skip(_BLANKS)
        if self._follows("["):
            self._members(path)
        elif self._follows("{"):
            self.position += 1
            while self._skip_to_content() and not self._follows("}"):
                self._pair(path)
                self._after_comma()
            self.position += 1
        elif match := _SCALAR.match(self.text, self.position):
            self.position = match.end()
        else:
            raise ValueError

    def _members(self, path: KeyPath) -> None:
        self.position += 1
        number = 0
        while self._skip_to_content() and not self._follows("]"):
            self._value(self._record((*path, number), self.position))
            self._after_comma()
            number += 1
        self.position += 1

    def _after_comma(self) -> None:
        if self._skip_to_content() and self._follows(","):
            self.position += 1

    def _names(self) -> Iterator[str]:
        """The parts of a dotted key."""
        while True:
            self._skip(_BLANKS)
            started = self.position
            self._skip(_KEY)
            yield _unquoted(self.text[started : self.position])
            self._skip(_BLANKS)
            if not self._follows("."):
                return
            self.position += 1

    def _skip_to_content(self) -> bool:
        """Skip blanks and comments; whether something follows."""
        self._skip(_BLANKS_AND_COMMENTS)
        return self.position < len(self.text)

    def _follows(self, sign: str) -> bool:
        return self.text.startswith(sign, self.position)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self.text, self.position):
            self.position = match.end()

    def _record(self, path: KeyPath, position: int) -> KeyPath:
        self.lines.setdefault(path, bisect_right(self._ends, position - 1) + 1)
        return path


def _unquoted(key: str) -> str:
    return next(iter(tomllib.loads(f"{key} = 0"))) if key[:1] in {'"', "'"} else key
