"""Messages on their way out, kept on disk until the other party has signed for them.

Rules:
- What `append` returned from is on disk. A message keeps the id and the bytes it was appended with,
  so that sending it twice is the same as sending it once.
- A message is pending, sent or dead. It becomes sent in the same transaction that keeps its receipt.
- A dead letter was refused for good. It keeps its body and the reason until somebody mends the cause
  and calls `redrive`, or gives it up with `discard`.
- Capacity counts the bytes of pending and dead bodies. The body of a sent message is deleted.
- Any number of processes may append; one at a time delivers (see `SqliteStore.exclusive_lock`).
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from sesame_sdk.delivery.messages import (
    Acknowledged,
    DeadLetter,
    Failed,
    Message,
    MessageCounts,
    OutboxFullError,
)
from sesame_sdk.delivery.sqlite_store import DiskFullError, SqliteStore
from sesame_sdk.errors import ConfigurationError
from sesame_sdk.model.codec import decode, encode
from sesame_sdk.model.envelope import Receipt

#: Bytes of bodies; some three million signals.
DEFAULT_CAPACITY = 1 << 30
_PAGE_OF_RECEIPTS = 500

_SCHEMA = (
    """CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        jti TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        signals INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'dead')),
        code TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    "CREATE INDEX message_unsent ON message (state, id) WHERE state <> 'sent'",
    # Apart from `message`, so that looking through states does not read past bodies.
    "CREATE TABLE body (id INTEGER PRIMARY KEY REFERENCES message, data BLOB NOT NULL) STRICT",
    """CREATE TABLE receipt (
        id INTEGER PRIMARY KEY REFERENCES message, token BLOB NOT NULL, receipt BLOB NOT NULL
    ) STRICT""",
    "CREATE TABLE tally (bytes INTEGER NOT NULL, sent INTEGER NOT NULL) STRICT",
    "INSERT INTO tally VALUES (0, 0)",
    "CREATE TABLE pinned (hub TEXT PRIMARY KEY, jwks BLOB NOT NULL, pinned_at TEXT NOT NULL) STRICT",
)


class Outbox:
    """A queue of signed messages in one SQLite file.

    Args:
        path: the file; created when it is not there.
        capacity: bytes of bodies that it may hold.

    Raises:
        ConfigurationError: the file cannot be used.
    """

    def __init__(self, path: Path, *, capacity: int = DEFAULT_CAPACITY) -> None:
        self._store = SqliteStore(path, _SCHEMA)
        self._capacity = capacity

    def append(self, jti: str, event: str, body: bytes, *, signal_count: int = 0) -> None:
        """Keep a message; it is on disk when this returns.

        Raises:
            OutboxFullError: there is no room, in it or on its disk. Nothing was changed.
            ConfigurationError: it would not fit into an empty outbox.
        """
        if len(body) > self._capacity:
            raise ConfigurationError(
                f"{self._capacity} bytes cannot hold a message of {len(body)}",
                field="capacity",
                hint="raise it",
            )
        try:
            self._append(jti, event, body, signal_count)
        except DiskFullError as error:
            raise OutboxFullError(
                "its disk is full", field="outbox", hint="make room there, then post the rest"
            ) from error

    def _append(self, jti: str, kind: str, body: bytes, signals: int) -> None:
        with self._store.transaction() as write:
            (held,) = write.execute("SELECT bytes FROM tally").fetchone()
            if held + len(body) > self._capacity:
                raise OutboxFullError(
                    f"full, {held} of {self._capacity} bytes are taken",
                    field="outbox",
                    hint="call deliver(), mend or discard dead_letters(), then post the rest",
                )
            row = write.execute(
                "INSERT INTO message (jti, kind, signals) VALUES (?, ?, ?)", (jti, kind, signals)
            )
            write.execute("INSERT INTO body VALUES (?, ?)", (row.lastrowid, body))
            write.execute("UPDATE tally SET bytes = bytes + ?", (len(body),))

    def fetch_pending(self, *, after: int = 0, limit: int = 100) -> list[Message]:
        """The oldest pending letters whose `id` is above `after`."""
        rows = self._store.read(
            "SELECT message.id, jti, kind, signals, data FROM message JOIN body USING (id)"
            " WHERE state = 'pending' AND message.id > ? ORDER BY message.id LIMIT ?",
            after,
            limit,
        )
        return [Message(*row) for row in rows]

    def record_outcomes(
        self, acknowledged: Iterable[Acknowledged] = (), failed: Iterable[Failed] = ()
    ) -> None:
        """Write down what became of some letters, in one transaction."""
        with self._store.transaction() as write:
            for done in acknowledged:
                key = done.message.id
                moved = write.execute(
                    "UPDATE message SET state = 'sent' WHERE id = ? AND state = 'pending'", (key,)
                )
                if not moved.rowcount:
                    continue
                write.execute("INSERT INTO receipt VALUES (?, ?, ?)", (key, done.token, encode(done.receipt)))
                write.execute("DELETE FROM body WHERE id = ?", (key,))
                write.execute(
                    "UPDATE tally SET bytes = bytes - ?, sent = sent + 1", (len(done.message.body),)
                )
            write.executemany(
                "UPDATE message SET state = 'dead', code = ?, reason = ? WHERE id = ? AND state = 'pending'",
                [(gone.code, gone.reason, gone.message.id) for gone in failed],
            )

    def redrive(self) -> int:
        """Make every dead letter pending again; how many there were."""
        with self._store.transaction() as write:
            return write.execute(
                "UPDATE message SET state = 'pending', code = '', reason = '' WHERE state = 'dead'"
            ).rowcount

    def discard(self) -> int:
        """Give up every dead letter, body and all; how many there were."""
        with self._store.transaction() as write:
            dead = "(SELECT id FROM message WHERE state = 'dead')"
            (freed,) = write.execute(
                f"SELECT coalesce(sum(length(data)), 0) FROM body WHERE id IN {dead}"  # noqa: S608
            ).fetchone()
            write.execute(f"DELETE FROM body WHERE id IN {dead}")  # noqa: S608
            write.execute("UPDATE tally SET bytes = bytes - ?", (freed,))
            return write.execute("DELETE FROM message WHERE state = 'dead'").rowcount

    def dead_letters(self) -> list[DeadLetter]:
        """The dead letters, oldest first, with their reasons."""
        rows = self._store.read(
            "SELECT jti, kind, signals, code, reason FROM message WHERE state = 'dead' ORDER BY id"
        )
        return [DeadLetter(*row) for row in rows]

    def receipts(self) -> Iterator[Receipt]:
        """Every receipt kept, oldest message first."""
        for _, receipt, _ in self._receipt_rows():
            yield decode(receipt, Receipt)

    def receipt_tokens(self) -> Iterator[bytes]:
        """The same as they came, signed: proof for a third party."""
        for _, _, token in self._receipt_rows():
            yield token

    def _receipt_rows(self) -> Iterator[tuple[int, bytes, bytes]]:
        after = 0
        query = "SELECT id, receipt, token FROM receipt WHERE id > ? ORDER BY id LIMIT ?"
        while rows := self._store.read(query, after, _PAGE_OF_RECEIPTS):
            yield from rows
            after = rows[-1][0]

    def counts(self) -> MessageCounts:
        """How many messages are in each state."""
        ((taken, sent),) = self._store.read("SELECT bytes, sent FROM tally")
        unsent = dict(
            self._store.read("SELECT state, count(*) FROM message WHERE state <> 'sent' GROUP BY state")
        )
        return MessageCounts(
            pending=unsent.get("pending", 0), sent=sent, dead=unsent.get("dead", 0), bytes=taken
        )

    def delivery_lock(self) -> AbstractContextManager[None]:
        """The right to deliver, held by one at a time. Raises `RetryableError` when somebody else has it."""
        return self._store.exclusive_lock("delivery")

    def pinned_keys(self, hub: str) -> bytes | None:
        """The JWK set that was pinned for a hub."""
        rows = self._store.read("SELECT jwks FROM pinned WHERE hub = ?", hub)
        return rows[0][0] if rows else None

    def pin_keys(self, hub: str, jwks: bytes) -> None:
        """Pin a hub's JWK set, in place of an earlier one."""
        with self._store.transaction() as write:
            write.execute(
                "INSERT OR REPLACE INTO pinned VALUES (?, ?, ?)", (hub, jwks, datetime.now(UTC).isoformat())
            )

    def close(self) -> None:
        """Close the file."""
        self._store.close()
