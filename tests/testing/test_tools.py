"""The tools of the contract: hostile values, the record of side effects, the need for pytest."""

import dataclasses
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from attrs import define, field, frozen, validators

from sesame_sdk.testing import Clock
from sesame_sdk.testing.contract.hostile_events import VALUES, move_times, variants
from sesame_sdk.testing.contract.side_effects import record_side_effects


@frozen
class _Attrs:
    a: int
    _b: int = 2
    made: int = field(init=False, default=3)


@dataclasses.dataclass(frozen=True)
class _Data:
    a: int
    b: int = 2


class _Struct(msgspec.Struct):
    a: int
    b: int = 2


class _Tuple(NamedTuple):
    a: int
    b: int = 2


class _Plain:
    def __init__(self) -> None:
        self.a, self.b = 1, 2


@define
class _Checked:
    a: int = field(validator=validators.instance_of(int))


@pytest.mark.parametrize(
    "event", [_Attrs(1), _Data(1), _Struct(1), _Tuple(1), _Plain()], ids=lambda one: type(one).__name__
)
def test_each_field_takes_each_hostile_value(event: object) -> None:
    """Whatever sort of class the event is of; the sample itself stays as it was."""
    before = repr(event)
    made = dict(variants(event))
    assert made.keys() == {f"{name} = {what}" for name in "ab" for what in VALUES}
    assert all(type(one) is type(event) for one in made.values())
    assert getattr(made["a = None"], "a") is None  # noqa: B009 - of any class
    assert repr(event) == before


def test_a_mapping_loses_each_member_too() -> None:
    """A record may be incomplete."""
    made = dict(variants({"a": 1, "b": 2}))
    assert made["without a"] == {"b": 2}
    assert made["b = None"] == {"a": 1, "b": None}
    assert len(made) == 2 * (len(VALUES) + 1)


@pytest.mark.parametrize("event", ["text", b"bytes", 1, None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_bare_value_is_replaced_as_a_whole(event: object) -> None:
    """There is nothing in it to replace."""
    assert dict(variants(event)).keys() == VALUES.keys()


def test_what_its_own_class_refuses_is_no_event() -> None:
    """To refuse it there is as good as anywhere."""
    assert {label for label, _ in variants(_Checked(1))} == {
        f"a = {label}" for label, value in VALUES.items() if isinstance(value, int)
    }


def _touch_sqlite(path: Path) -> None:
    sqlite3.connect(path).close()


@pytest.mark.parametrize(
    ("touch", "event"),
    [
        pytest.param(lambda path: path.write_text(""), "open", id="a file"),
        pytest.param(lambda path: list(path.parent.iterdir()), "os.listdir", id="a folder"),
        pytest.param(_touch_sqlite, "sqlite3.connect", id="a database"),
        pytest.param(lambda _: socket.socket().close(), "socket.__new__", id="a socket"),
        pytest.param(lambda _: subprocess.run(["true"], check=True), "subprocess.Popen", id="a process"),
        pytest.param(lambda _: os.putenv("SESAME_NOTHING", "1"), "os.putenv", id="the environment"),
    ],
)
def test_a_side_effect_is_recorded(touch: Callable[[Path], object], event: str, tmp_path: Path) -> None:
    """Inside the block, and not outside of it."""
    with record_side_effects() as recorded:
        touch(tmp_path / "x")
    seen = list(recorded)
    touch(tmp_path / "x")
    assert event in seen
    assert recorded == seen


def test_an_import_is_no_side_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module may import what it needs when it needs it."""
    (tmp_path / "imported_late.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with record_side_effects() as recorded:
        import imported_late  # type: ignore[import-not-found] # made above
    assert (imported_late.VALUE, recorded) == (1, [])


def test_one_recording_in_another_has_its_own() -> None:
    """And the outer one goes on after it."""
    with record_side_effects() as outer:
        with record_side_effects() as inner:
            socket.socket().close()
        os.putenv("SESAME_NOTHING", "1")
    assert "socket.__new__" in inner
    assert outer == ["os.putenv"]


@pytest.mark.parametrize("library", ["pytest", "hypothesis", "litestar"])
def test_without_its_extra_it_says_what_to_install(library: str) -> None:
    """One clear error, and not a traceback out of some module."""
    script = f"import sys; sys.modules[{library!r}] = None; from sesame_sdk.testing import plugin_contract"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ConfigurationError: sesame_sdk.testing: needs" in done.stderr
    assert "(pip install sesame-sdk[testing])" in done.stderr


def test_a_clock_advances() -> None:
    """And not before."""
    clock = Clock(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock() == clock()
    clock.advance(days=1, hours=2)
    assert clock() == datetime(2026, 1, 2, 2, tzinfo=UTC)


@define
class _Refusing:
    at: datetime
    until: datetime = field(validator=validators.lt(datetime(2026, 6, 1, 12, 0, 1, tzinfo=UTC)))


def test_times_are_moved_wherever_an_event_holds_them() -> None:
    """In nested records and in ISO 8601 text of each form; numbers, names and dates stay."""
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    event = {
        "at": at,
        "lines": [{"sent": "2026-06-01T12:00", "number": "2026"}, ("2026-06-01 12:00:00+02:00", 7)],
        "paid": "2026-06-01T12:00:00Z",
        "day": date(2026, 6, 1),
        "text": "2026-06-01",
        "record": _Attrs(1),
    }
    moved = move_times(event, timedelta(seconds=1))
    assert moved == event | {
        "at": at + timedelta(seconds=1),
        "lines": [{"sent": "2026-06-01T12:00:01", "number": "2026"}, ("2026-06-01 12:00:01+02:00", 7)],
        "paid": "2026-06-01T12:00:01Z",
    }
    assert move_times(_Refusing(at, at), timedelta(seconds=1)) == _Refusing(at + timedelta(seconds=1), at)
