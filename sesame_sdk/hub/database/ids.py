"""Ids as the tables store them: kinds as small integers, signal ids as their key and their time."""

from collections.abc import Iterable
from uuid import UUID

from attrs import field, frozen
from sqlalchemy import Connection, insert, select

from sesame_sdk.hub.database.tables import KEY_BYTES, kinds
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


def split_signal_id(text: str) -> tuple[bytes, int]:
    """The key of a signal, and the milliseconds in its id. Raises `InvalidInputError`: it is none.

    The key is what the natural key alone decides: a UUIDv7 (RFC 9562 section 5.7) without its timestamp. It
    identifies the signal; the time is part of what is said of it, and a correction may change it.
    """
    whole = UUID(_Named(text).signal).bytes
    return whole[-KEY_BYTES:], int.from_bytes(whole[:-KEY_BYTES])


def join_signal_id(key: bytes, milliseconds: int) -> str:
    """The text of a signal id."""
    return str(UUID(bytes=milliseconds.to_bytes(16 - KEY_BYTES) + bytes(key)))
