"""Signal ids: sixteen bytes in the tables, text elsewhere."""

from uuid import UUID

from attrs import field, frozen

from sesame_sdk.model import validators


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
