"""Ids as the tables store them: kinds as small integers, signal ids as sixteen bytes."""

from collections.abc import Iterable
from uuid import UUID

from attrs import field, frozen
from sqlalchemy import Connection, insert, select

from sesame_sdk.hub.database.tables import kinds
from sesame_sdk.model import validators


def find_kind_ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The id of each kind that is known."""
    query = select(kinds).where(kinds.c.name.in_(sorted(set(names))))
    return {row.name: row.id for row in connection.execute(query)}


def ensure_kind_ids(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The id of each kind; new kinds are inserted."""
    wanted = set(names)
    kind_ids = find_kind_ids(connection, wanted)
    if missing := sorted(wanted - kind_ids.keys()):
        connection.execute(insert(kinds), [{"name": name} for name in missing])
        kind_ids = find_kind_ids(connection, wanted)
    return kind_ids


@frozen
class _Named:
    signal: str = field(validator=validators.signal_id)


def signal_id_to_bytes(text: str) -> bytes:
    """The bytes of a signal id. Raises `InvalidInputError`: it is none."""
    return UUID(_Named(text).signal).bytes


def signal_id_to_text(key: bytes) -> str:
    """The text of a signal id."""
    return str(UUID(bytes=bytes(key)))
