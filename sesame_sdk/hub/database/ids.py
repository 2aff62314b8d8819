"""Ids as the tables store them: kinds as small integers, signal ids as sixteen bytes."""

from collections.abc import Iterable
from uuid import UUID

from attrs import field, frozen
from sqlalchemy import Connection, insert, select

from sesame_sdk.hub.database.tables import kinds
from sesame_sdk.model import validators


def ensure_kind_ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The id of each kind; new kinds are inserted."""
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
    """The bytes of a signal id.

    Raises:
        InvalidInputError: it is none.
    """
    return UUID(_Named(text).signal).bytes


def signal_id_to_text(key: bytes) -> str:
    """The text of a signal id."""
    return str(UUID(bytes=bytes(key)))
