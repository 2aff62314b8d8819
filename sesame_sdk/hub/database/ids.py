"""Ids as the tables store them: kinds as small integers, signal ids as sixteen bytes."""

from collections.abc import Iterable
from uuid import UUID

from attrs import field, frozen
from sqlalchemy import Connection, insert, select

from sesame_sdk.hub.database.tables import kinds
from sesame_sdk.model import validators


def ensure_kind_ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The number of each name, given out where there was none."""
    wanted = set(names)
    found = _known(connection, wanted)
    if missing := sorted(wanted - found.keys()):
        connection.execute(insert(kinds), [{"name": name} for name in missing])
        found |= _known(connection, set(missing))
    return found


def _known(connection: Connection, names: set[str]) -> dict[str, int]:
    rows = connection.execute(select(kinds.c.name, kinds.c.id).where(kinds.c.name.in_(sorted(names))))
    return {name: number for name, number in rows}  # noqa: C416 - a Row is no tuple to mypy


@frozen
class _Named:
    signal: str = field(validator=validators.signal_id)


def signal_id_to_bytes(text: str) -> bytes:
    """An id as the tables have it.

    Raises:
        Rejected: it is none.
    """
    return UUID(_Named(text).signal).bytes


def signal_id_to_text(key: bytes) -> str:
    """An id as people and messages have it."""
    return str(UUID(bytes=bytes(key)))
