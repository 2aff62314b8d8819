"""Stores what webhooks said of orders, and what is to be sent, in a SQLite file in the shop's directory.

Rules:
1. One transaction stores a batch: the states of orders, the deliveries, and what is to be sent for them. What
   is to be sent goes into the outbox after that, and its rows are deleted with the next batch. A process that
   is killed in between sends them again, with the same ids and content: the hub counts them once.
2. A delivery that was stored changes nothing when it arrives again. Its id is kept for `KEPT_DAYS`; then the
   states of orders make it harmless.
3. The file never leaves the shop. It has the shop's numbers of customers and orders, and amounts.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import asdict, define, evolve, field, frozen

from sesame_retail.model import Order
from sesame_retail.webhooks.payloads import PrivacyRequest
from sesame_retail.webhooks.reconciliation import OrderReport, OrderState, Refund, Sent
from sesame_sdk import InvalidInputError, SqliteStore

FILE_NAME = "webhooks.sqlite"
#: How long the id of a delivery is kept. Platforms retry for two days at most.
KEPT_DAYS = 30
#: A person has to be answered within so long (GDPR 12(3)); Shopify asks for the same.
ANSWER_DAYS = 30
_APPLICATION = 0x5E5A0B07
_SCHEMA = (
    "CREATE TABLE order_state (number TEXT PRIMARY KEY, customer TEXT, state TEXT) STRICT, WITHOUT ROWID",
    "CREATE INDEX order_state_by_customer ON order_state (customer)",
    "CREATE TABLE delivery (key TEXT PRIMARY KEY, received_at INTEGER) STRICT, WITHOUT ROWID",
    "CREATE INDEX delivery_by_time ON delivery (received_at)",
    "CREATE TABLE unsent_order (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT) STRICT",
    (
        "CREATE TABLE privacy_request (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT, customer TEXT,"
        " orders TEXT, received_at INTEGER) STRICT"
    ),
)


@frozen
class PendingRequest:
    """A privacy request that a person has to answer, until the end of `due`."""

    number: int
    request: PrivacyRequest
    received_at: datetime

    @property
    def due(self) -> datetime:
        """When it has to be answered."""
        return self.received_at + timedelta(days=ANSWER_DAYS)


@define
class Batch:
    """What some deliveries change, before it is saved."""

    states: dict[str, OrderState] = field(factory=dict)
    deliveries: set[str] = field(factory=set)
    orders: list[Order] = field(factory=list)
    requests: list[PrivacyRequest] = field(factory=list)


class WebhookStore:
    """The states of a shop's orders, in a file that is created with mode 0600 if it does not exist."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteStore(
            path, _SCHEMA, description="a file of webhooks' orders", application_id=_APPLICATION
        )
        self._sent_until = 0

    def load_state(self, number: str) -> OrderState:
        """What is known of an order."""
        rows = self._file.read("SELECT state FROM order_state WHERE number = ?", number)
        return _decode_state(rows[0][0]) if rows else OrderState()

    def has_delivery(self, key: str) -> bool:
        """Whether a delivery was saved."""
        return bool(self._file.read("SELECT 1 FROM delivery WHERE key = ?", key))

    def save(self, batch: Batch, at: datetime) -> None:
        """Save a batch, in one transaction."""
        now = int(at.timestamp())
        with self._file.transaction() as write:
            write.execute("DELETE FROM unsent_order WHERE id <= ?", (self._sent_until,))
            write.execute("DELETE FROM delivery WHERE received_at < ?", (now - KEPT_DAYS * 86_400,))
            write.executemany(
                "INSERT OR IGNORE INTO delivery VALUES (?, ?)", [(key, now) for key in batch.deliveries]
            )
            write.executemany(
                "INSERT OR REPLACE INTO order_state VALUES (?, ?, ?)",
                [(number, state.customer, _encode_state(state)) for number, state in batch.states.items()],
            )
            write.executemany(
                "INSERT INTO unsent_order (body) VALUES (?)", [(_encode(order),) for order in batch.orders]
            )
            write.executemany(
                "INSERT INTO privacy_request (topic, customer, orders, received_at) VALUES (?, ?, ?, ?)",
                [(one.topic, one.customer, json.dumps(one.orders), now) for one in batch.requests],
            )

    def unsent_orders(self) -> tuple[list[Order], int]:
        """What is not in the outbox yet, and the number for `record_sent`."""
        rows = self._file.read("SELECT id, body FROM unsent_order WHERE id > ? ORDER BY id", self._sent_until)
        return [_decode_order(body) for _, body in rows], rows[-1][0] if rows else self._sent_until

    def record_sent(self, until: int) -> None:
        """Delete what is in the outbox with the next batch."""
        self._sent_until = until

    def list_requests(self) -> list[PendingRequest]:
        """Privacy requests that were not answered, oldest first."""
        return [_decode_request(*row) for row in self._file.read("SELECT * FROM privacy_request ORDER BY id")]

    def complete_request(self, number: int) -> PendingRequest:
        """Delete a request that was answered; one for redaction with the orders that it is about.

        Raises:
            InvalidInputError: there is none of this number.
        """
        pending = next((one for one in self.list_requests() if one.number == number), None)
        if pending is None:
            raise InvalidInputError("is not a pending request", field="number", hint="list them first")
        topic, customer = pending.request.topic, pending.request.customer
        with self._file.transaction() as write:
            write.execute("DELETE FROM privacy_request WHERE id = ?", (number,))
            if topic == "customers/redact":
                write.execute("DELETE FROM order_state WHERE customer = ?", (customer,))
                write.executemany(
                    "DELETE FROM order_state WHERE number = ?", [(order,) for order in pending.request.orders]
                )
            elif topic == "shop/redact":
                write.execute("DELETE FROM order_state WHERE number LIKE 'shopify %'")
        return pending

    def close(self) -> None:
        """Delete what is in the outbox, and close the file."""
        with self._file.transaction() as write:
            write.execute("DELETE FROM unsent_order WHERE id <= ?", (self._sent_until,))
        self._file.close()


def _decode_request(
    number: int, topic: str, customer: str | None, orders: str, received_at: int
) -> PendingRequest:
    request = PrivacyRequest(topic, customer, tuple(json.loads(orders)))
    return PendingRequest(number, request, datetime.fromtimestamp(received_at, UTC))


def _encode(value: Any) -> str:  # noqa: ANN401 - any attrs object of this package
    return json.dumps(asdict(value), default=str, separators=(",", ":"))


def _encode_state(state: OrderState) -> str:
    # The latest report's own refunds are among the state's.
    latest = state.latest and evolve(state.latest, refunds=())
    return _encode(evolve(state, latest=latest))


def _decode_state(text: str) -> OrderState:
    stored: Mapping[str, Any] = json.loads(text)
    latest, sent = stored["latest"], stored["sent"]
    refunds = {key: Refund(**refund) for key, refund in stored["refunds"].items()}
    return OrderState(
        latest=latest and OrderReport(**latest | {"refunds": ()} | _times(latest, "placed_at", "changed_at")),
        customer=stored["customer"],
        was_paid=stored["was_paid"],
        refunds=refunds,
        sent=sent and Sent(**sent),
    )


def _decode_order(text: str) -> Order:
    stored: dict[str, Any] = json.loads(text)
    return Order(**stored | {"total": Decimal(stored["total"])} | _times(stored, "placed_at"))


def _times(stored: Mapping[str, Any], *names: str) -> dict[str, datetime]:
    # One instance of UTC: signal ids compare by identity.
    return {name: datetime.fromisoformat(stored[name]).astimezone(UTC) for name in names}
