"""Stores outgoing messages on disk until the receiver has acknowledged them.

Rules:
- When `append` returns, the message is on disk. It keeps its id and bytes, so that sending it twice has the
  same effect as sending it once.
- A message is pending, sent or dead. It becomes sent in the transaction that stores its receipt.
- A dead letter was rejected. It keeps its body and the reason until the cause is fixed and `redrive` is
  called, or `discard` deletes it. A redrive may sign its content anew, under another ``jti``.
- The capacity limits the bytes of pending and dead bodies. The body of a sent message is deleted.
- Any number of processes may append; one at a time delivers (see `SqliteStore.exclusive_lock`).
"""

from collections.abc import Callable, Iterable, Iterator
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
    RedriveResult,
    StoredMessage,
)
from sesame_sdk.delivery.sqlite_store import DiskFullError, SqliteStore
from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.model.codec import decode, encode
from sesame_sdk.model.envelope import Receipt

#: Bytes of bodies; about three million signals.
DEFAULT_CAPACITY = 1 << 30
_RECEIPTS_PER_PAGE = 500

_SCHEMA = (
    """CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        jti TEXT NOT NULL UNIQUE,
        event TEXT NOT NULL,
        signal_count INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'dead')),
        code TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    "CREATE INDEX message_unsent ON message (state, id) WHERE state <> 'sent'",
    # Apart from `message`, so that a scan of the states does not read the bodies.
    "CREATE TABLE body (id INTEGER PRIMARY KEY REFERENCES message, data BLOB NOT NULL) STRICT",
    """CREATE TABLE receipt (
        id INTEGER PRIMARY KEY REFERENCES message, token BLOB NOT NULL, receipt BLOB NOT NULL
    ) STRICT""",
    "CREATE TABLE totals (bytes INTEGER NOT NULL, sent INTEGER NOT NULL) STRICT",
    "INSERT INTO totals VALUES (0, 0)",
    "CREATE TABLE pinned_keys (hub TEXT PRIMARY KEY, jwks BLOB NOT NULL, pinned_at TEXT NOT NULL) STRICT",
)


class Outbox:
    """A queue of signed messages in one SQLite file.

    Args:
        path: the file; created when it is not there.
        capacity: maximal bytes of bodies.

    Raises:
        ConfigurationError: the file cannot be used.
    """

    def __init__(self, path: Path, *, capacity: int = DEFAULT_CAPACITY) -> None:
        self._store = SqliteStore(path, _SCHEMA)
        self._capacity = capacity

    def append(self, jti: str, event: str, body: bytes, *, signal_count: int = 0) -> None:
        """Store a message; it is on disk when this returns.

        Raises:
            OutboxFullError: it, or its disk, is full. Nothing was changed.
            ConfigurationError: the message exceeds the capacity.
        """
        if len(body) > self._capacity:
            raise ConfigurationError(
                f"is {self._capacity} bytes, and a message has {len(body)}",
                field="capacity",
                hint="increase it",
            )
        try:
            self._append(jti, event, body, signal_count)
        except DiskFullError as error:
            raise OutboxFullError(
                "its disk is full", field="outbox", hint="free disk space, then post the remaining signals"
            ) from error

    def _append(self, jti: str, kind: str, body: bytes, signals: int) -> None:
        with self._store.transaction() as write:
            (used,) = write.execute("SELECT bytes FROM totals").fetchone()
            if used + len(body) > self._capacity:
                raise OutboxFullError(
                    f"is full: {used} of {self._capacity} bytes are used",
                    field="outbox",
                    hint="call deliver(), redrive or discard dead_letters(), then post the remaining signals",
                )
            row = write.execute(
                "INSERT INTO message (jti, event, signal_count) VALUES (?, ?, ?)", (jti, kind, signals)
            )
            write.execute("INSERT INTO body VALUES (?, ?)", (row.lastrowid, body))
            write.execute("UPDATE totals SET bytes = bytes + ?", (len(body),))

    def fetch_pending(self, *, after: int = 0, limit: int = 100) -> list[Message]:
        """The oldest pending messages whose `id` is above `after`."""
        rows = self._store.read(
            "SELECT message.id, jti, event, signal_count, data FROM message JOIN body USING (id)"
            " WHERE state = 'pending' AND message.id > ? ORDER BY message.id LIMIT ?",
            after,
            limit,
        )
        return [Message(*row) for row in rows]

    def record_outcomes(
        self, acknowledged: Iterable[Acknowledged] = (), failed: Iterable[Failed] = ()
    ) -> None:
        """Record the outcomes of messages in one transaction."""
        with self._store.transaction() as write:
            for outcome in acknowledged:
                key = outcome.message.id
                updated = write.execute(
                    "UPDATE message SET state = 'sent' WHERE id = ? AND state = 'pending'", (key,)
                )
                if not updated.rowcount:
                    continue
                write.execute(
                    "INSERT INTO receipt VALUES (?, ?, ?)", (key, outcome.token, encode(outcome.receipt))
                )
                write.execute("DELETE FROM body WHERE id = ?", (key,))
                write.execute(
                    "UPDATE totals SET bytes = bytes - ?, sent = sent + 1", (len(outcome.message.body),)
                )
            write.executemany(
                "UPDATE message SET state = 'dead', code = ?, reason = ? WHERE id = ? AND state = 'pending'",
                [(outcome.code, outcome.reason, outcome.message.id) for outcome in failed],
            )

    def find(self, jti: str) -> tuple[str, Message] | None:
        """A message and its state: ``pending``, ``sent``, then without its body, or ``dead``."""
        rows = self._store.read(
            "SELECT state, message.id, jti, event, signal_count, coalesce(data, x'')"
            " FROM message LEFT JOIN body USING (id) WHERE jti = ?",
            jti,
        )
        return (rows[0][0], Message(*rows[0][1:])) if rows else None

    def remove(self, message: Message) -> None:
        """Delete a message that was not sent."""
        with self._store.transaction() as write:
            write.execute("DELETE FROM body WHERE id = ?", (message.id,))
            write.execute("UPDATE totals SET bytes = bytes - ?", (len(message.body),))
            write.execute("DELETE FROM message WHERE id = ?", (message.id,))

    def redrive(
        self,
        ids: Iterable[int] | None = None,
        sign_anew: Callable[[StoredMessage], tuple[str, bytes] | None] = lambda _: None,
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> RedriveResult:
        """Make dead letters pending again: all, or those with these ids.

        `sign_anew` may return another ``jti`` and body for the same content. It raises `InvalidInputError`
        where it cannot read the content: such a message stays a dead letter. `progress` is called with the
        number of signals done.

        Raises:
            InvalidInputError: an id is not that of a dead letter; nothing was changed.
        """
        queued, signed_anew, damaged = 0, 0, []
        for message in self.find_dead(ids):
            try:
                new = sign_anew(self.read(message.id))
            except InvalidInputError:
                damaged.append(message.id)
            else:
                changed = self._requeue(message.id, new)
                queued += changed
                signed_anew += changed and new is not None
            progress(message.signal_count)
        return RedriveResult(queued, signed_anew, tuple(damaged))

    def _requeue(self, message_id: int, new: tuple[str, bytes] | None) -> bool:
        with self._store.transaction() as write:
            requeued = write.execute(
                "UPDATE message SET state = 'pending', code = '', reason = ''"
                " WHERE id = ? AND state = 'dead'",
                (message_id,),
            )
            if not requeued.rowcount:
                return False
            if new is not None:
                jti, body = new
                write.execute(
                    "UPDATE totals SET bytes = bytes + ? - (SELECT length(data) FROM body WHERE id = ?)",
                    (len(body), message_id),
                )
                write.execute("UPDATE message SET jti = ? WHERE id = ?", (jti, message_id))
                write.execute("UPDATE body SET data = ? WHERE id = ?", (body, message_id))
            return True

    def discard(self, ids: Iterable[int] | None = None) -> int:
        """Delete dead letters with their bodies: all, or those with these ids. Returns their number.

        Raises:
            InvalidInputError: an id is not that of a dead letter; nothing was changed.
        """
        chosen, deleted = self.find_dead(ids), 0
        size = "SELECT length(data) FROM message JOIN body USING (id) WHERE id = ? AND state = 'dead'"
        with self._store.transaction() as write:
            for message in chosen:
                row = write.execute(size, (message.id,)).fetchone()
                if row is not None:  # another process may have queued or deleted it
                    write.execute("DELETE FROM body WHERE id = ?", (message.id,))
                    write.execute("DELETE FROM message WHERE id = ?", (message.id,))
                    write.execute("UPDATE totals SET bytes = bytes - ?", row)
                    deleted += 1
        return deleted

    def dead_letters(self) -> list[DeadLetter]:
        """The dead letters, oldest first, with their reasons."""
        rows = self._store.read(
            "SELECT id, jti, event, signal_count, code, reason FROM message WHERE state = 'dead' ORDER BY id"
        )
        return [DeadLetter(*row) for row in rows]

    def find_dead(self, ids: Iterable[int] | None = None) -> list[DeadLetter]:
        """All dead letters, or those with these ids.

        Raises:
            InvalidInputError: an id is not that of a dead letter.
        """
        dead = self.dead_letters()
        if ids is None:
            return dead
        by_id = {message.id: message for message in dead}
        wanted = dict.fromkeys(ids)
        if unknown := [one for one in wanted if one not in by_id]:
            hint = "list them with: sesame outbox list"
            raise InvalidInputError(f"{unknown[0]} is not a dead letter", field="id", hint=hint)
        return [by_id[one] for one in wanted]

    def read(self, message_id: int) -> StoredMessage:
        """A message in any state. Raises `InvalidInputError`: there is none of this id."""
        rows = self._store.read(
            "SELECT id, jti, event, signal_count, code, reason, state, coalesce(data, x'')"
            " FROM message LEFT JOIN body USING (id) WHERE id = ?",
            message_id,
        )
        if not rows:
            hint = "list them with: sesame outbox list"
            raise InvalidInputError(f"{message_id} is not a message of this outbox", field="id", hint=hint)
        return StoredMessage(*rows[0])

    def receipts(self) -> Iterator[Receipt]:
        """Every stored receipt, oldest message first."""
        for _, receipt, _ in self._receipt_rows():
            yield decode(receipt, Receipt)

    def receipt_tokens(self) -> Iterator[bytes]:
        """The signed tokens of the receipts: proof for a third party."""
        for _, _, token in self._receipt_rows():
            yield token

    def _receipt_rows(self) -> Iterator[tuple[int, bytes, bytes]]:
        after = 0
        query = "SELECT id, receipt, token FROM receipt WHERE id > ? ORDER BY id LIMIT ?"
        while rows := self._store.read(query, after, _RECEIPTS_PER_PAGE):
            yield from rows
            after = rows[-1][0]

    def counts(self) -> MessageCounts:
        """Count the messages by state."""
        ((used, sent),) = self._store.read("SELECT bytes, sent FROM totals")
        unsent = dict(
            self._store.read("SELECT state, count(*) FROM message WHERE state <> 'sent' GROUP BY state")
        )
        return MessageCounts(
            pending=unsent.get("pending", 0), sent=sent, dead=unsent.get("dead", 0), bytes=used
        )

    def delivery_lock(self) -> AbstractContextManager[None]:
        """The lock of a delivery. Raises `RetryableError` if another process has it."""
        return self._store.exclusive_lock("delivery")

    def rotation_lock(self) -> AbstractContextManager[None]:
        """The lock of a key rotation. Raises `RetryableError` if another process has it."""
        return self._store.exclusive_lock("rotation")

    def pinned_keys(self, hub: str) -> bytes | None:
        """The JWK set that is pinned for a hub."""
        rows = self._store.read("SELECT jwks FROM pinned_keys WHERE hub = ?", hub)
        return rows[0][0] if rows else None

    def pin_keys(self, hub: str, jwks: bytes, *, replacing: bytes | None) -> bytes | None:
        """Pin a hub's JWK set if `replacing` is the pinned one, or None for none; the one pinned before."""
        with self._store.transaction() as write:
            row = write.execute("SELECT jwks FROM pinned_keys WHERE hub = ?", (hub,)).fetchone()
            before: bytes | None = row[0] if row else None
            if before == replacing != jwks:
                values = (hub, jwks, datetime.now(UTC).isoformat())
                write.execute("INSERT OR REPLACE INTO pinned_keys VALUES (?, ?, ?)", values)
            return before

    def close(self) -> None:
        """Close the file."""
        self._store.close()
