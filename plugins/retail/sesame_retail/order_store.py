"""Stores the states of orders whose updates arrive one by one, in a SQLite file in the shop's directory.

Rules:
1. Updates are applied in two steps: `apply_updates` computes what to send; once that is in the outbox, `save`
   records it. A process that is killed between the two sends the same again, under the same ids.
2. An update that was saved changes nothing when it arrives again.
3. The file never leaves the shop.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import astuple, define, field, frozen

from sesame_retail.model import Order
from sesame_retail.order_state import OrderState, OrderUpdate, apply_update, pending_events
from sesame_sdk import SqliteStore

FILE_NAME = "retail.sqlite"
_APPLICATION = 0x5E5A0B03
_SCHEMA = (
    (
        "CREATE TABLE order_state (number TEXT PRIMARY KEY, customer TEXT, placed INTEGER,"
        " cancelled INTEGER, max_stated TEXT, latest TEXT, updated_at INTEGER, added TEXT, returned TEXT,"
        " spent_sent TEXT, returned_sent TEXT, placed_sent INTEGER) STRICT, WITHOUT ROWID"
    ),
    "CREATE TABLE applied_update (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
    (
        "CREATE TABLE followed_file (path TEXT PRIMARY KEY, position INTEGER,"
        " read_until INTEGER, head BLOB, lines INTEGER, generation INTEGER, last_number TEXT)"
        " STRICT, WITHOUT ROWID"
    ),
)


@frozen
class FilePosition:
    """How many bytes of a file were read, and their signals stored.

    Attributes:
        read_until: the end of the part being read; equal to `position` between parts.
        head: the beginning of the file, to detect another one of the same name.
        lines: how many lines were read.
        generation: how often the file was rotated or truncated.
        last_number: of the last order of the file before; its other lines may follow in this one.
    """

    position: int = 0
    read_until: int = 0
    head: bytes = b""
    lines: int = 0
    generation: int = 0
    last_number: str = ""


@define
class OrderChanges:
    """The effect of some updates, before it is saved: orders to be sent, and their states once they are."""

    orders: list[Order] = field(factory=list)
    states: dict[str, OrderState] = field(factory=dict)
    update_keys: set[str] = field(factory=set)


class OrderStore:
    """The states of a shop's orders, in a file that is created with mode 0600 if it does not exist."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteStore(
            path, _SCHEMA, description="a file of order states", application_id=_APPLICATION
        )

    def apply_updates(self, updates: Iterable[OrderUpdate]) -> OrderChanges:
        """The effect of some updates. Nothing is written."""
        changes = OrderChanges()
        for update in updates:
            if update.key in changes.update_keys or self.has_update(update.key):
                continue
            changes.update_keys.add(update.key)
            before = changes.states.get(update.account) or self._load_state(update.account)
            events, changes.states[update.account] = pending_events(apply_update(before, update), update)
            changes.orders += events
        return changes

    def save(self, changes: OrderChanges, *, file: str = "", position: FilePosition | None = None) -> None:
        """Save changes whose signals are in the outbox, and the position in a file, in one transaction."""
        with self._file.transaction() as write:
            write.executemany(
                "INSERT OR IGNORE INTO applied_update VALUES (?)", [(key,) for key in changes.update_keys]
            )
            write.executemany(
                f"INSERT OR REPLACE INTO order_state VALUES ({', '.join('?' * 12)})",  # noqa: S608 - a constant
                [(number, *_values(state)) for number, state in changes.states.items()],
            )
            if position:
                write.execute(
                    "INSERT OR REPLACE INTO followed_file VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (file, *astuple(position)),
                )

    def has_update(self, key: str) -> bool:
        """Whether an update was saved."""
        return bool(self._file.read("SELECT 1 FROM applied_update WHERE key = ?", key))

    def file_position(self, file: str) -> FilePosition:
        """How far a file was read."""
        rows = self._file.read("SELECT * FROM followed_file WHERE path = ?", file)
        return FilePosition(*rows[0][1:]) if rows else FilePosition()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _load_state(self, number: str) -> OrderState:
        rows = self._file.read("SELECT * FROM order_state WHERE number = ?", number)
        if not rows:
            return OrderState()
        _, customer, placed, cancelled, *sums, placed_sent = rows[0]
        values: list[Any] = [customer, bool(placed), bool(cancelled), *map(int, sums), bool(placed_sent)]
        return OrderState(*values)


def _values(state: OrderState) -> list[object]:
    # Sums as text: those of hostile files can be beyond 64 bits.
    wide = {3, 4, 6, 7, 8, 9}
    return [
        str(value) if at in wide else int(value) if isinstance(value, bool) else value
        for at, value in enumerate(astuple(state))
    ]
