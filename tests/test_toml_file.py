"""Lines of keys: whatever the way a TOML text is written, as `tomllib` reads it."""

import json
import tomllib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.toml_file import KeyPath, find_key_lines, find_line

POLICIES = Path(__file__).parents[1] / "examples" / "policies"
#: What a reader of lines could take for a key, a table or an end, and is none of them.
TRAPS = [
    "a = 1",
    "[[b]]",
    "[c]",
    "#",
    "]",
    "}",
    ",",
    "=",
    ".",
    "'",
    "''''",
    "\\",
    "\\\\",
    '"',
    '""',
    "é\u2028",
]


@define
class Table:
    """Values, and how each of them and its key are written."""

    entries: list[tuple[Any, int]]


values = st.recursive(
    st.integers(0, 9) | st.booleans() | st.lists(st.sampled_from(TRAPS), max_size=4).map("\n".join),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(inner, st.integers(0, 4)), max_size=3).map(Table)
    ),
    max_leaves=12,
)


@define
class Writer:
    """Writes a TOML text in which every key, and every text in an array, is there once."""

    draw: Any
    text: str = "# a = 0\n"
    numbers: Iterator[int] = field(factory=count)

    def document(self, table: Table, header: str = "") -> None:
        """A table with all below it: what is no table first, as TOML wants it."""
        tables = [entry for entry in table.entries if isinstance(entry[0], Table)]
        for value, style in table.entries:
            if not isinstance(value, Table):
                self.text += f"{self.key(style)}{self.draw(BLANKS)}={self.draw(BLANKS)}"
                self.value(value)
                self.text += self.draw(st.sampled_from(["\n", " # b = 1\n", "\n\n", "\r\n"]))
        for value, style in tables:
            name = header + self.key(style)
            if style % 2:
                for _ in range(style):
                    self.text += f"  [[{name}]]  # [x]\n"
                    self.document(value, f"{name}.")
            else:
                self.text += f"[ {name}]\n"
                self.document(value, f"{name} . ")

    def key(self, style: int) -> str:
        """A bare key, one in either quotes, or one in two parts."""
        number = next(self.numbers)
        if style == 4:
            return f"k{number}.{self.draw(BLANKS)}'k{next(self.numbers)}'"
        return [f"k{number}", f'"k{number} \\u005d=\\""', f"'k{number} # [.]'", f"k{number}"][style]

    def value(self, value: Any) -> None:
        """A value in one of its ways to be written."""
        if isinstance(value, Table):
            self.text += "{"
            for at, (inner, style) in enumerate(value.entries):
                self.text += f"{', ' if at else ''}{self.key(style)} = "
                self.value(inner)
            self.text += "}"
        elif isinstance(value, list):
            self.text += "["
            for inner in value:
                self.text += self.draw(st.sampled_from(["", "\n", " # ]\n ", "\r\n\t"]))
                self.value(inner)
                self.text += ","
            self.text += "]"
        elif isinstance(value, str):
            self.text += self.written(value)
        else:
            self.text += json.dumps(value)

    def written(self, text: str) -> str:
        """A text in any of the four quotes that can hold it."""
        ways = [json.dumps(text), '"""\n' + text.replace("\\", "\\\\").replace('"', '\\"') + '"""']
        if "'" not in text:
            ways += [f"'''{text}'''"] + [f"'{text}'"] * ("\n" not in text)
        if not text.endswith("\\") and '"' not in text and "\\" not in text:
            ways += [f'"""{text}"""""']  # it ends in two quotes of its own
        return str(self.draw(st.sampled_from(ways)))


BLANKS = st.sampled_from(["", " ", "\t "])


@st.composite
def documents(draw: Any) -> str:
    """A TOML text."""
    writer = Writer(draw)
    writer.document(Table(draw(st.lists(st.tuples(values, st.integers(0, 4)), max_size=4))))
    return writer.text


def paths(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key and every member of an array."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from paths(inner, (*path, key))


@given(documents())
def test_every_key_has_the_line_that_names_it(text: str) -> None:
    """Exactly the keys that `tomllib` finds, each on the line where it is written."""
    lines = find_key_lines(text)
    written = text.split("\n")
    assert lines.keys() == set(paths(tomllib.loads(text)))
    for path, line in lines.items():
        if isinstance(path[-1], str):
            assert path[-1].split()[0] in written[line - 1].replace("'", " ").replace('"', " ").replace(
                ".", " "
            )


@given(documents())
def test_members_stand_in_order_and_within_what_holds_them(text: str) -> None:
    """A line never comes before that of the array or table around it, nor before an earlier member's."""
    lines = find_key_lines(text)
    for path, line in lines.items():
        assert line >= lines.get(path[:-1], 1)
        if isinstance(path[-1], int) and path[-1]:
            assert line >= lines[(*path[:-1], path[-1] - 1)]


@given(st.text(alphabet="[]{}=,.#\"'\\\n ab", max_size=60))
def test_what_is_no_toml_has_some_lines_or_none(text: str) -> None:
    """It ends, and every line is one of the text."""
    assert all(1 <= line <= text.count("\n") + 1 for line in find_key_lines(text).values())


@pytest.mark.parametrize("path", sorted(POLICIES.rglob("*.toml")), ids=lambda path: path.name)
def test_the_policies_of_the_gallery_are_read_as_tomllib_reads_them(path: Path) -> None:
    """As people write them."""
    text = path.read_text(encoding="utf-8")
    assert find_key_lines(text).keys() == set(paths(tomllib.loads(text)))


def test_a_place_without_a_line_has_that_of_what_is_around_it() -> None:
    """A key that is missing is missing from its table; what has no place at all has no line."""
    lines = find_key_lines("a = 1\n\n[[kinds]]\nkind = 'x'\n")
    assert find_line(lines, ("kinds", 0, "cap")) == 3
    assert find_line(lines, ("kinds", 0, "kind")) == 4
    assert find_line(lines, ("bands",)) is None


def test_what_is_nested_without_end_ends() -> None:
    """Deeper than anything that is a policy."""
    assert find_key_lines("a = " + "[" * 100_000)[("a",)] == 1
