"""The wire form: what goes out comes back, and what is wrong is named."""

import json
import re
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError, Pseudonymizer, Signal
from sesame_sdk.model import codec
from sesame_sdk.model.grant import Direction, Grant
from tests.conftest import NOON

SIGNAL = Signal(Pseudonymizer(b"x" * 32).signal_id("a.b", "1", NOON), "rt_abc", "a.b", 1.5, NOON)

signals = st.builds(
    lambda at, key, subject, value: Signal(
        Pseudonymizer(b"x" * 32).signal_id("a.b", key, at), subject, "a.b", value, at
    ),
    st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    st.text(min_size=1),
    st.from_regex(r"[\x21-\x7e]{1,128}", fullmatch=True),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(signals)
def test_a_signal_comes_back_as_it_went(signal: Signal) -> None:
    """Encoding loses nothing: neither a bit of the value nor a microsecond."""
    assert codec.decode(codec.encode(signal), Signal) == signal


@pytest.mark.parametrize(
    ("part", "instead", "named"),
    [
        pytest.param('"value":1.5', '"value":NaN', "malformed|value", id="a value of NaN"),
        pytest.param('"value":1.5', '"value":1e999', "value|range", id="a value beyond all doubles"),
        pytest.param('"value":1.5', '"value":"1.5"', "value", id="a value that is text"),
        pytest.param(',"value":1.5', "", "value|malformed", id="no value"),
        pytest.param("12:00:00Z", "12:00:00", "occurred_at", id="a naive time"),
        pytest.param("12:00:00Z", "12:00:00+08:00", "occurred_at", id="a time in another zone"),
        pytest.param("rt_abc", "", "subject", id="an empty subject"),
        pytest.param("rt_abc", "x" * 200, "subject", id="an over-long subject"),
        pytest.param('"kind":"a.b"', '"kind":"a"', "kind", id="a malformed kind"),
    ],
)
def test_what_is_wrong_on_the_wire_is_named(part: str, instead: str, named: str) -> None:
    """One error of ours, with the field in it."""
    wire = codec.encode(SIGNAL).decode()
    broken = wire.replace(part, instead)
    assert broken != wire
    with pytest.raises(InvalidInputError) as caught:
        codec.decode(broken, Signal)
    assert re.search(named, str(caught.value))


@given(st.binary(max_size=200))
def test_no_bytes_whatever_cause_anything_but_a_rejection(data: bytes) -> None:
    """Garbage from outside never becomes another kind of exception."""
    try:
        codec.decode(data, Grant)
    except InvalidInputError:
        return
    pytest.fail("random bytes were taken for a grant")


def test_a_grant_comes_back_as_it_went() -> None:
    """Enums, tuples and optional times survive."""
    grant = Grant("https://shop.example", "s" * 26, Direction.SEND, NOON, ("a.b", "a.c"), expires_at=NOON)
    assert codec.decode(codec.encode(grant), Grant) == grant


def test_a_digest_does_not_depend_on_the_order_of_members() -> None:
    """Equal meaning, equal digest."""
    assert codec.digest({"a": 1, "b": 2}) == codec.digest({"b": 2, "a": 1})
    assert codec.digest({"a": 1, "b": 2}) != codec.digest({"a": 2, "b": 1})


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "values"])
def test_canonical_json_has_the_published_bytes(name: str, shared_data: Path) -> None:
    """The triples that were published with RFC 8785."""
    folder = shared_data / "jcs-rfc8785"
    given = json.loads((folder / "input" / f"{name}.json").read_bytes())
    expected = bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())
    assert codec.canonical_json(given) == expected


def test_numbers_in_canonical_json_are_those_of_ecmascript(shared_data: Path) -> None:
    """A thousand doubles with their texts (RFC 8785 appendix B)."""
    lines = (shared_data / "jcs-rfc8785" / "es6_numbers_1000.csv").read_text().split()
    assert len(lines) == 1000
    for bits, expected in (line.split(",") for line in lines):
        (number,) = struct.unpack(">d", bytes.fromhex(bits.zfill(16)))
        assert codec.canonical_json(number).decode() == expected


@pytest.mark.parametrize("number", [2**53 + 1, float("inf")])
def test_a_number_that_no_double_holds_exactly_is_invalid_input(number: float) -> None:
    """Implementations would disagree on its digest."""
    with pytest.raises(InvalidInputError):
        codec.digest({"value": number})


_MANY_AT_ONCE = """
import sys
from threading import Barrier, Thread
from attrs import make_class
from sesame_sdk.model import codec

sys.setswitchinterval(1e-6)
for _ in range(300):
    inner = make_class("Inner", ["a"])
    inner.__annotations__ = {"a": int}
    outer = make_class("Outer", ["x", "y"])
    outer.__annotations__ = {"x": inner, "y": tuple[inner, ...]}
    gate = Barrier(4)

    def read():
        gate.wait()
        codec.decoder(outer).decode(b'{"x": {"a": 1}, "y": [{"a": 2}]}')
        codec.decoder(inner).decode(b'{"a": 1}')

    threads = [Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_that_meet_a_type_for_the_first_time_live() -> None:
    """If two at a time learn what a type is, the process dies within the first few classes."""
    command = [sys.executable, "-c", _MANY_AT_ONCE]
    done = subprocess.run(command, capture_output=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
