"""Events made from valid ones: hostile ones, and the same record exported with another time.

In a hostile event one field has a value that has broken a parser; each field takes every such value in turn.

An event may be an attrs class, a dataclass, a msgspec struct, a named tuple, a mapping, any other object
with attributes, or a bare value. A value that the event's own class refuses gives no event.
"""

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import attrs
import msgspec

#: By their names in a message.
VALUES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "None": None,
        "True": True,
        "0": 0,
        "-1": -1,
        "NaN": float("nan"),
        "infinity": float("inf"),
        "a number that no float can hold": 10**400,
        "a decimal NaN": Decimal("NaN"),
        "a signalling decimal NaN": Decimal("sNaN"),
        "a huge decimal": Decimal("1e999999"),
        "an empty text": "",
        "blanks": " \t\u00a0",
        "a long text": "x" * 100_000,
        "control characters": "a\x00b\x1b[31mc\r\nd\x7f",
        "a lone surrogate": "a\ud800b",
        "a text that runs backwards": "a\u202eb",
        "bytes": b"\xff\x00",
        "an empty list": [],
        "a list": [None],
        "a mapping": {"a": None},
        "an object": object(),
        "a naive datetime": datetime(2026, 1, 1),  # noqa: DTZ001 - a naive datetime is the point
        "a datetime elsewhere": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        "a datetime before 1970": datetime(1969, 12, 31, tzinfo=UTC),
        "the first datetime": datetime.min.replace(tzinfo=UTC),
        "the last datetime": datetime.max.replace(tzinfo=UTC),
        "a date": date(2026, 1, 1),
    }
)
#: Characters of ``2026-06-01T12:00``.
_TEXT_WITH_A_TIME = 16
_BARE = (str, bytes, bool, int, float, Decimal, date, type(None))


def variants(event: object) -> Iterator[tuple[str, object]]:
    """Every hostile event that can be made from one, with its change, such as ``customer = None``."""
    if isinstance(event, _BARE):
        yield from VALUES.items()
        return
    for name in _fields(event):
        for label, value in VALUES.items():
            try:
                changed = _changed(event, name, value)
            except Exception:  # noqa: BLE001, S112 - its class refuses the value
                continue
            yield f"{name} = {label}", changed
    if isinstance(event, Mapping):
        for name in event:
            yield f"without {name}", {key: value for key, value in event.items() if key != name}


def move_times(event: object, by: timedelta) -> object:
    """The event with every time in it moved, also in what it contains and in ISO 8601 text.

    A time that the event's own class refuses stays as it is. Dates without a time stay too.
    """
    if isinstance(event, datetime):
        return event + by
    if isinstance(event, str):
        return _move_text(event, by)
    if isinstance(event, list | tuple) and not hasattr(event, "_fields"):
        return type(event)(move_times(member, by) for member in event)
    if isinstance(event, _BARE):
        return event
    for name in _fields(event):
        value = event[name] if isinstance(event, Mapping) else getattr(event, name.lstrip("_"), None)
        moved = move_times(value, by)
        with suppress(Exception):
            event = event if moved == value else _changed(event, name, moved)
    return event


def _move_text(text: str, by: timedelta) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if len(text) < _TEXT_WITH_A_TIME:
        return text
    moved = (at + by).isoformat(sep=text[10])
    return moved.replace("+00:00", "Z") if text.endswith("Z") else moved


def _fields(event: Any) -> list[str]:  # noqa: ANN401 - any event
    if attrs.has(type(event)):
        return [field.alias or field.name for field in attrs.fields(type(event)) if field.init]
    if dataclasses.is_dataclass(event):
        return [field.name for field in dataclasses.fields(event) if field.init]
    if isinstance(event, msgspec.Struct):
        return list(event.__struct_fields__)
    if isinstance(event, Mapping):
        return list(event)
    return list(getattr(event, "_fields", None) or vars(event))


def _changed(event: Any, name: str, value: object) -> object:  # noqa: ANN401 - any event
    if attrs.has(type(event)):
        return attrs.evolve(event, **{name: value})
    if dataclasses.is_dataclass(event) and not isinstance(event, type):
        return dataclasses.replace(event, **{name: value})
    if isinstance(event, msgspec.Struct):
        return msgspec.structs.replace(event, **{name: value})
    if isinstance(event, Mapping):
        return {**event, name: value}
    if hasattr(event, "_replace"):
        return event._replace(**{name: value})
    changed = copy.copy(event)
    setattr(changed, name, value)
    return changed
