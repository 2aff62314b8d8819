"""What a shop remembers of orders whose news comes piece by piece: one SQLite file in its own folder.

Rules:
1. News is taken in two steps: `settle` says what is to be told; once that is in the outbox, `keep` writes
   down that it was. A process that dies between the two tells the very same again, under the same ids.
2. A piece of news that was kept once changes nothing when it comes again.
3. Nothing in it ever leaves the shop.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import astuple, define, field, frozen

from sesame_retail.model import Order
from sesame_retail.webhooks.order_state import OrderState, OrderUpdate, apply_update, pending_events
from sesame_sdk import ConfigurationError, RetryableError, ensure_private_file

FILE_NAME = "retail.sqlite"
#: How long one process waits for another.
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
    """How far a feed was read.

    Attributes:
        position: bytes that were told and kept.
        read_until: bytes that were about to be; the same as `position` when all went well.
        head: how the file begins, so that another one of its name is noticed.
    """

    position: int = 0
    read_until: int = 0
    head: bytes = b""


@define
class OrderChanges:
    """What some news comes to, before it is written down.

    Attributes:
        orders: what is to be told.
        states: how the orders stand once it is.
        update_keys: the keys of the news.
    """

    orders: list[Order] = field(factory=list)
    states: dict[str, OrderState] = field(factory=dict)
    update_keys: set[str] = field(factory=set)


class OrderStore:
    """A shop's memory.

    Args:
        path: the file; made, for its owner alone, when it is not there.

    Raises:
        ConfigurationError: the file cannot be used.
    """

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

    def apply_updates(self, news: Iterable[OrderUpdate]) -> OrderChanges:
        """What some news comes to. Nothing is written."""
        page = OrderChanges()
        with self._sqlite_errors():
            for one in news:
                if one.key in page.update_keys or self.has_update(one.key):
                    continue
                page.update_keys.add(one.key)
                before = page.states.get(one.account) or self._load_state(one.account)
                events, page.states[one.account] = pending_events(apply_update(before, one), one)
                page.orders += events
        return page

    def save(self, page: OrderChanges, *, feed: str = "", place: FilePosition | None = None) -> None:
        """Write down that a page was told, and how far a feed is read by that; all or nothing."""
        with self._transaction() as write:
            write.executemany(
                "INSERT OR IGNORE INTO applied_update VALUES (?)", [(key,) for key in page.update_keys]
            )
            write.executemany(
                f"INSERT OR REPLACE INTO order_state VALUES ({', '.join('?' * 12)})",  # noqa: S608 - a constant
                [(number, *_values(standing)) for number, standing in page.states.items()],
            )
            if place:
                write.execute(
                    "INSERT OR REPLACE INTO followed_file VALUES (?, ?, ?, ?)", (feed, *astuple(place))
                )

    def has_update(self, key: str) -> bool:
        """Whether a piece of news was kept."""
        return self._file.execute("SELECT 1 FROM applied_update WHERE key = ?", (key,)).fetchone() is not None

    def file_position(self, feed: str) -> FilePosition:
        """How far a feed was read."""
        with self._sqlite_errors():
            row = self._file.execute(
                "SELECT position, read_until, head FROM followed_file WHERE path = ?", (feed,)
            ).fetchone()
        return FilePosition(*row) if row else FilePosition()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write_ahead(self) -> None:
        # For this SQLite must have the file alone, and it does not wait for that as it does for a write.
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
        _, customer, placed, cancelled, most, latest, stamp, *sums, placed_told = row
        added, back, spent_told, back_told = map(int, sums)
        return OrderState(
            customer,
            bool(placed),
            bool(cancelled),
            int(most),
            int(latest),
            stamp,
            added,
            back,
            spent_told,
            back_told,
            bool(placed_told),
        )

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


def _values(standing: OrderState) -> list[object]:
    # Sums as text: those of hostile files can be beyond 64 bits.
    wide = {3, 4, 6, 7, 8, 9}
    return [
        str(value) if at in wide else int(value) if isinstance(value, bool) else value
        for at, value in enumerate(astuple(standing))
    ]
