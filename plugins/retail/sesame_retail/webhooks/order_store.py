"""Stores the states of orders whose updates arrive one by one, in a SQLite file in the shop's directory.

Rules:
1. Updates are applied in two steps: `apply_updates` computes what to send; once that is in the outbox, `save`
   records it. A process that is killed between the two sends the same again, under the same ids.
2. An update that was saved changes nothing when it arrives again.
3. The file never leaves the shop.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import astuple, define, field, frozen

from sesame_retail.model import Order
from sesame_retail.webhooks.order_state import OrderState, OrderUpdate, apply_update, pending_events
from sesame_sdk import ConfigurationError, RetryableError, ensure_private_file

FILE_NAME = "retail.sqlite"
#: How long a process waits for another.
_BUSY_SECONDS = 30.0
_SCHEMA = (
    (
        "CREATE TABLE IF NOT EXISTS order_state (number TEXT PRIMARY KEY, customer TEXT, placed INTEGER,"
        " cancelled INTEGER, max_stated TEXT, latest TEXT, updated_at INTEGER, added TEXT, returned TEXT,"
        " spent_sent TEXT, returned_sent TEXT, placed_sent INTEGER) STRICT, WITHOUT ROWID"
    ),
    "CREATE TABLE IF NOT EXISTS applied_update (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
    (
        "CREATE TABLE IF NOT EXISTS followed_file (path TEXT PRIMARY KEY, position INTEGER,"
        " read_until INTEGER, head BLOB) STRICT, WITHOUT ROWID"
    ),
)


@frozen
class FilePosition:
    """How many bytes of a file were read, and their signals stored.

    Attributes:
        read_until: the end of the part being read; equal to `position` between parts.
        head: the beginning of the file, to detect another one of the same name.
    """

    position: int = 0
    read_until: int = 0
    head: bytes = b""


@define
class OrderChanges:
    """The effect of some updates, before it is saved: orders to be sent, and their states once they are."""

    orders: list[Order] = field(factory=list)
    states: dict[str, OrderState] = field(factory=dict)
    update_keys: set[str] = field(factory=set)


class OrderStore:
    """The states of a shop's orders, in a file that is created with mode 0600 if it does not exist."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._sqlite_errors():
            ensure_private_file(path)
            self._file = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
            )
            self._write_ahead()
            for statement in ("PRAGMA synchronous = FULL", *_SCHEMA):
                self._file.execute(statement)

    def apply_updates(self, updates: Iterable[OrderUpdate]) -> OrderChanges:
        """The effect of some updates. Nothing is written."""
        changes = OrderChanges()
        with self._sqlite_errors():
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
        with self._transaction() as write:
            write.executemany(
                "INSERT OR IGNORE INTO applied_update VALUES (?)", [(key,) for key in changes.update_keys]
            )
            write.executemany(
                f"INSERT OR REPLACE INTO order_state VALUES ({', '.join('?' * 12)})",  # noqa: S608 - a constant
                [(number, *_values(state)) for number, state in changes.states.items()],
            )
            if position:
                write.execute(
                    "INSERT OR REPLACE INTO followed_file VALUES (?, ?, ?, ?)", (file, *astuple(position))
                )

    def has_update(self, key: str) -> bool:
        """Whether an update was saved."""
        return self._file.execute("SELECT 1 FROM applied_update WHERE key = ?", (key,)).fetchone() is not None

    def file_position(self, file: str) -> FilePosition:
        """How far a file was read."""
        with self._sqlite_errors():
            row = self._file.execute(
                "SELECT position, read_until, head FROM followed_file WHERE path = ?", (file,)
            ).fetchone()
        return FilePosition(*row) if row else FilePosition()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write_ahead(self) -> None:
        # SQLite needs exclusive access for this, and does not wait for it as it does for a write.
        ends = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._file.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > ends:
                    raise
                time.sleep(0.01)
            else:
                return

    def _load_state(self, number: str) -> OrderState:
        row = self._file.execute("SELECT * FROM order_state WHERE number = ?", (number,)).fetchone()
        if row is None:
            return OrderState()
        _, customer, placed, cancelled, *sums, placed_sent = row
        values: list[Any] = [customer, bool(placed), bool(cancelled), *map(int, sums), bool(placed_sent)]
        return OrderState(*values)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._sqlite_errors():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield self._file
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise

    @contextmanager
    def _sqlite_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise RetryableError(f"cannot be used now: {error}", field=str(self._path)) from error
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(f"cannot be used: {error}", field=str(self._path)) from error


def _values(state: OrderState) -> list[object]:
    # Sums as text: those of hostile files can be beyond 64 bits.
    wide = {3, 4, 6, 7, 8, 9}
    return [
        str(value) if at in wide else int(value) if isinstance(value, bool) else value
        for at, value in enumerate(astuple(state))
    ]
